package workflows

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// lookingUp runs a completion whose source has an API.
func lookingUp(t *testing.T, w *world) CompletionResult {
	t.Helper()
	env := environment(t, w)
	in := input()
	in.LookUp = true
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var result CompletionResult
	require.NoError(t, env.GetWorkflowResult(&result))
	return result
}

func TestLookUpComesFirstAndOnlyWhereThereIsAnAPI_R15(t *testing.T) {
	w := &world{}
	require.Equal(t, training.OutcomeCompleted, lookingUp(t, w).Outcome)
	require.Len(t, w.called(lookUp), 1)
	require.False(t, w.called(resolveLearner)[0].Before(w.called(lookUp)[0]))

	w = &world{}
	carried(t, environment(t, w))
	require.Empty(t, w.called(lookUp))
}

func TestLookUpIsRetriedLikeEveryStep_R123(t *testing.T) {
	w := &world{lookup: func(n int) error {
		if n < 4 {
			return failing(training.FailureLMSUnreachable)
		}
		return nil
	}}
	require.Equal(t, training.OutcomeCompleted, lookingUp(t, w).Outcome)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(lookUp))
	require.Empty(t, w.waits, "nobody was asked")
}

// A backlog at an LMS that gives 1,000 calls an hour waits its turn; after a day a person hears of it.
func TestUsedUpBudgetIsWaitedFor_R146(t *testing.T) {
	w := &world{lookup: func(n int) error {
		if n < 11 {
			return failing(training.FailureLMSRateLimited)
		}
		return nil
	}}
	require.Equal(t, training.OutcomeCompleted, lookingUp(t, w).Outcome)
	require.Empty(t, w.waits)
	gaps := w.gaps(lookUp)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 15 * time.Minute, time.Minute}, gaps[:5])

	w = &world{lookup: func(int) error { return failing(training.FailureLMSRateLimited) }}
	require.Equal(t, training.OutcomeExpiredInReview, lookingUp(t, w).Outcome)
	require.Equal(t, training.FailureLMSRateLimited, w.waits[0].Failure.Class)
	calls := w.called(lookUp)
	require.Greater(t, calls[len(calls)-1].Sub(calls[0]), 24*time.Hour)
	require.Less(t, len(calls), 200)
}
