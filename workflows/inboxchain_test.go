package workflows

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"pgregory.net/rapid"
)

// chain is an inbox over as many runs as it takes.
type chain struct {
	w      *world
	began  time.Time
	events []happening
	runs   int
	// largest is the longest state that one run has handed to the next, in bytes.
	largest int
	state   Inbox
}

type happening struct {
	at   time.Duration
	do   func(*testsuite.TestWorkflowEnvironment)
	done bool
}

func newChain(w *world) *chain {
	return &chain{
		w: w, began: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		state: Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute, DigestLongest: 6 * time.Hour},
	}
}

func (c *chain) at(after time.Duration, do func(*testsuite.TestWorkflowEnvironment)) {
	c.events = append(c.events, happening{at: after, do: do})
}

func (c *chain) signal(after time.Duration, items ...InboxItem) {
	c.at(after, func(env *testsuite.TestWorkflowEnvironment) {
		for _, item := range items {
			env.SignalWorkflow(InboxSignal, item)
		}
	})
}

func (c *chain) bundle(after time.Duration, items ...InboxItem) {
	c.at(after, func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(InboxBundleSignal, items) })
}

func (c *chain) suspend(after time.Duration) {
	c.at(after, func(env *testsuite.TestWorkflowEnvironment) { env.SetContinueAsNewSuggested(true) })
}

// until runs the inbox from run to run; what has not come in one run comes in the next.
func (c *chain) until(t *testing.T, end time.Duration) {
	c.at(end, func(env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() })
	slices.SortStableFunc(c.events, func(a, b happening) int { return cmp.Compare(a.at, b.at) })
	elapsed := time.Duration(0)
	for {
		env := environment(t, c.w)
		env.SetStartTime(c.began.Add(elapsed))
		c.next(env, elapsed)
		env.ExecuteWorkflow(AdminInboxWorkflow, c.state)
		c.runs++
		var next *workflowContinueAsNew
		if err := env.GetWorkflowError(); !errors.As(err, &next) {
			require.Error(t, err, "it never ends by itself")
			return
		}
		c.state = Inbox{}
		require.NoError(t, dataConverter().FromPayloads(next.Input, &c.state))
		encoded, err := json.Marshal(c.state)
		require.NoError(t, err)
		c.largest = max(c.largest, len(encoded))
		elapsed = env.Now().Sub(c.began)
	}
}

// next makes the next event happen, and then the one after it: the environment takes only so many at a time.
func (c *chain) next(env *testsuite.TestWorkflowEnvironment, elapsed time.Duration) {
	i := slices.IndexFunc(c.events, func(h happening) bool { return !h.done })
	if i < 0 {
		return
	}
	event := &c.events[i]
	env.RegisterDelayedCallback(func() {
		event.done = true
		event.do(env)
		c.next(env, max(event.at, elapsed))
	}, max(event.at-elapsed, 0))
}

// sent are the notices of a kind.
func (c *chain) sent(kind NoticeKind) []SendNotice {
	var all []SendNotice
	for _, n := range c.w.notices {
		if n.Kind == kind {
			all = append(all, n)
		}
	}
	return all
}

// times are when notices went out, after the beginning.
func (c *chain) times(notices []SendNotice) []time.Duration {
	var all []time.Duration
	for _, n := range notices {
		all = append(all, n.At.Sub(c.began).Round(time.Second))
	}
	return all
}

func counts(notices []SendNotice) []int {
	var all []int
	for _, n := range notices {
		for _, g := range n.Groups {
			all = append(all, g.Count)
		}
	}
	return all
}

func parked(id string, class training.FailureClass) InboxItem {
	i := item(id, class)
	i.EndTold, i.Cause = true, CauseQMS
	return i
}

func ended(of InboxItem) InboxItem {
	return InboxItem{Ended: of.ID, Kind: of.Kind, Class: of.Class, Cause: of.Cause}
}

