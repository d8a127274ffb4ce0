package qms_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func TestReadBackIsPatientForTenSeconds_R106(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onComplete = func(training.Write) error { return nil } // 200, and nothing happens
		start := time.Now()
		_, err := qms.Apply(t.Context(), f, janes(), qms.ApplyOptions{})
		requireClass(t, err, training.FailureUnchanged)
		require.Equal(t, 1+3, f.reads)
		require.Equal(t, 8*time.Second, time.Since(start))
	})
}

func TestReadBackEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onComplete = func(training.Write) error { return nil }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := qms.Apply(ctx, f, janes(), qms.ApplyOptions{})
		require.ErrorIs(t, err, context.Canceled)
		var failure *training.Failure
		require.NotErrorAs(t, err, &failure)

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = qms.Apply(ctx, f, janes(), qms.ApplyOptions{})
		requireClass(t, err, training.FailureUnverified)
	})
}

func TestReadBack(t *testing.T) {
	shown := newFake().record
	shown.Status, shown.CompletedAt, shown.Score = training.RecordCompleted, janes().CompletedAt, "95.0"
	with := func(change func(*training.Record)) func(int) (training.Record, error) {
		return func(n int) (training.Record, error) {
			r := shown
			if n == 1 {
				return newFake().record, nil
			}
			change(&r)
			return r, nil
		}
	}
	limited := failure(training.FailureRateLimited)
	limited.RetryAfter = time.Minute
	failing := func(until int, err error) func(int) (training.Record, error) {
		return func(n int) (training.Record, error) {
			switch {
			case n == 1:
				return newFake().record, nil
			case n <= until:
				return training.Record{}, err
			}
			return shown, nil
		}
	}
	for name, tc := range map[string]struct {
		read  func(int) (training.Record, error)
		want  training.FailureClass
		reads int
	}{
		"at once":                {with(func(*training.Record) {}), "", 2},
		"a read fails":           {failing(2, failure(training.FailureUnreachable)), "", 3},
		"shown at last":          {failing(3, failure(training.FailureUnreachable)), "", 4},
		"never readable":         {failing(9, limited), training.FailureUnverified, 4},
		"deleted":                {failing(9, failure(training.FailureRecordMissing)), training.FailureRecordMissing, 4},
		"another date":           {with(func(r *training.Record) { r.CompletedAt = r.CompletedAt.Add(time.Hour) }), training.FailureOtherContent, 4},
		"another score":          {with(func(r *training.Record) { r.Score = "59" }), training.FailureOtherContent, 4},
		"another employee":       {with(func(r *training.Record) { r.EmployeeID = "EMP2" }), training.FailureOtherContent, 4},
		"date but not completed": {with(func(r *training.Record) { r.Status = training.RecordInProgress }), training.FailureOtherContent, 4},
		"expired meanwhile":      {with(func(r *training.Record) { r.Status = training.RecordExpired }), training.FailureRecordExpired, 4},
		"turned into pending":    {with(func(r *training.Record) { r.Status = training.RecordPendingApproval }), training.FailureApprovalNeeded, 4},
		"started meanwhile": {with(func(r *training.Record) { *r = newFake().record; r.Status = training.RecordAssigned }),
			training.FailureUnchanged, 4},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.onRecord, f.onComplete = tc.read, func(training.Write) error { return nil }
			_, err := qms.Apply(t.Context(), f, janes(), atOnce())
			require.Equal(t, tc.reads, f.reads)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			got := requireClass(t, err, tc.want)
			if tc.want == training.FailureUnverified {
				require.Equal(t, time.Minute, got.RetryAfter)
				require.ErrorIs(t, err, limited)
			}
		})
	}
}

func TestSilenceWithoutConfiguration(t *testing.T) {
	f := newFake()
	f.onComplete = func(training.Write) error { return nil }
	unreadable := failure(training.FailureUnreachable)
	f.onConfig = func() (bool, error) { return false, unreadable }
	_, err := qms.Apply(t.Context(), f, janes(), atOnce())
	require.ErrorIs(t, requireClass(t, err, training.FailureUnchanged), unreadable)

	f.onConfig = func() (bool, error) { return false, context.Canceled }
	_, err = qms.Apply(t.Context(), f, janes(), atOnce())
	require.ErrorIs(t, err, context.Canceled)
}

