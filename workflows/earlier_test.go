package workflows

import (
	"slices"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// Documents of a completion of an earlier time are ordinary activities from the first attempt on, as its history says.
func TestDocumentsOfAnEarlierTime(t *testing.T) {
	for _, earlier := range []int{0, stepsShown} {
		env, s := readable(t, &world{})
		in := input()
		in.Steps = earlier
		env.ExecuteWorkflow(CompletionWorkflow, in)
		require.NoError(t, env.GetWorkflowError())
		for _, step := range []string{issueCertificate, postStatement} {
			require.True(t, slices.ContainsFunc(s.summaries, func(l line) bool { return l.what == step }), "%s at %d", step, earlier)
		}
	}
}

// A completion of an earlier time makes its four attempts as one activity, as its history says.
func TestStepsOfAnEarlierTime_R123(t *testing.T) {
	w := &world{complete: func(n int) (VerifiedRecord, error) {
		if n < 4 {
			return VerifiedRecord{}, failing(training.FailureUnreachable)
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}}
	env, s := readable(t, w)
	in := input()
	in.Steps = 0
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, []string{"COMPLETED"}, s.states)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(completeRecord))
}
