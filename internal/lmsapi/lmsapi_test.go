package lmsapi_test

import (
	"testing"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func TestWhatTheEventSaidStands_R15(t *testing.T) {
	passed, at := false, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	event := training.Completion{
		Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "3", Title: "GDPR"},
		CompletedAt: at.Add(time.Hour), Precision: training.PrecisionMillisecond, Score: training.Score{Passed: &passed},
	}
	yes := true
	got := lmsapi.Details{
		Learner: training.Learner{ID: "8", Email: "jane@acme.example"}, Course: training.Course{Title: "Other", Code: "C-3"},
		CompletedAt: at, Precision: training.PrecisionDay, Score: training.Score{Raw: "40", Max: "100", Passed: &yes},
	}.Fill(event)

	require.Equal(t, training.Learner{ID: "7", Email: "jane@acme.example"}, got.Learner)
	require.Equal(t, training.Course{ID: "3", Title: "GDPR", Code: "C-3"}, got.Course)
	require.Equal(t, at, got.CompletedAt, "the truer instant")
	require.Equal(t, training.Score{Raw: "40", Max: "100", Passed: &passed}, got.Score)
	require.Equal(t, event, lmsapi.Details{}.Fill(event))
}

func TestWindowHoldsItsBeginAndNotItsEnd(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	w := lmsapi.Window{From: at, To: at.Add(time.Hour)}
	require.True(t, w.Holds(at))
	require.False(t, w.Holds(at.Add(time.Hour)))
	require.False(t, w.Holds(at.Add(-1)))
}
