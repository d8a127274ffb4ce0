package workflows

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// 20 minutes, 40, 80 ... to six hours while a cause goes on; back to the start after a calm.
func TestDigestsComeAtGrowingGaps_R133(t *testing.T) {
	c := newChain(&world{})
	for i := range 30 * 60 { // one a minute for 30 hours
		c.signal(time.Duration(i)*time.Minute, item(fmt.Sprint(i), training.FailureUnreachable))
	}
	c.signal(60*time.Hour, item("after a calm", training.FailureUnreachable))
	c.signal(60*time.Hour+time.Minute, item("and another", training.FailureUnreachable))
	c.until(t, 70*time.Hour)

	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	require.Equal(t, []time.Duration{
		0, minutes(20), minutes(60), minutes(140), minutes(300), minutes(620), minutes(980), minutes(1340), minutes(1700), minutes(2060),
		60 * time.Hour, 60*time.Hour + minutes(20),
	}, c.times(c.w.notices))
	require.Equal(t, 1802, func() (sum int) {
		for _, n := range counts(c.w.notices) {
			sum += n
		}
		return sum
	}())
}

// A cause that trickles does not begin anew with each failure.
func TestTrickleIsGatheredToo(t *testing.T) {
	c := newChain(&world{})
	for i := range 24 {
		c.signal(time.Duration(i)*25*time.Minute, item(fmt.Sprint(i), training.FailureUnreachable))
	}
	c.until(t, 48*time.Hour)
	require.Less(t, len(c.w.notices), 8)
}

// When everything that was told of a cause is decided, that is said once, and with the end of the digest's gap.
func TestOneAllClearWhenEverythingToldIsDecided_R133(t *testing.T) {
	c := newChain(&world{})
	first, second := parked("f/1", training.FailureRecordMissing), parked("f/2", training.FailureRecordMissing)
	other := parked("f/3", training.FailureEmployeeUnknown)
	c.signal(0, first, other)
	c.signal(time.Minute, second)
	c.signal(30*time.Minute, ended(first), ended(first))
	gone := ended(second)
	gone.Expired = true
	c.signal(2*time.Hour, gone)
	c.until(t, 24*time.Hour)

	over := c.sent(NoticeAllClear)
	require.Len(t, over, 1, "the other cause waits still")
	require.Equal(t, InboxGroup{
		Kind: NoticeAllClear, Class: training.FailureRecordMissing, Cause: CauseQMS, Count: 2,
		Since: c.began, Over: c.began.Add(2 * time.Hour), Expired: 1,
	}, over[0].Groups[0])
}

// What is decided before anybody was told of it is told to nobody, and reminds of nothing.
func TestDecidedBeforeItIsTold(t *testing.T) {
	c := newChain(&world{})
	first, second, third := parked("f/1", training.FailureRecordMissing), parked("f/2", training.FailureRecordMissing), parked("f/3", training.FailureRecordMissing)
	c.signal(0, first)
	c.signal(time.Minute, second, third)
	reminder := func(of InboxItem) InboxItem {
		return InboxItem{ID: of.ID + "/review_reminder_1", Kind: NoticeReviewReminder, Class: of.Class, Cause: of.Cause}
	}
	c.signal(2*time.Minute, reminder(first))
	c.signal(3*time.Minute, reminder(second))
	c.signal(5*time.Minute, ended(second))
	c.until(t, 24*time.Hour)
	require.Equal(t, []int{1, 1}, counts(c.sent(NoticeReview)))
	require.Equal(t, "f/3", c.sent(NoticeReview)[1].Groups[0].Examples[0].ID)
	require.Equal(t, 2, c.sent(NoticeReview)[1].Groups[0].Waiting, "with the one that was told before")
	require.Equal(t, []int{1}, counts(c.sent(NoticeReviewReminder)))
}

// Approvals are gathered as failures are, and that they were given is no all-clear.
func TestApprovalsComeInDigests_R120(t *testing.T) {
	c := newChain(&world{})
	for i := range 100 {
		approval := InboxItem{ID: fmt.Sprint("f/", i), Kind: NoticeApproval, EndTold: true}
		c.signal(time.Duration(i)*time.Second, approval)
		c.signal(time.Hour, ended(approval))
	}
	c.until(t, 24*time.Hour)
	require.Equal(t, []int{1, 99}, counts(c.w.notices))
}

func outageItem(id string) InboxItem {
	return InboxItem{ID: id, Kind: NoticeOutage, Cause: CauseQMS, Class: training.FailureUnreachable, Detail: "503"}
}

func allClear(id string) InboxItem {
	return InboxItem{ID: id, Kind: NoticeAllClear, Cause: CauseQMS, Count: 4812}
}

