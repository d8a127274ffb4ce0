package qmstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func newRecord() training.NewRecord {
	return training.NewRecord{EmployeeID: jane, TrainingID: trainingID, ExternalRef: "lms:enrollment:88121"}
}

func runCreate(t *testing.T, start func(*testing.T) Backend) {
	begin := func(t *testing.T) Backend {
		b := start(t)
		b.AddTraining(trainingID)
		return b
	}
	// requireOne holds that Jane has exactly one record of the training, and that it is r.
	requireOne := func(t *testing.T, b Backend, r training.Record) {
		t.Helper()
		all, err := b.Client().Records(t.Context(), jane, trainingID)
		require.NoError(t, err)
		require.Equal(t, []training.Record{r}, all)
		require.Equal(t, r, b.Stored(r.ID))
	}

	t.Run("created, read back and open", func(t *testing.T) {
		b := begin(t)
		var first training.Record
		for range 3 { // a creation can be repeated
			got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
			require.NoError(t, err)
			require.True(t, newRecord().ShownBy(got))
			require.Equal(t, training.RecordAssigned, got.Status)
			if first.ID == "" {
				first = got
			}
			require.Equal(t, first, got)
		}
		requireOne(t, b, first)
	})
	t.Run("a reference that is taken", func(t *testing.T) {
		for name, tc := range map[string]struct {
			change func(*training.Record)
			want   training.FailureClass
		}{
			"by this very record":   {func(*training.Record) {}, ""},
			"by a completed one":    {func(r *training.Record) { r.Status, r.CompletedAt = training.RecordCompleted, finished }, ""},
			"by another employee's": {func(r *training.Record) { r.EmployeeID = john }, training.FailureEmployeeMismatch},
			"by another training's": {func(r *training.Record) { r.TrainingID = "TP-0001" }, training.FailureOtherContent},
		} {
			t.Run(name, func(t *testing.T) {
				b := begin(t)
				r := open()
				r.ExternalRef = newRecord().ExternalRef
				tc.change(&r)
				b.AddRecord(r)
				got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
				if tc.want == "" {
					require.NoError(t, err)
					requireOne(t, b, got)
					return
				}
				require.False(t, requireClass(t, err, tc.want).Class.Transient())
			})
		}
	})
	t.Run("what is not there", func(t *testing.T) {
		b := begin(t)
		n := newRecord()
		n.EmployeeID = "EMP-NOBODY"
		_, err := b.Client().Create(t.Context(), n, "r")
		requireClass(t, err, training.FailureEmployeeUnknown)
		n = newRecord()
		n.TrainingID = "TP-NONE"
		_, err = b.Client().Create(t.Context(), n, "r")
		requireClass(t, err, training.FailureCourseUnmapped)
		n = newRecord()
		n.ExternalRef = "" // would not be repeatable
		_, err = b.Client().Create(t.Context(), n, "r")
		requireClass(t, err, training.FailureDefect)
	})
	for _, call := range []Call{CallCreate, CallRecord} {
		for _, trouble := range []Trouble{Unsent, Lost, LostLate, Broken, BrokenAfter, Limited, Garbled, CutOff, Silent, Refused} {
			if call == CallRecord && trouble == Silent {
				continue // a read that does nothing is a read
			}
			t.Run(string(call)+" "+string(trouble), func(t *testing.T) {
				b := begin(t)
				b.Spoil(call, trouble, 2)
				if _, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient()); err != nil {
					var f *training.Failure
					require.ErrorAs(t, err, &f)
					require.True(t, f.Class.Transient(), "attempt ended with %v", err)
				}
				b.CommitLate()
				b.Heal()
				got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
				require.NoError(t, err)
				b.CommitLate()
				requireOne(t, b, got)
			})
		}
	}
	t.Run("first attempt is carried out after the second", func(t *testing.T) {
		b := begin(t)
		b.Spoil(CallCreate, LostLate, 1)
		_, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
		requireClass(t, err, training.FailureUnreachable)
		got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
		require.NoError(t, err)
		b.CommitLate()
		requireOne(t, b, got)
	})
	t.Run("ten at once", func(t *testing.T) {
		b := begin(t)
		ctx, ids := t.Context(), make(chan string, 10)
		for range cap(ids) {
			go func() {
				got, err := qms.Ensure(ctx, b.Client(), newRecord(), patient())
				if err != nil {
					got.ID = err.Error()
				}
				ids <- got.ID
			}()
		}
		first := <-ids
		for range cap(ids) - 1 {
			require.Equal(t, first, <-ids)
		}
		requireOne(t, b, b.Stored(first))
	})
}
