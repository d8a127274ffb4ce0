package workflows

import (
	"fmt"
	"os"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
)

// A bundle is told as its items would be, and one that comes while nothing is due wakes the inbox.
func TestBundleIsToldAsItsItems_R133(t *testing.T) {
	c := newChain(&world{})
	c.bundle(time.Minute, parked("f/1", training.FailureUnreachable), parked("f/2", training.FailureUnreachable))
	c.bundle(2*time.Minute, parked("f/2", training.FailureUnreachable), parked("f/3", training.FailureUnreachable))
	c.suspend(3 * time.Minute)
	c.bundle(4*time.Minute, ended(parked("f/3", training.FailureUnreachable)), parked("f/4", training.FailureUnreachable))
	c.until(t, 24*time.Hour)
	require.Equal(t, 2, c.runs)
	require.Equal(t, []int{2, 1}, counts(c.w.notices), "f/3 is over before it is told")
	require.Equal(t, []time.Duration{time.Minute, 21 * time.Minute}, c.times(c.w.notices))
}

// A worker that knew no bundles has left one in the channel, and what it did then is replayed. The inbox reads it at the first
// thing that is new, and before it goes on in another run at the latest.
func TestBundleThatAnOlderWorkerLeftIsRead(t *testing.T) {
	for name, replayed := range map[string]int{"read when something else comes": 2, "read when it hands over": 100} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			env := environment(t, w)
			env.OnGetVersion(causesChange, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.Version(1))
			replays(env, bundlesChange, replayed)
			send := func(after time.Duration, signal string, input any) {
				env.RegisterDelayedCallback(func() { env.SignalWorkflow(signal, input) }, after)
			}
			send(time.Minute, InboxSignal, parked("f/1", training.FailureUnreachable))
			send(2*time.Minute, InboxBundleSignal, []InboxItem{parked("f/2", training.FailureUnreachable), parked("f/3", training.FailureUnreachable)})
			send(3*time.Minute, InboxSignal, parked("f/4", training.FailureUnreachable))
			env.RegisterDelayedCallback(func() {
				require.Equal(t, []int{1}, counts(w.notices))
			}, 4*time.Minute)
			send(5*time.Minute, InboxSignal, parked("f/5", training.FailureUnreachable))
			env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 6*time.Minute)
			env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute, DigestLongest: time.Hour})
			var next *workflowContinueAsNew
			require.ErrorAs(t, env.GetWorkflowError(), &next)

			c := newChain(w)
			c.began = c.began.Add(6 * time.Minute)
			require.NoError(t, dataConverter().FromPayloads(next.Input, &c.state))
			require.Equal(t, 4, c.state.Causes[0].Count, "two of the bundle and two by themselves")
			c.bundle(time.Minute, parked("f/3", training.FailureUnreachable), parked("f/6", training.FailureUnreachable))
			c.until(t, 24*time.Hour)
			require.Equal(t, []int{1, 5}, counts(w.notices))
		})
	}
}

// An older worker that took the inbox back would leave the next bundle: once one was read, the history has a marker that no
// older worker replays.
func TestReadBundleKeepsOlderWorkersOut(t *testing.T) {
	raw, err := os.ReadFile("testdata/histories/inbox-bundles.json")
	require.NoError(t, err)
	var history historypb.History
	require.NoError(t, protojson.Unmarshal(raw, &history))
	var markers []string
	for _, event := range history.GetEvents() {
		if marker := event.GetMarkerRecordedEventAttributes(); marker != nil {
			markers = append(markers, marker.GetMarkerName())
		}
	}
	require.Equal(t, []string{"Version", "Version", "SideEffect"}, markers, "causes, bundles, and the one that replay does not pass over")
}

// In an update an older worker may read the end of a wait while its beginning waits in a bundle.
func TestWhatIsOverBeforeItIsHeardOfIsNotTold(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	it := parked("f/1", training.FailureUnreachable)
	in := Inbox{Tenant: "acme", bundled: true}
	in.take(ended(it), now)
	in.take(it, now)
	require.Empty(t, in.Causes)
	in.take(parked("f/2", training.FailureUnreachable), now)
	require.Equal(t, 1, in.Causes[0].Open)
}

// After an update somebody sends an empty list, so that an inbox that has nothing else to do reads what was left (docs/operate.md).
func TestEmptyBundleHasTheInboxLook(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.OnGetVersion(causesChange, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.Version(1))
	replays(env, bundlesChange, 1)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(InboxBundleSignal, []InboxItem{parked("f/1", training.FailureUnreachable)})
	}, time.Minute)
	env.RegisterDelayedCallback(func() {
		require.Empty(t, w.notices)
		env.SignalWorkflow(InboxBundleSignal, []InboxItem{})
	}, 24*time.Hour)
	env.RegisterDelayedCallback(env.CancelWorkflow, 25*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})
	require.Equal(t, []int{1}, counts(w.notices))
}

// replays has a change's questions answered as in a replay: no to the first so many, which older code has decided, and yes from there on.
func replays(env *testsuite.TestWorkflowEnvironment, change string, decided int) {
	for n := range 200 {
		version := workflow.Version(1)
		if n <= decided {
			version = workflow.DefaultVersion
		}
		env.OnGetVersion(fmt.Sprint(change, "/", n), workflow.DefaultVersion, workflow.Version(1)).Return(version)
	}
}

// Two hundred whose signal failed are told again behind ten thousand others, and are known again.
func TestABundleThatIsToldAgainBehindManyIsKnown(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	in := Inbox{Tenant: "acme", bundled: true}
	for i := range 10_400 {
		in.take(parked(fmt.Sprintf("f/%d", i%10_200), training.FailureUnreachable), now)
	}
	require.Equal(t, 10_200, in.Causes[0].Open)
	for i := range 10_000 {
		in.take(parked(fmt.Sprintf("g/%d", i), training.FailureUnreachable), now)
	}
	require.Len(t, in.Seen, maxSeenBundled)
}

// The inbox of a time before causes hands bundles over too.
func TestInboxOfAnEarlierTimeHandsBundlesOver(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.OnGetVersion(causesChange, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	replays(env, causesChange, 1)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(InboxBundleSignal, []InboxItem{item("f/1", training.FailureUnreachable), item("f/2", training.FailureUnreachable)})
	}, time.Minute)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})
	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var state Inbox
	require.NoError(t, dataConverter().FromPayloads(next.Input, &state))
	require.Equal(t, 2, state.Groups[0].Count)
}
