package e2e

import (
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// The five scenarios of the seed, through the whole system (R184 to R188).
func TestSeedScenarios(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	ends := func(t *testing.T, f training.Fingerprint, want training.State) {
		t.Helper()
		s.eventually(func() bool { return state(s, j, f) == want }, "%s becomes %s", f, want)
	}
	class := func(f training.Fingerprint) training.FailureClass {
		stored, err := j.Completion(t.Context(), tenant, f)
		require.NoError(t, err)
		return stored.FailureClass
	}
	t.Run("completion with a score_R184", func(t *testing.T) {
		record := s.learner(184, func(r *arenasim.Record) { r.TracksScore = true })
		ends(t, s.complete(184), training.StateCompleted)
		stored, _ := s.qms.Record(record)
		require.InEpsilon(t, 91.5, *stored.Score, 1e-9)
	})
	t.Run("completion without a score_R185", func(t *testing.T) {
		record := s.learner(185)
		answer, err := s.post(withoutScore(185))
		require.NoError(t, err)
		ends(t, answer.Completions[0].Fingerprint, training.StateCompleted)
		stored, _ := s.qms.Record(record)
		require.Nil(t, stored.Score)
	})
	t.Run("unknown employee_R186", func(t *testing.T) {
		f := s.complete(186)
		ends(t, f, training.StateInReview)
		require.Equal(t, training.FailureEmployeeUnknown, class(f))
	})
	t.Run("already completed_R187", func(t *testing.T) {
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		record := s.learner(187, func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, &at })
		f := s.complete(187)
		ends(t, f, training.StateInReview)
		require.Equal(t, training.FailureCompletedElse, class(f))
		require.Empty(t, s.qms.Changes(record))
	})
	t.Run("expired token_R188", func(t *testing.T) {
		s.learner(188)
		s.qms.ExpireTokens()
		ends(t, s.complete(188), training.StateCompleted)
	})
}
