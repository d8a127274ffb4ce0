package steps

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// All do the six steps, in an order that a completion could have.
func TestAllKindsDoTheSixSteps(t *testing.T) {
	for name, test := range map[string]struct {
		kind  Kind
		local []string
	}{
		"plain": {Plain(), nil},
		"best":  {Best(), []string{resolve, check, outcome}},
		"alike": {Alike(), []string{resolve, check, certificate, statement, outcome}},
	} {
		t.Run(name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			var mu sync.Mutex // certificate and statement run side by side
			var done, local []string
			all := []string{resolve, check, write, certificate, statement, outcome}
			for _, step := range all {
				env.RegisterActivityWithOptions(func(ctx context.Context, _ string) error {
					mu.Lock()
					defer mu.Unlock()
					done = append(done, step)
					if activity.GetInfo(ctx).IsLocalActivity {
						local = append(local, step)
					}
					return nil
				}, activity.RegisterOptions{Name: step})
			}
			env.RegisterWorkflowWithOptions(test.kind.run, workflow.RegisterOptions{Name: test.kind.workflow()})
			env.ExecuteWorkflow(test.kind.workflow(), "x")
			require.NoError(t, env.GetWorkflowError())
			require.ElementsMatch(t, all, done)
			require.Equal(t, []string{resolve, check, write}, done[:3])
			require.Equal(t, outcome, done[5])
			slices.SortStableFunc(local, func(a, b string) int { return slices.Index(all, a) - slices.Index(all, b) }) // documents: side by side
			require.True(t, slices.Equal(test.local, local), "%v", local)
		})
	}
}
