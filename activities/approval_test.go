package activities

import (
	"context"
	"testing"

	"countersign/internal/journal"
	"countersign/internal/notify"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// submitted is a completion whose record waits for an approval in the QMS.
func (w *world) submitted() (workflows.Ref, workflows.ReadRecord) {
	w.t.Helper()
	w.assigned(func(r *arenasim.Record) { r.ApprovalRequired = true })
	ref := w.journaled(completion())
	plan, failure := w.check(ref)
	require.Empty(w.t, failure)
	_, failure = w.complete(ref, plan)
	require.Empty(w.t, failure)
	_, none := run[workflows.RecordedWait](w, "RecordWait", workflows.RecordWait{Ref: ref, State: training.StateWaitingApproval, RecordID: plan.RecordID})
	require.Empty(w.t, none)
	return ref, workflows.ReadRecord{Ref: ref, RecordID: plan.RecordID}
}

// The QMS decides by itself: an approval is read back and proved, a rejection is seen, and reading
// changes nothing (R120, R122).
func TestReadRecordSeesWhatTheQMSDecided_R120_R122(t *testing.T) {
	for decision, want := range map[string]training.RecordStatus{
		"":        training.RecordPendingApproval,
		"APPROVE": training.RecordCompleted,
		"REJECT":  training.RecordInProgress,
	} {
		t.Run(decision, func(t *testing.T) {
			w := newWorld(t)
			ref, in := w.submitted()
			if decision != "" {
				require.NoError(t, w.qms.Decide(in.RecordID, decision, "head of quality", "seen"))
			}
			changes := len(w.qms.Changes(in.RecordID))
			for range 2 {
				standing, failure := run[workflows.Standing](w, "ReadRecord", in)
				require.Empty(t, failure)
				require.Equal(t, want, standing.Status)
			}
			require.Len(t, w.qms.Changes(in.RecordID), changes)
			_, err := w.journal.Effect(t.Context(), "acme", ref.Fingerprint, training.EffectRecord)
			if want == training.RecordCompleted {
				require.NoError(t, err, "the proof is kept (law 3)")
				_, failure := run[workflows.Issued](w, "IssueCertificate", workflows.Document{Ref: ref, RecordID: in.RecordID})
				require.Empty(t, failure)
			} else {
				require.ErrorIs(t, err, journal.ErrNotFound)
			}
			require.Equal(t, training.StateWaitingApproval, w.stored(ref).State, "to look is not to move")
		})
	}
}

// A QMS that does not answer leaves the journal saying that the completion waits.
func TestReadRecordThatFailsLeavesTheState_R122(t *testing.T) {
	w := newWorld(t)
	ref, in := w.submitted()
	w.qms.Fault(arenasim.EndpointRecord, fault.Status(503, 1))
	_, failure := run[workflows.Standing](w, "ReadRecord", in)
	require.Equal(t, training.FailureUnreachable, failure.Class)
	require.Equal(t, training.StateWaitingApproval, w.stored(ref).State)
	require.Empty(t, w.stored(ref).FailureClass)
}

func TestStanding_R108_R122(t *testing.T) {
	meant := training.Write{RecordID: "TR-1", EmployeeID: "E-1", Status: training.RecordPendingApproval, CompletedAt: completion().CompletedAt, Score: "91.5"}
	shown := training.Record{ID: "TR-1", EmployeeID: "E-1", CompletedAt: meant.CompletedAt, Score: "91.5", TracksScore: true}
	with := func(status training.RecordStatus, change ...func(*training.Record)) training.Record {
		r := shown
		r.Status = status
		for _, c := range change {
			c(&r)
		}
		return r
	}
	hidden := func(r *training.Record) {
		*r = training.Record{ID: r.ID, EmployeeID: r.EmployeeID, Status: r.Status, TracksScore: true}
	}
	other := func(r *training.Record) { r.CompletedAt = r.CompletedAt.AddDate(0, 0, 1) }
	for name, test := range map[string]struct {
		record training.Record
		class  training.FailureClass
	}{
		"pending":                           {with(training.RecordPendingApproval), ""},
		"pending, content not shown yet":    {with(training.RecordPendingApproval, hidden), ""},
		"pending, of another completion":    {with(training.RecordPendingApproval, other), training.FailureOtherContent},
		"completed":                         {with(training.RecordCompleted), ""},
		"completed, of another completion":  {with(training.RecordCompleted, other), training.FailureCompletedElse},
		"completed, showing nothing":        {with(training.RecordCompleted, hidden), training.FailureCompletedElse},
		"rejected":                          {with(training.RecordInProgress), ""},
		"given back":                        {with(training.RecordAssigned), ""},
		"expired":                           {with(training.RecordExpired), training.FailureRecordExpired},
		"cancelled":                         {with(training.RecordCancelled), training.FailureRecordCancelled},
		"a status that nobody knows":        {with("ARCHIVED"), training.FailureDefect},
		"another employee":                  {with(training.RecordCompleted, func(r *training.Record) { r.EmployeeID = "E-2" }), training.FailureEmployeeMismatch},
		"rejected, and of another employee": {with(training.RecordAssigned, func(r *training.Record) { r.EmployeeID = "E-2" }), training.FailureEmployeeMismatch},
	} {
		err := standing(test.record, meant)
		if test.class == "" {
			require.NoError(t, err, name)
			continue
		}
		var failure *training.Failure
		require.ErrorAs(t, err, &failure, name)
		require.Equal(t, test.class, failure.Class, name)
	}
}

// Nobody approves their own training, under whichever of their names (law 5).
func TestLearnerIsNoApprover_R120(t *testing.T) {
	w := newWorld(t)
	c := completion()
	c.Learner.Username, c.Learner.Email = "jlee", "jordan.lee@example.com"
	ref := w.journaled(c)
	check := func(by string) string {
		approver, failure := run[workflows.Approver](w, "CheckApprover", workflows.CheckApprover{Ref: ref, By: by})
		require.Empty(t, failure)
		require.NotContains(t, approver.Refused, by, "no personal data")
		return approver.Refused
	}
	for _, own := range []string{"10291", employee, "hr-4829", "jlee", " JLEE ", "Jordan.Lee@Example.com", "Jordan Lee", "jordan  lee"} {
		require.NotEmpty(t, check(own), own)
	}
	for _, other := range []string{"m.keller", "HR-4830", "jordan", "lee", "jlee2"} {
		require.Empty(t, check(other), other)
	}

	// The employee that a person has named for this completion is the learner too.
	d := training.Decision{Action: training.ActionUseEmployee, EmployeeID: "HR-1", By: "m.keller", Reason: "moved"}
	_, none := run[struct{}](w, "RecordDecision", workflows.RecordDecision{Ref: ref, Decision: d, Round: 1, Via: "signal"})
	require.Empty(t, none)
	require.NotEmpty(t, check("hr-1"))
}

// decided keeps a decision, as the workflow does before it carries on.
func (w *world) decided(ref workflows.Ref, round int, d training.Decision) {
	w.t.Helper()
	d.By, d.Reason = "m.keller", "seen"
	_, none := run[struct{}](w, "RecordDecision", workflows.RecordDecision{Ref: ref, Decision: d, Round: round, Via: "signal"})
	require.Empty(w.t, none)
}

func TestChosenRecordIsUsedForThisCompletionOnly_R139(t *testing.T) {
	w := newWorld(t)
	w.assigned()
	second := w.assigned()
	c := completion()
	c.EnrollmentID = "88121"
	ref := w.journaled(c)
	_, failure := w.check(ref)
	require.Equal(t, training.FailureRecordAmbiguous, failure.Class)

	w.decided(ref, 1, training.Decision{Action: training.ActionUseRecord, RecordID: second})
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, second, plan.RecordID)
	_, failure = w.complete(ref, plan)
	require.Empty(t, failure)
	_, err := w.journal.FindLink(t.Context(), "acme", "lms", "88121", c.Learner.Key(), c.Course.Key())
	require.ErrorIs(t, err, journal.ErrNotFound, "no other completion is led there by it")
	plan, failure = w.check(ref)
	require.Empty(t, failure, "again, as after a crash")
	require.Equal(t, second, plan.RecordID)
}

