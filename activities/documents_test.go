package activities

import (
	"bytes"
	"testing"
	"time"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/notify"
	"countersign/internal/simulator/fault"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

// verified brings a completion to the point where its documents may be issued.
func verified(t *testing.T, w *world, c training.Completion) workflows.Document {
	t.Helper()
	w.assigned()
	ref := w.journaled(c)
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	_, failure = w.complete(ref, plan)
	require.Empty(t, failure)
	return workflows.Document{Ref: ref, RecordID: plan.RecordID}
}

func TestCertificateIsIssuedOnce_R158(t *testing.T) {
	w := newWorld(t)
	document := verified(t, w, completion())
	issued, failure := run[workflows.Issued](w, "IssueCertificate", document)
	require.Empty(t, failure)
	require.Equal(t, certificate.Number(document.Fingerprint), issued.ID)
	first, err := w.journal.Effect(t.Context(), "acme", document.Fingerprint, training.EffectCertificate)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(first.Bytes, []byte("%PDF-")))

	again, failure := run[workflows.Issued](w, "IssueCertificate", document)
	require.Empty(t, failure)
	require.Equal(t, issued, again)
	second, err := w.journal.Effect(t.Context(), "acme", document.Fingerprint, training.EffectCertificate)
	require.NoError(t, err)
	require.Equal(t, first.SHA256, second.SHA256)
}

func TestNameThatCannotBeDrawnGoesToReview(t *testing.T) {
	w := newWorld(t)
	c := completion()
	c.Learner.FirstName = "\U00013000" // a hieroglyph: no embedded font has it
	_, failure := run[workflows.Issued](w, "IssueCertificate", verified(t, w, c))
	require.Equal(t, training.FailureCertificate, failure.Class)
}

// The answer is lost, the statement is stored: the same bytes are sent again, and there is one.
func TestStatementIsStoredOnceThoughTheAnswerIsLost_R148(t *testing.T) {
	w := newWorld(t)
	document := verified(t, w, completion())
	w.lrs.Fault(lrssim.EndpointPut, fault.DropAfter(1))
	_, failure := run[workflows.Issued](w, "PostStatement", document)
	require.Equal(t, training.FailureUnreachable, failure.Class)

	issued, failure := run[workflows.Issued](w, "PostStatement", document)
	require.Empty(t, failure)
	require.Len(t, w.lrs.Statements(), 1)
	stored, err := w.journal.Effect(t.Context(), "acme", document.Fingerprint, training.EffectStatement)
	require.NoError(t, err)
	require.Equal(t, issued.ID, stored.ID)
	require.False(t, stored.DeliveredAt.IsZero())

	sends := w.lrs.Sends(issued.ID)
	_, failure = run[workflows.Issued](w, "PostStatement", document)
	require.Empty(t, failure)
	require.Equal(t, sends, w.lrs.Sends(issued.ID), "a delivered statement is not sent again")
}

func TestDocumentsWaitForTheVerifiedRecord(t *testing.T) {
	w := newWorld(t)
	document := workflows.Document{Ref: w.journaled(completion()), RecordID: w.assigned()}
	for _, name := range []string{"IssueCertificate", "PostStatement"} {
		_, failure := run[workflows.Issued](w, name, document)
		require.Equal(t, training.FailureDefect, failure.Class, name)
	}
	require.Empty(t, w.lrs.Statements())
}