// Whether a pending record shows date and score yet is left open by the contract.
func TestPendingRecordMayHideItsContent(t *testing.T) {
	f := newFake()
	f.record.Status = training.RecordPendingApproval
	got, err := qms.Apply(t.Context(), f, submitted(), atOnce())
	require.NoError(t, err)
	require.Equal(t, f.record, got, "as the QMS shows it, nothing filled in")
	require.Empty(t, f.requestIDs)

	f.record.Status = training.RecordCompleted // approved: now it must show them
	_, err = qms.Apply(t.Context(), f, submitted(), atOnce())
	requireClass(t, err, training.FailureCompletedElse)
}

func TestInstantIsWrittenToTheMillisecond(t *testing.T) {
	f, w := newFake(), janes()
	w.CompletedAt = w.CompletedAt.Add(250*time.Millisecond + 999*time.Microsecond)
	got, err := qms.Apply(t.Context(), f, w, atOnce())
	require.NoError(t, err)
	require.Equal(t, janes().CompletedAt.Add(250*time.Millisecond), got.CompletedAt)
}

func TestEveryWriteHasAFreshRequestID_R105(t *testing.T) {
	f, opts := newFake(), atOnce()
	ids := []string{"req-1", "req-2"}
	opts.RequestID = func() string { return ids[len(f.requestIDs)] }
	f.onComplete = func(training.Write) error { return failure(training.FailureUnreachable) }
	for range 2 {
		_, err := qms.Apply(t.Context(), f, janes(), opts)
		requireClass(t, err, training.FailureUnreachable)
	}
	require.Equal(t, ids, f.requestIDs)
}

func TestDoubtIsSettledByOneRead(t *testing.T) {
	for class, reads := range map[training.FailureClass]int{
		training.FailureUnreachable:     2,
		training.FailureMisread:         2,
		training.FailureCompletedElse:   2,
		training.FailureApprovalNeeded:  2,
		training.FailureRateLimited:     1,
		training.FailureCredentials:     1,
		training.FailureEmployeeUnknown: 1,
		training.FailureUpdatesOff:      1,
	} {
		t.Run(string(class), func(t *testing.T) {
			f := newFake()
			f.onComplete = func(training.Write) error { return failure(class) }
			_, err := qms.Apply(t.Context(), f, janes(), atOnce())
			requireClass(t, err, class)
			require.Equal(t, reads, f.reads)

			f = newFake() // the read fails as well: the first failure is the one that says what to do
			f.onComplete = func(training.Write) error {
				f.onRecord = func(int) (training.Record, error) {
					return training.Record{}, failure(training.FailureMisread)
				}
				return failure(class)
			}
			_, err = qms.Apply(t.Context(), f, janes(), atOnce())
			requireClass(t, err, class)
		})
	}
}

// However attempts fail, and whenever the lost ones are carried out, a record changes once.
func TestAnyNumberOfAttemptsIsOneChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, w := newFake(), janes()
		w.Status = rapid.SampledFrom([]training.RecordStatus{training.RecordCompleted, training.RecordPendingApproval}).Draw(t, "status")
		var late []training.Write
		commitLate := func() {
			for _, w := range late {
				_ = f.commit(w) // nobody hears whether it was refused
			}
			late = nil
		}
		lost := failure(training.FailureUnreachable)
		for range rapid.IntRange(1, 8).Draw(t, "attempts") {
			fate := rapid.SampledFrom([]string{"fine", "unsent", "lost", "late", "silent"}).Draw(t, "fate")
			readFails := rapid.Bool().Draw(t, "read fails")
			if rapid.Bool().Draw(t, "late ones first") {
				commitLate()
			}
			f.onComplete = func(w training.Write) error {
				if rapid.Bool().Draw(t, "late ones in between") {
					commitLate()
				}
				if readFails {
					f.onRecord = func(int) (training.Record, error) { return training.Record{}, lost }
				}
				switch fate {
				case "fine":
					return f.commit(w)
				case "lost":
					return errors.Join(lost, f.commit(w))
				case "late":
					late = append(late, w)
					return lost
				case "unsent":
					return lost
				}
				return nil
			}
			_, err := qms.Apply(t.Context(), f, w, atOnce())
			f.onRecord = nil
			if f.changes > 1 {
				t.Fatalf("%d changes", f.changes)
			}
			if err == nil && !w.ShownBy(f.record) {
				t.Fatalf("success without proof: %+v", f.record)
			}
		}
		f.onComplete = nil
		if _, err := qms.Apply(t.Context(), f, w, atOnce()); err != nil {
			t.Fatalf("healthy again, but %v", err)
		}
		commitLate()
		if f.changes != 1 || !w.ShownBy(f.record) {
			t.Fatalf("%d changes, %+v", f.changes, f.record)
		}
	})
}