// A record that the person has named wrongly is refused, and not a byte of it is written.
func TestWronglyChosenRecordIsRefused_R139(t *testing.T) {
	for name, test := range map[string]struct {
		record func(*arenasim.Record)
		class  training.FailureClass
	}{
		"another employee": {func(r *arenasim.Record) { r.EmployeeID = "HR-1" }, training.FailureEmployeeMismatch},
		"another training": {func(r *arenasim.Record) { r.TrainingID = "TP-OTHER" }, training.FailureTrainingMismatch},
		"expired":          {func(r *arenasim.Record) { r.Status = training.RecordExpired }, training.FailureRecordExpired},
		"cancelled":        {func(r *arenasim.Record) { r.Status = training.RecordCancelled }, training.FailureRecordCancelled},
		"unknown":          {nil, training.FailureRecordMissing},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.qms.AddUser(arenasim.User{EmployeeID: "HR-1", Active: true})
			w.qms.AddTraining(arenasim.Training{ID: "TP-OTHER", Name: "Another"})
			chosen := "TR-404"
			if test.record != nil {
				chosen = w.assigned(test.record)
			}
			ref := w.journaled(completion())
			w.decided(ref, 1, training.Decision{Action: training.ActionUseRecord, RecordID: chosen})
			_, failure := run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{
				Ref: ref, HoldFailed: true, MissingRecord: training.MissingCreate,
			})
			require.Equal(t, test.class, failure.Class)
			require.Empty(t, w.qms.Changes(chosen))
			require.Empty(t, w.stored(ref).RecordID, "not pinned")

			right := w.assigned()
			w.decided(ref, 2, training.Decision{Action: training.ActionUseRecord, RecordID: right})
			plan, failure := w.check(ref)
			require.Empty(t, failure, "the latest choice counts")
			require.Equal(t, right, plan.RecordID)
		})
	}
}