func TestOutcomeWaitAndDecisionAreKept(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	failure := training.Fail(training.FailureRecordLocked, "complete record", "TR-1", "is ASSIGNED")
	wait := workflows.RecordWait{Ref: ref, State: training.StateInReview, RecordID: "TR-1", Failure: failure}
	recorded, none := run[workflows.RecordedWait](w, "RecordWait", wait)
	require.Empty(t, none)
	require.Zero(t, recorded.Decisions)
	stored := w.stored(ref)
	require.Equal(t, training.StateInReview, stored.State)
	require.Equal(t, training.FailureRecordLocked, stored.FailureClass)

	decision := training.Decision{Action: training.ActionClose, By: "m.keller", Reason: "left the company"}
	for range 2 { // an activity may run twice
		_, none = run[struct{}](w, "RecordDecision", workflows.RecordDecision{Ref: ref, Decision: decision, Round: 1, Via: "signal"})
		require.Empty(t, none)
	}
	kept, err := w.journal.Decisions(t.Context(), "acme", ref.Fingerprint)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, decision, kept[0].Decision)
	require.Equal(t, training.StateRunning, w.stored(ref).State, "decided: it waits no more")
	recorded, none = run[workflows.RecordedWait](w, "RecordWait", wait)
	require.Empty(t, none)
	require.Equal(t, 1, recorded.Decisions)

	_, none = run[struct{}](w, "RecordOutcome", workflows.RecordOutcome{Ref: ref, Outcome: training.OutcomeClosed})
	require.Empty(t, none)
	require.Equal(t, training.StateClosed, w.stored(ref).State)
}

func TestNoticeNamesCourseAndRecordAndNobody_R133(t *testing.T) {
	w := newWorld(t)
	group := workflows.InboxGroup{Class: training.FailureUnreachable, Count: 12, Examples: []workflows.InboxItem{
		{ID: "1", Course: "COMP-2026", RecordID: "TR-1", Class: training.FailureUnreachable, Detail: "503"},
	}}
	_, none := run[struct{}](w, "SendNotice", workflows.SendNotice{Tenant: "acme", ID: "acme/1", Groups: []workflows.InboxGroup{group}})
	require.Empty(t, none)
	require.Len(t, w.sent, 1)
	notice := w.sent[0]
	require.Equal(t, "acme/1", notice.ID)
	require.Equal(t, "COMP-2026", notice.Failures[0].CourseLabel)
	require.Equal(t, 11, notice.Failures[1].Count)

	_, none = run[struct{}](w, "TellAdmins", workflows.TellAdmins{Tenant: "acme", Item: group.Examples[0]})
	require.Empty(t, none)
	require.Len(t, w.inbox.told, 1)
}

var _ Journal = (*journal.Journal)(nil)

// In quiet hours nothing goes out; the notice comes when they end.
func TestNoticeWaitsForTheEndOfQuietHours_R133(t *testing.T) {
	w := newWorld(t)
	now := time.Now().UTC()
	w.tenant.Quiet = notify.Quiet{{From: now.Add(-time.Hour).Format("15:04"), To: now.Add(2 * time.Hour).Format("15:04"), Zone: "UTC"}}
	in := workflows.SendNotice{Tenant: "acme", ID: "acme/run/1", Groups: []workflows.InboxGroup{{
		Class: training.FailureUnreachable, Count: 1, Examples: []workflows.InboxItem{{ID: "1", Course: "C", Class: training.FailureUnreachable}},
	}}}
	_, err := w.env.ExecuteActivity("SendNotice", in)
	var later *temporal.ApplicationError
	require.ErrorAs(t, err, &later)
	require.False(t, later.NonRetryable())
	require.InDelta(t, 2*time.Hour, later.NextRetryDelay(), float64(2*time.Minute))
	require.Empty(t, w.sent)

	w.tenant.Quiet = nil
	_, err = w.env.ExecuteActivity("SendNotice", in)
	require.NoError(t, err)
	require.Len(t, w.sent, 1)
}

// A journal that was restored from an older copy knows some completions no more; their notice goes out all the same.
func TestNoticeOfAForgottenCompletionGoesOut(t *testing.T) {
	w := newWorld(t)
	_, failure := run[struct{}](w, "SendNotice", workflows.SendNotice{Tenant: "acme", ID: "acme/run/1", Groups: []workflows.InboxGroup{{
		Class: training.FailureUnreachable, Count: 1,
		Examples: []workflows.InboxItem{{ID: "1", Fingerprint: completion().Fingerprint(), Course: "C", Class: training.FailureUnreachable}},
	}}})
	require.Empty(t, failure)
	require.Len(t, w.sent, 1)
	require.Empty(t, w.sent[0].Failures[0].Learner)
}
