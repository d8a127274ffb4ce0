package e2e

import (
	"testing"

	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
)

// A worker that is older than the starter leaves alone what it could only carry in its own way: the workflow waits, with the
// reason in the Web UI, and nothing has been done.
func TestOlderWorkerLeavesNewerWorkflowsAlone(t *testing.T) {
	s := newSystem(t)
	const f = training.Fingerprint("b23771741a3446e135579f0eeca3a2d0f4052a4a570d3cf3949ca0c7e07cba75")
	for name, in := range map[string]any{
		workflows.CompletionWorkflow: workflows.CompletionInput{
			Tenant: tenant, Source: "lms", Platform: "canonical", Fingerprint: f, Policy: training.DefaultPolicy(), Steps: workflows.CurrentSteps + 1,
		},
		workflows.EnrollmentWorkflow: workflows.EnrollmentInput{
			Tenant: tenant, Source: "lms", Platform: "canonical", Key: training.EnrollmentKey(f), Policy: training.DefaultPolicy(), Steps: workflows.CurrentEnrollmentSteps + 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run, err := s.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "newer-" + name, TaskQueue: workflows.TaskQueue}, name, in)
			require.NoError(t, err)
			events := s.client.GetWorkflowHistory(t.Context(), run.GetID(), "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			var failed *historypb.WorkflowTaskFailedEventAttributes
			for failed == nil && events.HasNext() {
				event, err := events.Next()
				require.NoError(t, err)
				require.NotContains(t, []enumspb.EventType{
					enumspb.EVENT_TYPE_MARKER_RECORDED, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
				}, event.GetEventType(), "nothing is done")
				failed = event.GetWorkflowTaskFailedEventAttributes()
			}
			require.Contains(t, failed.GetFailure().GetMessage(), "update the workers")
			described, err := s.client.DescribeWorkflowExecution(t.Context(), run.GetID(), "")
			require.NoError(t, err)
			require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, described.GetWorkflowExecutionInfo().GetStatus())
		})
	}
}