func TestChosenEmployeeAndSubmission_R139(t *testing.T) {
	w := newWorld(t)
	w.qms.AddUser(arenasim.User{EmployeeID: "HR-1", Active: true})
	theirs := w.assigned(func(r *arenasim.Record) { r.EmployeeID, r.ApprovalRequired = "HR-1", true })
	c := completion()
	c.Learner.ExternalID = "HR-404"
	ref := w.journaled(c)
	_, failure := run[struct{}](w, "ResolveLearner", ref)
	require.Equal(t, training.FailureEmployeeUnknown, failure.Class)

	w.decided(ref, 1, training.Decision{Action: training.ActionUseEmployee, EmployeeID: "HR-1"})
	_, failure = run[struct{}](w, "ResolveLearner", ref)
	require.Empty(t, failure)
	w.decided(ref, 2, training.Decision{Action: training.ActionSubmit})
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, workflows.RecordPlan{RecordID: theirs, Status: training.RecordAssigned, Target: training.RecordPendingApproval}, plan)
	_, failure = w.complete(ref, plan)
	require.Empty(t, failure)
	standing, failure := run[workflows.Standing](w, "ReadRecord", workflows.ReadRecord{Ref: ref, RecordID: theirs})
	require.Empty(t, failure)
	require.Equal(t, training.RecordPendingApproval, standing.Status)
}

// The first of four eyes is kept, and the completion still waits.
func TestFirstOfFourEyesStillWaits_R120(t *testing.T) {
	w := newWorld(t)
	ref, _ := w.submitted()
	first := workflows.RecordDecision{Ref: ref, Round: 1, Via: "signal", StillWaiting: true,
		Decision: training.Decision{Action: training.ActionApprove, By: "m.keller", Reason: "seen", Meaning: "approval"}}
	_, none := run[struct{}](w, "RecordDecision", first)
	require.Empty(t, none)
	require.Equal(t, training.StateWaitingApproval, w.stored(ref).State)
	kept, err := w.journal.Decisions(t.Context(), "acme", ref.Fingerprint)
	require.NoError(t, err)
	require.Equal(t, first.Decision, kept[0].Decision)
}

