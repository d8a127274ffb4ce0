package training_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func TestStateEnded(t *testing.T) {
	table := map[training.State]bool{
		training.StateQueued:           false,
		training.StateStarting:         false,
		training.StateRunning:          false,
		training.StateRetrying:         false,
		training.StateWaitingApproval:  false,
		training.StateWaitingSignature: false,
		training.StateInReview:         false,
		training.StateCompleted:        true,
		training.StateRejected:         true,
		training.StateClosed:           true,
		training.StateExpiredInReview:  true,
	}
	require.ElementsMatch(t, constants[training.State](t, "State"), keys(table))
	for state, ended := range table {
		require.Equal(t, ended, state.Ended(), state)
	}
	require.False(t, training.State("").Ended(), "an unknown state is not thrown away")
}

// Outcomes and ended states are the same four ends, seen from the workflow and from the journal.
func TestEveryOutcomeHasItsEndedState(t *testing.T) {
	table := map[training.Outcome]training.State{
		training.OutcomeCompleted: training.StateCompleted,
		training.OutcomeRejected:  training.StateRejected,
		training.OutcomeClosed:    training.StateClosed,

		training.OutcomeExpiredInReview: training.StateExpiredInReview,
	}
	require.ElementsMatch(t, constants[training.Outcome](t, "Outcome"), keys(table))
	reached := map[training.State]bool{}
	for outcome, state := range table {
		require.Equal(t, state, outcome.State(), outcome)
		require.True(t, outcome.State().Ended(), outcome)
		reached[outcome.State()] = true
	}
	for _, state := range constants[training.State](t, "State") {
		require.Equal(t, state.Ended(), reached[state], "%s is an end exactly if an outcome leads to it", state)
	}
	require.NotEqual(t, training.StateCompleted, training.Outcome("").State(), "nothing becomes COMPLETED by default")
}

// A replay is for what ended without its effect: another one can never be a second effect (R142, law 2).
func TestOnlyEndsWithoutEffectAreReplayable_R142(t *testing.T) {
	for _, state := range constants[training.State](t, "State") {
		want := state == training.StateClosed || state == training.StateExpiredInReview
		require.Equal(t, want, state.Replayable(), state)
	}
}

// Law 2 counts these: one of each kind per completion.
func TestEffectKindsAreDistinct(t *testing.T) {
	kinds := constants[training.EffectKind](t, "EffectKind")
	require.ElementsMatch(t, []training.EffectKind{
		training.EffectRecord, training.EffectEvidence, training.EffectCertificate, training.EffectStatement,
	}, kinds)
}
