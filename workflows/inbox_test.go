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

// One failure is one notice at once; 5,000 more are one digest (R133).
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
	env.RegisterDelayedCallback(func() { require.Len(t, w.notices, 1, "still gathering") }, 20*time.Minute)
	env.RegisterDelayedCallback(func() { env.CancelWorkflow() }, time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})

	require.Len(t, w.notices, 2)
	require.Regexp(t, `^acme/.+/1$`, w.notices[0].ID)
	require.Equal(t, []InboxGroup{{Class: training.FailureUnreachable, Count: 1,
		Examples: []InboxItem{item("first", training.FailureUnreachable)}}}, w.notices[0].Groups)
	digest := w.notices[1].Groups
	require.Equal(t, 5000, digest[0].Count)
	require.Len(t, digest[0].Examples, maxExamples, "a digest stays small")
	require.Equal(t, 1, digest[1].Count)
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
		env.SignalWorkflow(InboxSignal, approval("5", NoticeApprovalReminder))
	}, 2*time.Minute)
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: 20 * time.Minute})

	require.Len(t, w.notices, 3)
	require.Equal(t, NoticeApproval, w.notices[0].Kind)
	require.Equal(t, NoticeReview, w.notices[1].Kind)
	require.Len(t, w.notices[1].Groups, 2)
	require.Equal(t, NoticeApprovalReminder, w.notices[2].Kind)
	require.Equal(t, 2, w.notices[2].Groups[0].Count)
	require.Equal(t, 20*time.Minute, w.gaps(sendNotice)[0])
	require.Equal(t, time.Duration(0), w.gaps(sendNotice)[1], "one digest, in two notices")
	require.NotEqual(t, w.notices[1].ID, w.notices[2].ID)
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
	env.RegisterDelayedCallback(func() {
		env.SetContinueAsNewSuggested(true)
		env.SignalWorkflow(InboxSignal, item("2", training.FailureUnreachable))
	}, time.Minute)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})

	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var in Inbox
	require.NoError(t, dataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, 1, in.Sent)
	require.Equal(t, []string{"1", "2"}, in.Seen)
	require.Equal(t, 1, in.Groups[0].Count)
	require.False(t, in.QuietUntil.IsZero())
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
	require.Zero(t, in.Sent)
	require.Equal(t, 2, in.Groups[0].Count)
	require.NotEmpty(t, in.First)
}

func TestInboxStateIsBounded(t *testing.T) {
	var in Inbox
	for i := range 50_000 {
		in.add(item(fmt.Sprint(i), training.FailureUnreachable))
	}
	require.Len(t, in.Seen, maxSeen)
	require.Equal(t, 50_000, in.Groups[0].Count)
	require.Len(t, in.Groups[0].Examples, maxExamples)
}

func TestNoticeIsTriedUntilItIsSent(t *testing.T) {
	w := &world{mailDown: func(attempt int) bool { return attempt <= 5 }}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(InboxSignal, item("1", training.FailureUnreachable)) }, 0)
	env.RegisterDelayedCallback(env.CancelWorkflow, 24*time.Hour)
	env.ExecuteWorkflow(AdminInboxWorkflow, Inbox{Tenant: "acme", DigestEvery: time.Hour})
	require.Len(t, w.notices, 1)
}
