package qms_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// fake is a QMS in memory with a function for every call that a test wants to answer itself.
type fake struct {
	qms.Client // calls no test expects are a nil dereference
	record     training.Record
	changes    int
	requestIDs []string

	onRecord   func(n int) (training.Record, error)
	onComplete func(w training.Write) error
	onDecide   func(d training.Decision) error
	onConfig   func() (bool, error)
	onCreate   func(n training.NewRecord) (string, error)
	onRecords  func() ([]training.Record, error)
	reads      int
}

func (f *fake) Record(context.Context, string) (training.Record, error) {
	f.reads++
	if f.onRecord != nil {
		return f.onRecord(f.reads)
	}
	return f.record, nil
}

func (f *fake) Complete(_ context.Context, w training.Write, requestID string) error {
	f.requestIDs = append(f.requestIDs, requestID)
	if f.onComplete != nil {
		return f.onComplete(w)
	}
	return f.commit(w)
}

// commit is the rule that everything rests on: only an open record takes a completion.
func (f *fake) commit(w training.Write) error {
	switch f.record.Status {
	case training.RecordCompleted:
		return training.Fail(training.FailureCompletedElse, "complete record", w.RecordID, "409")
	case training.RecordPendingApproval:
		return training.Fail(training.FailureApprovalNeeded, "complete record", w.RecordID, "409")
	}
	f.changes++
	f.record.Status, f.record.CompletedAt, f.record.Score = w.Status, w.CompletedAt, w.Score
	return nil
}

func (f *fake) Decide(_ context.Context, _ string, d training.Decision, _ string) error {
	return f.onDecide(d)
}

func (f *fake) Create(_ context.Context, n training.NewRecord, requestID string) (string, error) {
	f.requestIDs = append(f.requestIDs, requestID)
	return f.onCreate(n)
}

func (f *fake) Records(context.Context, string, string) ([]training.Record, error) {
	return f.onRecords()
}

func (f *fake) ExternalUpdatesAllowed(context.Context) (bool, error) {
	if f.onConfig != nil {
		return f.onConfig()
	}
	return true, nil
}

func newFake() *fake {
	return &fake{record: training.Record{
		ID: "TR-1", EmployeeID: "EMP1", TrainingID: "TP-1", Status: training.RecordInProgress, TracksScore: true,
	}}
}

func janes() training.Write {
	return training.Write{
		RecordID: "TR-1", EmployeeID: "EMP1", Status: training.RecordCompleted,
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Score: "95",
	}
}

func submitted() training.Write {
	w := janes()
	w.Status = training.RecordPendingApproval
	return w
}

// at once: reads as often as production does, without waiting.
func atOnce() qms.ApplyOptions {
	return qms.ApplyOptions{Sleep: func(context.Context, time.Duration) error { return nil }}
}

func failure(class training.FailureClass) *training.Failure {
	return training.Fail(class, "op", "TR-1", "detail")
}

func requireClass(t *testing.T, err error, want training.FailureClass) *training.Failure {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, want, f.Class, err)
	return f
}
