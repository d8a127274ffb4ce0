package qmstest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func runClient(t *testing.T, start func(*testing.T) Completing) {
	t.Run("record", func(t *testing.T) {
		b := start(t)
		want := open()
		want.ApprovalRequired, want.Locked, want.ExternalRef = true, true, "lms:acme:enrolment:88121"
		b.AddRecord(want)
		got, err := b.Client().Record(t.Context(), recordID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	t.Run("records of every state and page", func(t *testing.T) {
		b := start(t)
		states := []training.RecordStatus{
			training.RecordAssigned, training.RecordInProgress, training.RecordPendingApproval,
			training.RecordCompleted, training.RecordExpired, training.RecordCancelled,
		}
		want := map[string]training.RecordStatus{}
		for i := range 230 {
			r := open()
			r.ID, r.Status = fmt.Sprintf("TR-%03d", i), states[i%len(states)]
			want[r.ID] = r.Status
			b.AddRecord(r)
		}
		other := open()
		other.ID, other.EmployeeID = "TR-JOHN", john
		b.AddRecord(other)
		found, err := b.Client().Records(t.Context(), jane, trainingID)
		require.NoError(t, err)
		got := map[string]training.RecordStatus{}
		for _, r := range found {
			got[r.ID] = r.Status
		}
		require.Equal(t, want, got)
		require.Len(t, found, len(want))

		none, err := b.Client().Records(t.Context(), jane, "TP-NONE")
		require.NoError(t, err)
		require.Empty(t, none)
	})
	t.Run("configuration", func(t *testing.T) {
		b := start(t)
		for _, on := range []bool{true, false} {
			b.AllowExternalUpdates(on)
			got, err := b.Client().ExternalUpdatesAllowed(t.Context())
			require.NoError(t, err)
			require.Equal(t, on, got)
		}
	})
	t.Run("states that cannot be left", func(t *testing.T) {
		for status, want := range map[training.RecordStatus]training.FailureClass{
			training.RecordCompleted:       training.FailureCompletedElse,
			training.RecordPendingApproval: training.FailureApprovalNeeded,
			training.RecordExpired:         training.FailureRecordExpired,
			training.RecordCancelled:       training.FailureRecordCancelled,
		} {
			b := start(t)
			r := open()
			r.Status = status
			b.AddRecord(r)
			requireClass(t, b.Client().Complete(t.Context(), write(), "r"), want)
			require.Zero(t, b.Changes(recordID))
		}
	})
	t.Run("a write is sent once", func(t *testing.T) {
		for _, trouble := range []Trouble{Unsent, Lost, Broken, BrokenAfter, Limited} {
			b := start(t)
			b.AddRecord(open())
			b.Spoil(CallComplete, trouble, 1)
			require.Error(t, b.Client().Complete(t.Context(), write(), "r"), trouble)
			require.Equal(t, 1, b.Calls(CallComplete), trouble)
		}
	})
	t.Run("the caller's cancellation", func(t *testing.T) {
		b := start(t)
		b.AddRecord(open())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := b.Client().Complete(ctx, write(), "r")
		require.ErrorIs(t, err, context.Canceled)
		var f *training.Failure
		require.NotErrorAs(t, err, &f)
	})
}
