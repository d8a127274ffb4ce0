package qmstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// situation is a record, what is written to it and what must come of it.
type situation struct {
	name      string
	record    func(*training.Record)
	write     training.Write
	updates   bool // "Allow external status updates"
	want      training.FailureClass
	changes   int
	completes int // writes that reach the QMS
}

func runApply(t *testing.T, start func(*testing.T) Completing) {
	noScore, othersDate := write(), write()
	noScore.Score = ""
	othersDate.CompletedAt = finished.Add(time.Hour)
	john := func(r *training.Record) { r.EmployeeID = john }
	in := func(status training.RecordStatus) func(*training.Record) {
		return func(r *training.Record) { r.Status = status }
	}
	already := func(status training.RecordStatus, at time.Time) func(*training.Record) {
		return func(r *training.Record) { r.Status, r.CompletedAt, r.Score = status, at, "91.5" }
	}
	untracked := func(r *training.Record) { r.TracksScore = false }
	approval := func(r *training.Record) { r.ApprovalRequired = true }
	locked := func(r *training.Record) { r.Locked = true }
	gone := func(r *training.Record) { r.ID = "TR-OTHER" }

	for _, s := range []situation{
		{"in progress", in(training.RecordInProgress), write(), true, "", 1, 1},
		{"assigned", in(training.RecordAssigned), write(), true, "", 1, 1},
		{"no score, none tracked", untracked, noScore, true, "", 1, 1},
		{"a score, none tracked", untracked, write(), true, "", 1, 1},
		{"submitted for approval", approval, submission(), true, "", 1, 1},

		{"completed by us", already(training.RecordCompleted, finished), write(), true, "", 0, 0},
		{"submitted by us", already(training.RecordPendingApproval, finished), submission(), true, "", 0, 0},
		{"submitted by us and approved", already(training.RecordCompleted, finished), submission(), true, "", 0, 0},

		{"completed by somebody else", already(training.RecordCompleted, finished), othersDate, true, training.FailureCompletedElse, 0, 0},
		{"pending", already(training.RecordPendingApproval, finished), write(), true, training.FailureApprovalNeeded, 0, 0},
		{"another submission", already(training.RecordPendingApproval, finished.Add(time.Hour)), submission(), true, training.FailureOtherContent, 0, 0},
		{"expired", in(training.RecordExpired), write(), true, training.FailureRecordExpired, 0, 0},
		{"cancelled", in(training.RecordCancelled), write(), true, training.FailureRecordCancelled, 0, 0},
		{"somebody else's", john, write(), true, training.FailureEmployeeMismatch, 0, 0},
		{"no such record", gone, write(), true, training.FailureRecordMissing, 0, 0},

		{"score missing", in(training.RecordAssigned), noScore, true, training.FailureIncomplete, 0, 0},
		{"approval wanted", approval, write(), true, training.FailureApprovalNeeded, 0, 1},
		{"locked", locked, write(), true, training.FailureRecordLocked, 0, 1},
		{"external updates off", in(training.RecordAssigned), write(), false, training.FailureUpdatesOff, 0, 1},
	} {
		t.Run(s.name, func(t *testing.T) {
			b := start(t)
			r := open()
			s.record(&r)
			b.AddRecord(r)
			b.AllowExternalUpdates(s.updates)
			got, err := qms.Apply(t.Context(), b.Client(), s.write, patient())
			if s.want == "" {
				require.NoError(t, err)
				require.Equal(t, b.Stored(recordID), got)
				require.True(t, s.write.ShownBy(got))
			} else {
				f := requireClass(t, err, s.want)
				require.False(t, f.Class.Transient(), "a person must look at this")
			}
			require.Equal(t, s.changes, b.Changes(recordID))
			require.Equal(t, s.completes, b.Calls(CallComplete))
		})
	}

	t.Run("a 200 that did nothing", func(t *testing.T) {
		b := start(t)
		b.AddRecord(open())
		b.Spoil(CallComplete, Silent, 1)
		_, err := qms.Apply(t.Context(), b.Client(), write(), patient())
		requireClass(t, err, training.FailureUnchanged)
		require.Equal(t, 1+3, b.Calls(CallRecord), "one read before, three after")
	})
}

func runTrouble(t *testing.T, start func(*testing.T) Completing) {
	// Every trouble on every step, as often as a retry schedule would meet it: whatever the
	// attempts say, the record changes once and the last attempt, on a healthy QMS, succeeds.
	for _, w := range []training.Write{write(), submission()} {
		for _, call := range []Call{CallRecord, CallComplete} {
			for _, trouble := range []Trouble{Unsent, Lost, LostLate, Broken, BrokenAfter, Limited, Garbled, CutOff, Refused} {
				t.Run(string(w.Status)+" "+string(call)+" "+string(trouble), func(t *testing.T) {
					b := start(t)
					r := open()
					r.ApprovalRequired = w.Status == training.RecordPendingApproval
					b.AddRecord(r)
					b.Spoil(call, trouble, 2)
					if _, err := qms.Apply(t.Context(), b.Client(), w, patient()); err != nil {
						var f *training.Failure
						require.ErrorAs(t, err, &f)
						require.True(t, f.Class.Transient(), "attempt ended with %v", err)
					}
					b.CommitLate()
					b.Heal()
					got, err := qms.Apply(t.Context(), b.Client(), w, patient())
					require.NoError(t, err)
					require.Equal(t, w.Status, got.Status)
					require.Equal(t, 1, b.Changes(recordID))
					b.CommitLate()
					require.Equal(t, 1, b.Changes(recordID))
				})
			}
		}
	}

	for _, trouble := range []Trouble{Lost, BrokenAfter, Garbled, CutOff} {
		t.Run("one attempt is enough when it was done: "+string(trouble), func(t *testing.T) {
			b := start(t)
			b.AddRecord(open())
			b.Spoil(CallComplete, trouble, 1)
			_, err := qms.Apply(t.Context(), b.Client(), write(), patient())
			require.NoError(t, err)
			require.Equal(t, 1, b.Changes(recordID))
			require.Equal(t, 1, b.Calls(CallComplete))
		})
	}

	t.Run("first attempt is carried out after the second", func(t *testing.T) {
		b := start(t)
		b.AddRecord(open())
		b.Spoil(CallComplete, LostLate, 1)
		_, err := qms.Apply(t.Context(), b.Client(), write(), patient())
		requireClass(t, err, training.FailureUnreachable)
		_, err = qms.Apply(t.Context(), b.Client(), write(), patient())
		require.NoError(t, err)
		b.CommitLate()
		require.Equal(t, 1, b.Changes(recordID))
		require.True(t, write().ShownBy(b.Stored(recordID)))
	})

	t.Run("ten at once", func(t *testing.T) {
		b := start(t)
		b.AddRecord(open())
		ctx, errs := t.Context(), make(chan error, 10)
		for range cap(errs) {
			go func() {
				_, err := qms.Apply(ctx, b.Client(), write(), patient())
				errs <- err
			}()
		}
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
		require.Equal(t, 1, b.Changes(recordID))
	})
}
