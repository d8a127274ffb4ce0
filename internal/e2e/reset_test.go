package e2e

import (
	"testing"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// A workflow that somebody has reset to a point behind a decision takes another one, and both are kept: the journal, which
// counts them, is asked again only by the next wait.
func TestResetBehindADecisionTakesAnother_R139(t *testing.T) {
	s := newSystem(t)
	j, f := s.journal(), s.complete(1) // nobody the QMS knows
	s.becomes(j, f, training.StateInReview)
	s.eventually(func() bool { return s.update(f, decision(training.ActionRetry)) == nil }, "retried")
	s.eventually(func() bool {
		decisions, err := j.Decisions(t.Context(), tenant, f)
		return err == nil && len(decisions) == 1 && state(s, j, f) == training.StateInReview
	}, "a second review")

	// The task that has taken the decision is taken back, and with it the decision; the wait before it was recorded without any.
	var task int64
	all := s.client.GetWorkflowHistory(t.Context(), string(f), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(t, err)
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED {
			break
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			task = event.GetEventId()
		}
	}
	_, err := s.client.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: s.temporal.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: string(f)},
		Reason: "test", RequestId: string(f), WorkflowTaskFinishEventId: task,
		ResetReapplyExcludeTypes: []enumspb.ResetReapplyExcludeType{enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, enumspb.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE},
	})
	require.NoError(t, err)
	s.eventually(func() bool { return s.update(f, decision(training.ActionClose)) == nil }, "decided otherwise")
	s.becomes(j, f, training.StateClosed)
	decisions, err := j.Decisions(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Len(t, decisions, 2)
	require.Equal(t, []training.Action{training.ActionRetry, training.ActionClose}, []training.Action{decisions[0].Decision.Action, decisions[1].Decision.Action})
}
