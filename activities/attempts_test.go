package activities

import (
	"context"
	"testing"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
)

// The review is told of every attempt, when it was and what the QMS said, also of the first, which was made
// elsewhere. Temporal keeps their number only.
func TestReviewKnowsEveryAttempt_R123_R139(t *testing.T) {
	for endpoint, details := range map[fault.Endpoint][]string{
		arenasim.EndpointUser:     {"502", "503", "503", "503"}, // tried first as a local activity
		arenasim.EndpointComplete: {"502", "503", "503", "503"},
	} {
		t.Run(string(endpoint), func(t *testing.T) {
			s := newLightHouse(t).stage(t)
			s.assigned()
			s.qms.Fault(endpoint, fault.Status(502, 1))
			s.qms.Fault(endpoint, fault.Status(503, fault.Forever))
			var attempts []training.Attempt
			s.env.SetOnLocalActivityStartedListener(func(_ *activity.Info, _ context.Context, args []any) {
				if wait, ok := args[0].(workflows.RecordWait); ok && wait.Failure != nil {
					attempts = wait.Failure.Attempts
				}
			})
			s.run()
			require.Len(t, attempts, len(details))
			for i, attempt := range attempts {
				require.Contains(t, attempt.Detail, details[i])
				require.Equal(t, training.FailureUnreachable, attempt.Class)
				require.False(t, attempt.At.IsZero())
			}
		})
	}
}

func TestVeryManyAttemptsAreTheLastOnes(t *testing.T) {
	var attempts []training.Attempt
	for i := range 2 * mostAttempts {
		attempts = attemptsWith(attempts, &training.Failure{Class: training.FailureUnreachable, Detail: string(rune('a' + i%26))})
	}
	require.Len(t, attempts, mostAttempts)
	require.Equal(t, string(rune('a'+(2*mostAttempts-1)%26)), attempts[mostAttempts-1].Detail)
}