// An outage of 50,000 over many runs: nothing is lost or doubled, the notices are few and the state is small.
func TestInboxTakes50000OverManyRuns_R133(t *testing.T) {
	c := newChain(&world{})
	const all, perRun = 50_000, 4000
	for first := 0; first < all; first += perRun {
		begin := time.Duration(first/perRun) * 5 * time.Minute
		for part := range 10 {
			c.at(begin+time.Duration(part)*20*time.Second, func(env *testsuite.TestWorkflowEnvironment) {
				for i := first + part*perRun/10; i < min(first+(part+1)*perRun/10, all); i++ {
					env.SignalWorkflow(InboxSignal, parked(fmt.Sprintf("%064d/run/1", i), training.FailureUnreachable))
					if i%100 == 0 { // an activity that signals may be retried
						env.SignalWorkflow(InboxSignal, parked(fmt.Sprintf("%064d/run/1", i), training.FailureUnreachable))
					}
				}
			})
		}
		c.suspend(begin + 4*time.Minute)
	}
	// Half a day later everything goes on by itself.
	for part := range 200 {
		c.at(12*time.Hour+time.Duration(part)*time.Second, func(env *testsuite.TestWorkflowEnvironment) {
			var bundle []InboxItem
			for i := part * all / 200; i < (part+1)*all/200; i++ {
				bundle = append(bundle, ended(parked(fmt.Sprintf("%064d/run/1", i), training.FailureUnreachable)))
			}
			env.SignalWorkflow(InboxBundleSignal, bundle)
		})
		if part%20 == 19 {
			c.suspend(12*time.Hour + time.Duration(part)*time.Second + time.Second/2)
		}
	}
	c.until(t, 48*time.Hour)

	require.Greater(t, c.runs, 15)
	told := 0
	for _, n := range counts(c.sent(NoticeReview)) {
		told += n
	}
	require.Equal(t, all, told)
	require.LessOrEqual(t, len(c.sent(NoticeReview)), 4)
	over := c.sent(NoticeAllClear)
	require.Equal(t, []int{all}, counts(over), "one all-clear")
	require.Equal(t, NoticeReview, over[0].Groups[0].Of)
	require.InDelta(t, 12*time.Hour, over[0].Groups[0].Over.Sub(over[0].Groups[0].Since), float64(5*time.Minute))
	require.Less(t, c.largest, 256_000, "bytes of state")
}

// Whatever comes in whatever order, over runs, outages of the mail server and quiet hours: what nobody decides
// about is told once, what is decided at most once.
func TestInboxLosesAndDoublesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		classes := []training.FailureClass{training.FailureUnreachable, training.FailureRecordMissing, training.FailureRecordLocked}
		kinds := []NoticeKind{NoticeReview, NoticeApproval, NoticeReviewReminder}
		w := &world{}
		c := newChain(w)
		second := func(label string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(rt, label)) * time.Second
		}
		if rapid.Bool().Draw(rt, "mail is away") {
			from := second("mail away from", 7200)
			until := from + second("mail away for", 300)
			w.mailDown = func(int) bool {
				at := w.now().Sub(c.began)
				return at >= from && at < until
			}
		}
		if rapid.Bool().Draw(rt, "quiet") {
			from := second("quiet from", 7200)
			until := from + second("quiet for", 36000)
			w.quiet = func(now time.Time) time.Time {
				if at := now.Sub(c.began); at >= from && at < until {
					return c.began.Add(until)
				}
				return now
			}
		}
		expected, decided := map[causeKey]int{}, map[causeKey]int{}
		for i := range rapid.IntRange(1, 40).Draw(rt, "items") {
			it := InboxItem{
				ID: fmt.Sprintf("f/%d", i), Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"),
				Class: rapid.SampledFrom(classes).Draw(rt, "class"), Cause: CauseQMS,
			}
			it.EndTold = !it.Kind.reminds()
			at := second("at", 10_000)
			if rapid.Bool().Draw(rt, "bundled") {
				c.bundle(at, it)
			} else {
				c.signal(at, it)
			}
			expected[it.key()]++
			if rapid.IntRange(0, 4).Draw(rt, "again") == 0 {
				c.bundle(at+second("again after", 600), it, it)
			}
			if it.EndTold && rapid.Bool().Draw(rt, "ends") {
				c.signal(at+time.Second+second("ends after", 5000), ended(it))
				decided[it.key()]++
			}
		}
		for range rapid.IntRange(0, 5).Draw(rt, "further runs") {
			c.suspend(second("next run", 12_000) + time.Second/2)
		}
		c.until(t, 100*24*time.Hour)

		told := map[causeKey]int{}
		ids := map[string]bool{}
		for _, n := range w.notices {
			require.False(rt, ids[n.ID], "delivered twice: %s", n.ID)
			ids[n.ID] = true
			for _, g := range n.Groups {
				require.LessOrEqual(rt, len(g.Examples), g.Count+1)
				if g.Kind != NoticeAllClear {
					told[g.key()] += g.Count
				}
			}
		}
		for key, n := range expected {
			require.LessOrEqual(rt, told[key], n, "%v told too often", key)
			require.GreaterOrEqual(rt, told[key], n-decided[key], "%v not told", key)
		}
		require.Less(rt, c.largest, 20_000)
	})
}