// An outage is told at once and its end too; one that comes and goes all the time is gathered.
func TestOutageAndItsEndAreTransitions(t *testing.T) {
	c := newChain(&world{})
	c.signal(0, parked("f/1", training.FailureUnreachable))
	c.signal(time.Minute, outageItem("o/1"))
	c.signal(3*time.Hour, allClear("c/1"), allClear("c/2"))
	for i := range 5 { // it comes and goes
		c.signal(3*time.Hour+time.Duration(2*i+1)*time.Minute, outageItem(fmt.Sprint("o/", i+2)))
		c.signal(3*time.Hour+time.Duration(2*i+2)*time.Minute, allClear(fmt.Sprint("c/", i+3)))
	}
	c.until(t, 24*time.Hour)

	require.Equal(t, []time.Duration{time.Minute}, c.times(c.sent(NoticeOutage)))
	over := c.sent(NoticeAllClear)
	require.Equal(t, []time.Duration{3 * time.Hour}, c.times(over))
	require.Equal(t, NoticeOutage, over[0].Groups[0].Of)
	require.Equal(t, 4812, over[0].Groups[0].Examples[0].Count)
	require.Equal(t, 3*time.Hour-time.Minute, over[0].Groups[0].Over.Sub(over[0].Groups[0].Since))
	require.Equal(t, []int{1}, counts(c.sent(NoticeReview)), "what needs a decision still does")
}

// An outage that begins again before its end was told is not over, and is not forgotten.
func TestOutageThatBeginsAgainAtOnce(t *testing.T) {
	in := Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute}
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	in.take(outageItem("o/1"), now)
	first := in.compose(now)
	require.Len(t, first, 1)
	in.take(allClear("c/1"), now) // while it is on its way
	in.take(outageItem("o/2"), now)
	in.Sending = nil
	in.told(first[0], now)
	require.Empty(t, in.compose(now))
	again := in.compose(now.Add(20 * time.Minute))
	require.Equal(t, []int{1}, counts(again))
	require.Equal(t, NoticeOutage, again[0].Kind)
	require.Equal(t, "o/2", again[0].Groups[0].Examples[0].ID)
}

// An inbox that was lost has not told of the outage; that it is over is said all the same.
func TestAllClearOfAnOutageThatIsNotKnown(t *testing.T) {
	c := newChain(&world{})
	c.signal(0, allClear("c/1"))
	c.until(t, time.Hour)
	require.Len(t, c.sent(NoticeAllClear), 1)
}

// In quiet hours everything is gathered and comes in one notice; an outage that is over by then does not come.
func TestQuietHoursGather_R133(t *testing.T) {
	morning := time.Date(2026, 4, 9, 7, 0, 0, 0, time.UTC)
	w := &world{quiet: func(time.Time) time.Time { return morning }}
	c := newChain(w)
	for i := range 50 {
		c.signal(time.Duration(i)*10*time.Minute, parked(fmt.Sprint("f/", i), training.FailureUnreachable))
	}
	c.signal(time.Minute, outageItem("o/1"))
	c.signal(time.Hour, allClear("c/1"))
	c.suspend(2*time.Hour + time.Second)
	c.until(t, 24*time.Hour)
	require.Equal(t, []int{50}, counts(c.w.notices))
	require.Equal(t, morning, w.notices[0].At)
	require.LessOrEqual(t, len(w.called(sendNotice)), 3, "and it is asked for only when they are over")
}

// One kind that cannot be delivered holds up no other.
func TestOneKindHoldsUpNoOther(t *testing.T) {
	w := &world{undeliverable: NoticeApprovalEscalation}
	c := newChain(w)
	c.signal(0, InboxItem{ID: "f/1/approval_escalation", Kind: NoticeApprovalEscalation})
	c.signal(10*time.Second, parked("f/2", training.FailureUnreachable))
	c.at(5*time.Minute, func(*testsuite.TestWorkflowEnvironment) { require.Len(t, c.sent(NoticeReview), 1) })
	c.until(t, 6*time.Minute)
	require.Empty(t, c.sent(NoticeApprovalEscalation))
}

// Whatever is signalled, the state stays small.
func TestInboxStateIsBounded(t *testing.T) {
	in := Inbox{Tenant: "acme"}
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	long := string(make([]rune, 100_000))
	for i := range 20_000 {
		in.take(InboxItem{
			ID: fmt.Sprintf("%064d/1", i), Class: training.FailureClass(fmt.Sprint("class", i%500)), Cause: fmt.Sprint(i % 7),
			Kind: NoticeKind(fmt.Sprint(i % 3)), Course: long, Detail: long,
		}, now)
	}
	require.Len(t, in.Seen, maxSeen)
	require.LessOrEqual(t, len(in.Causes), maxCauses)
	sum := 0
	for _, cause := range in.Causes {
		sum += cause.Count
		require.LessOrEqual(t, len(cause.Examples), maxExamples)
	}
	require.Equal(t, 20_000, sum, "and counts everything")
	encoded, err := json.Marshal(in)
	require.NoError(t, err)
	require.Less(t, len(encoded), 1_000_000, "Temporal takes 2 MB")
}

// An inbox that was started before there were causes hands over what it has gathered.
func TestInboxOfAnEarlierTimeHandsOver(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.OnGetVersion(causesChange, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	replays(env, causesChange, 3)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("f/1", training.FailureUnreachable)) }, 0)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("f/2", training.FailureUnreachable)) }, time.Minute)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})
	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	require.Len(t, w.notices, 1)

	c := newChain(w)
	require.NoError(t, dataConverter().FromPayloads(next.Input, &c.state))
	require.Len(t, c.state.Groups, 1)
	c.signal(time.Minute, item("f/2", training.FailureUnreachable)) // known
	c.signal(2*time.Minute, item("f/3", training.FailureUnreachable))
	c.until(t, 24*time.Hour)
	require.Len(t, w.notices, 2)
	require.Equal(t, 2, w.notices[1].Groups[0].Count)
}
