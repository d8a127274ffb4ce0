package qmstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// runEvery checks what every QMS keeps: reading, the meaning of trouble, and that a record that is made
// is made once.
func runEvery(t *testing.T, start func(*testing.T) Backend) {
	t.Run("employee", func(t *testing.T) {
		c := start(t).Client()
		require.NoError(t, c.Employee(t.Context(), jane))
		requireClass(t, c.Employee(t.Context(), "EMP-NOBODY"), training.FailureEmployeeUnknown)
	})
	t.Run("record", func(t *testing.T) {
		b := start(t)
		b.AddTraining(trainingID)
		id := b.Assign(jane, trainingID)
		for _, r := range read(t, b, id) {
			require.Equal(t, jane, r.EmployeeID)
			require.Equal(t, trainingID, r.TrainingID)
			require.True(t, r.Status.Open(), r.Status)
			require.Zero(t, r.CompletedAt)
		}
		_, err := b.Client().Record(t.Context(), "TR-NONE")
		requireClass(t, err, training.FailureRecordMissing)
		none, err := b.Client().Records(t.Context(), john, trainingID)
		require.NoError(t, err)
		require.Empty(t, none)
	})
	t.Run("trouble has its class", func(t *testing.T) {
		for trouble, want := range map[Trouble]training.FailureClass{
			Unsent:  training.FailureUnreachable,
			Broken:  training.FailureUnreachable,
			Limited: training.FailureRateLimited,
			Garbled: training.FailureMisread,
			CutOff:  training.FailureMisread,
			Refused: training.FailureCredentials,
		} {
			b := start(t)
			b.AddTraining(trainingID)
			id := b.Assign(jane, trainingID)
			b.Spoil(CallRecord, trouble, 5)
			_, err := b.Client().Record(t.Context(), id)
			f := requireClass(t, err, want)
			require.True(t, f.Class.Transient(), trouble)
			if trouble == Limited {
				require.Equal(t, 2*time.Minute, f.RetryAfter)
			}
			b.Heal()
			_, err = b.Client().Record(t.Context(), id)
			require.NoError(t, err, "after %s", trouble)
		}
	})
	t.Run("the caller's cancellation", func(t *testing.T) {
		b := start(t)
		b.AddTraining(trainingID)
		id := b.Assign(jane, trainingID)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.Client().Record(ctx, id)
		require.ErrorIs(t, err, context.Canceled)
		var f *training.Failure
		require.NotErrorAs(t, err, &f, "nothing is wrong with the QMS")
	})
	runMade(t, start)
}

// read reads a record by both ways, which must agree.
func read(t *testing.T, b Backend, id string) []training.Record {
	t.Helper()
	record, err := b.Client().Record(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, id, record.ID)
	all, err := b.Client().Records(t.Context(), record.EmployeeID, record.TrainingID)
	require.NoError(t, err)
	require.Equal(t, []training.Record{record}, all)
	return all
}

// runMade holds that a record that is asked for is made exactly once (R98).
func runMade(t *testing.T, start func(*testing.T) Backend) {
	begin := func(t *testing.T) Backend {
		b := start(t)
		b.AddTraining(trainingID)
		return b
	}
	t.Run("created, read back and open", func(t *testing.T) {
		b := begin(t)
		for range 3 { // a creation can be repeated
			got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
			require.NoError(t, err)
			require.Equal(t, training.RecordAssigned, got.Status)
			require.Equal(t, []string{got.ID}, b.Holds(jane, trainingID))
			require.Equal(t, read(t, b, got.ID)[0], got)
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
			t.Run("creation: "+string(call)+" "+string(trouble), func(t *testing.T) {
				b := begin(t)
				b.Spoil(call, trouble, 2)
				if _, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient()); err != nil {
					var f *training.Failure
					require.ErrorAs(t, err, &f)
					// A success that did nothing may be put before a person; everything else is tried again.
					require.True(t, f.Class.Transient() || trouble == Silent, "attempt ended with %v", err)
				}
				b.CommitLate()
				b.Heal()
				got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
				require.NoError(t, err)
				b.CommitLate()
				require.Equal(t, []string{got.ID}, b.Holds(jane, trainingID))
			})
		}
	}
	t.Run("first creation is carried out after the second", func(t *testing.T) {
		b := begin(t)
		b.Spoil(CallCreate, LostLate, 1)
		_, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
		requireClass(t, err, training.FailureUnreachable)
		got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
		require.NoError(t, err)
		b.CommitLate()
		require.Equal(t, []string{got.ID}, b.Holds(jane, trainingID))
	})
	t.Run("ten creations at once", func(t *testing.T) {
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
		for range cap(ids) {
			id := <-ids
			require.Equal(t, []string{id}, b.Holds(jane, trainingID))
		}
	})
}
