package qms_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func TestDecideLooksBeforeItWrites(t *testing.T) {
	const approve, reject = training.ActionApprove, training.ActionReject
	pending := func(change func(*training.Record)) training.Record {
		r := newFake().record
		r.Status, r.CompletedAt, r.Score = training.RecordPendingApproval, submitted().CompletedAt, "95"
		change(&r)
		return r
	}
	in := func(status training.RecordStatus) training.Record {
		return pending(func(r *training.Record) { r.Status = status })
	}
	for name, tc := range map[string]struct {
		record training.Record
		action training.Action
		want   training.FailureClass
	}{
		"approved already":               {in(training.RecordCompleted), approve, ""},
		"rejected already":               {in(training.RecordInProgress), reject, ""},
		"approved, now rejected":         {in(training.RecordCompleted), reject, training.FailureOtherContent},
		"rejected, now approved":         {in(training.RecordInProgress), approve, training.FailureOtherContent},
		"completed by somebody else":     {pending(func(r *training.Record) { r.Status = training.RecordCompleted; r.Score = "50" }), approve, training.FailureCompletedElse},
		"expired":                        {in(training.RecordExpired), approve, training.FailureRecordExpired},
		"cancelled":                      {in(training.RecordCancelled), reject, training.FailureRecordCancelled},
		"somebody else's":                {pending(func(r *training.Record) { r.EmployeeID = "EMP2" }), approve, training.FailureEmployeeMismatch},
		"somebody else's, open":          {pending(func(r *training.Record) { r.EmployeeID = "EMP2"; r.Status = training.RecordAssigned }), reject, training.FailureEmployeeMismatch},
		"another completion waits there": {pending(func(r *training.Record) { r.CompletedAt = r.CompletedAt.Add(time.Hour) }), approve, training.FailureOtherContent},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.record = tc.record
			f.onDecide = func(training.Decision) error { t.Error("sent"); return nil }
			d := training.Decision{Action: tc.action, By: "m.keller", Reason: "seen"}
			_, err := qms.Decide(t.Context(), f, submitted(), d, atOnce())
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			requireClass(t, err, tc.want)
		})
	}
}

// The approval may show what the submission did not: then it must be our content.
func TestApprovalIsReadBack(t *testing.T) {
	for score, want := range map[string]training.FailureClass{"95": "", "59": training.FailureCompletedElse} {
		f := newFake()
		f.record.Status = training.RecordPendingApproval
		f.onDecide = func(training.Decision) error {
			f.record.Status, f.record.CompletedAt, f.record.Score = training.RecordCompleted, submitted().CompletedAt, score
			return nil
		}
		_, err := qms.Decide(t.Context(), f, submitted(), training.Decision{Action: training.ActionApprove, By: "m.keller", Reason: "seen"}, atOnce())
		if want == "" {
			require.NoError(t, err)
			continue
		}
		requireClass(t, err, want)
	}
}

// A decision that is refused because it was carried out before is no failure.
func TestRefusedDecisionIsSettledByReading(t *testing.T) {
	f := newFake()
	f.record.Status = training.RecordPendingApproval
	f.onDecide = func(training.Decision) error {
		f.record.Status = training.RecordInProgress // a colleague was faster
		return failure(training.FailureRefused)
	}
	_, err := qms.Decide(t.Context(), f, submitted(), training.Decision{Action: training.ActionReject, By: "m.keller", Reason: "no"}, atOnce())
	require.NoError(t, err)
}