// A completion whose certificate a person has skipped is completed without one; the proof of the
// record cannot be skipped (law 3).
func TestSkippedCertificateIsNoMissingProof_R139(t *testing.T) {
	w := newWorld(t)
	w.assigned()
	ref := w.journaled(completion())
	ended := workflows.RecordOutcome{Ref: ref, Outcome: training.OutcomeCompleted, Skipped: []training.EffectKind{training.EffectCertificate}}
	_, none := run[struct{}](w, "RecordOutcome", ended)
	require.Empty(t, none)
	require.Equal(t, training.StateRunning, w.stored(ref).State)

	plan, failure := w.check(ref)
	require.Empty(t, failure)
	_, failure = w.complete(ref, plan)
	require.Empty(t, failure)
	recorded, none := run[workflows.RecordedWait](w, "RecordWait", workflows.RecordWait{Ref: ref, State: training.StateInReview})
	require.Empty(t, none)
	require.True(t, recorded.Verified)
	_, none = run[struct{}](w, "RecordOutcome", ended)
	require.Empty(t, none)
	require.Equal(t, training.StateCompleted, w.stored(ref).State)
}

// What a completion failed with stays in the journal when it expires (R141, R142).
func TestExpiredCompletionKeepsItsFailure_R141_R142(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	_, none := run[struct{}](w, "RecordOutcome", workflows.RecordOutcome{Ref: ref, Outcome: training.OutcomeExpiredInReview,
		Failure: training.Fail(training.FailureRecordLocked, "complete record", "TR-1", "is ASSIGNED")})
	require.Empty(t, none)
	stored := w.stored(ref)
	require.Equal(t, training.StateExpiredInReview, stored.State)
	require.Equal(t, training.FailureRecordLocked, stored.FailureClass)
	require.Equal(t, "is ASSIGNED", stored.FailureDetail)
}

// Each kind of notice says what is asked, and an escalation goes to those who are named for it.
func TestNoticesOfApprovals_R120_R133(t *testing.T) {
	w := newWorld(t)
	var escalated sink
	send := func(kind workflows.NoticeKind, class training.FailureClass) {
		item := workflows.InboxItem{ID: string(kind), Kind: kind, Course: "COMP-2026", RecordID: "TR-1", Class: class}
		group := workflows.InboxGroup{Kind: kind, Class: class, Count: 2, Examples: []workflows.InboxItem{item}}
		_, none := run[struct{}](w, "SendNotice", workflows.SendNotice{Tenant: "acme", ID: "acme/" + string(kind), Kind: kind, Groups: []workflows.InboxGroup{group}})
		require.Empty(t, none)
	}
	send(workflows.NoticeApproval, "")
	send(workflows.NoticeApprovalReminder, "")
	send(workflows.NoticeReviewReminder, training.FailureRecordLocked)
	send(workflows.NoticeApprovalEscalation, "")
	require.Len(t, w.sent, 4, "without anybody named, the training admins hear of the escalation")
	require.Equal(t, "approval", string(w.sent[0].Kind))
	require.Equal(t, "approval_reminder", string(w.sent[1].Kind))
	require.Contains(t, w.sent[1].Failures[0].Explanation.Happened, "still waits")
	require.Equal(t, w.sent[1].Failures[0].Explanation, w.sent[1].Failures[1].Explanation, "those that are not shown too")
	require.Contains(t, w.sent[2].Failures[0].Explanation.Means, "ends as expired in review on")
	require.Equal(t, "approval_escalation", string(w.sent[3].Kind))

	w.tenant.Escalations = &escalated
	send(workflows.NoticeApprovalEscalation, "")
	send(workflows.NoticeApproval, "")
	require.Len(t, escalated.sent, 1)
	require.Len(t, w.sent, 5)
}

// sink is a channel that keeps what it takes.
type sink struct{ sent []notify.Notice }

func (s *sink) Send(_ context.Context, n notify.Notice) error {
	s.sent = append(s.sent, n)
	return nil
}
