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

// runCreate checks what a reference means to a QMS that keeps it; the rest of a creation is every QMS's.
func runCreate(t *testing.T, start func(*testing.T) Completing) {
	t.Run("is kept", func(t *testing.T) {
		b := start(t)
		b.AddTraining(trainingID)
		got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
		require.NoError(t, err)
		require.Equal(t, newRecord().ExternalRef, got.ExternalRef)
		require.Equal(t, got, b.Stored(got.ID))
	})
	for name, tc := range map[string]struct {
		change func(*training.Record)
		want   training.FailureClass
	}{
		"by this very record":   {func(*training.Record) {}, ""},
		"by a completed one":    {func(r *training.Record) { r.Status, r.CompletedAt = training.RecordCompleted, finished }, ""},
		"by another employee's": {func(r *training.Record) { r.EmployeeID = john }, training.FailureEmployeeMismatch},
		"by another training's": {func(r *training.Record) { r.TrainingID = "TP-0001" }, training.FailureOtherContent},
	} {
		t.Run("a reference that is taken "+name, func(t *testing.T) {
			b := start(t)
			b.AddTraining(trainingID)
			r := open()
			r.ExternalRef = newRecord().ExternalRef
			tc.change(&r)
			b.AddRecord(r)
			got, err := qms.Ensure(t.Context(), b.Client(), newRecord(), patient())
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, []string{got.ID}, b.Holds(jane, trainingID))
				return
			}
			require.False(t, requireClass(t, err, tc.want).Class.Transient())
		})
	}
}
