package workflows

import (
	"fmt"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func item(id string, class training.FailureClass) InboxItem {
	return InboxItem{ID: id, Course: "COMP-2026", Class: class}
}

// One failure is one notice at once; 5,000 more are one digest. Another cause is told at once meanwhile (R133).
func TestInboxGathersFailuresIntoDigests_R133(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("first", training.FailureUnreachable)) }, time.Minute)
	for burst := range 10 {
		env.RegisterDelayedCallback(func() {
			require.Len(t, w.notices, 1, "the first is told at once")
			for i := range 500 {
				env.SignalWorkflow(InboxSignal, item(fmt.Sprint(burst, i), training.FailureUnreachable))
			}
		}, time.Duration(2+burst)*time.Minute)
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("other", training.FailureEmployeeUnknown)) }, 15*time.Minute)
	env.RegisterDelayedCallback(func() { require.Len(t, w.notices, 2, "the other cause, and still gathering") }, 20*time.Minute)
	env.RegisterDelayedCallback(func() { env.CancelWorkflow() }, time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})

	require.Len(t, w.notices, 3)
	require.Regexp(t, `^acme/.+/1$`, w.notices[0].ID)
	require.Equal(t, []InboxGroup{{Class: training.FailureUnreachable, Count: 1,
		Examples: []InboxItem{item("first", training.FailureUnreachable)}}}, w.notices[0].Groups)
	require.Equal(t, training.FailureEmployeeUnknown, w.notices[1].Groups[0].Class)
	digest := w.notices[2].Groups
	require.Len(t, digest, 1)
	require.Equal(t, 5000, digest[0].Count)
	require.Len(t, digest[0].Examples, maxExamples, "a digest stays small")
}

// Approvals and failures are told apart: a notice asks for one thing.
func TestInboxSendsANoticeForEachKind_R120_R133(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	approval := func(id string, kind NoticeKind) InboxItem { return InboxItem{ID: id, Course: "COMP-2026", Kind: kind} }
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, approval("1", NoticeApproval)) }, time.Minute)
	env.RegisterDelayedCallback(func() {
		require.Len(t, w.notices, 1, "the first is told at once")
		env.SignalWorkflow(InboxSignal, item("2", training.FailureUnreachable))
		env.SignalWorkflow(InboxSignal, approval("3", NoticeApprovalReminder))
		env.SignalWorkflow(InboxSignal, item("4", training.FailureRecordMissing))
	}, 2*time.Minute)
	env.RegisterDelayedCallback(func() {
		require.Len(t, w.notices, 4, "each is a new cause")
		env.SignalWorkflow(InboxSignal, item("5", training.FailureUnreachable))
		env.SignalWorkflow(InboxSignal, approval("6", NoticeApprovalReminder))
		env.SignalWorkflow(InboxSignal, item("7", training.FailureRecordMissing))
	}, 3*time.Minute)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})

	kinds := map[NoticeKind]int{}
	ids := map[string]bool{}
	for _, n := range w.notices {
		kinds[n.Kind]++
		ids[n.ID] = true
		for _, g := range n.Groups {
			require.Equal(t, n.Kind, g.Kind)
		}
	}
	require.Len(t, ids, len(w.notices))
	require.Equal(t, 1, kinds[NoticeApproval])
	require.Equal(t, 2, kinds[NoticeApprovalReminder])
	require.InDelta(t, 4, kinds[NoticeReview], 1, "causes that come due together are one notice")
}

// An item that is signalled twice is told once: an activity that signals may be retried.
func TestInboxTellsAnItemOnce(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	for i := range 3 {
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(InboxSignal, item("same", training.FailureUnreachable))
		}, time.Duration(i)*time.Hour)
	}
	env.RegisterDelayedCallback(env.CancelWorkflow, 24*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Minute})
	require.Len(t, w.notices, 1)
}

// What is gathered when the history grows long is handed to the next run.
func TestInboxContinuesAsNewWithoutLosing(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("1", training.FailureUnreachable)) }, 0)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("2", training.FailureUnreachable)) }, time.Minute)
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 2*time.Minute)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})

	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var in Inbox
	require.NoError(t, dataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, 1, in.Sent)
	require.Equal(t, []string{markOf("1"), markOf("2")}, in.Seen)
	require.Equal(t, 1, in.Causes[0].Count)
	require.False(t, in.Causes[0].Next.IsZero())
}

// The mail server is away and items keep coming: the inbox goes on in a next run, which
// sends the same notice.
func TestInboxContinuesAsNewWhileItSends(t *testing.T) {
	w := &world{mailDown: func(int) bool { return true }}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("1", training.FailureUnreachable)) }, 0)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("2", training.FailureUnreachable)) }, time.Minute)
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 2*time.Minute) // the test environment gives up after ten attempts, the server does not
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})

	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var in Inbox
	require.NoError(t, dataConverter().FromPayloads(next.Input, &in))
	require.NotEmpty(t, in.First)
	require.Equal(t, 1, in.Causes[0].Count, "the second is gathered")

	// The next run sends the first notice as it was: a channel that has taken it knows it by its id.
	require.Equal(t, 1, in.Sending[0].Groups[0].Count)
	require.False(t, in.Sending[0].Gather)
	again := &world{}
	env = environment(t, again)
	env.RegisterDelayedCallback(env.CancelWorkflow, 24*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, in)
	require.Len(t, again.notices, 2)
	require.Equal(t, in.Sending[0], again.notices[0])
	require.Equal(t, "2", again.notices[1].Groups[0].Examples[0].ID)
}

func TestNoticeIsTriedUntilItIsSent(t *testing.T) {
	w := &world{mailDown: func(attempt int) bool { return attempt <= 5 }}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("1", training.FailureUnreachable)) }, 0)
	env.RegisterDelayedCallback(env.CancelWorkflow, 24*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})
	require.Len(t, w.notices, 1)
	require.Equal(t, heartbeatTimeout, w.noticeAlive, "a notice that no worker got is noticed long before it could take too long")
}
