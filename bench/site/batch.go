package site

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/training"
	"countersign/workflows"

	"github.com/google/uuid"
	batchpb "go.temporal.io/api/batch/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
)

// waitingForApproval finds them as an operator does, in the CLI or the Web UI.
func waitingForApproval() string {
	return fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND %s = '%s'",
		workflows.CompletionWorkflow, workflows.StateAttribute.GetName(), training.StateWaitingApproval)
}

// ApproveAll approves whatever waits for an approval by one batch signal, as `temporal workflow signal
// --query` does. n is how many are to be found: what operators query is a little behind.
func (s *Site) ApproveAll(ctx context.Context, n int) error {
	if err := s.awaitVisible(ctx, n); err != nil {
		return err
	}
	input, err := converter.GetDefaultDataConverter().ToPayloads(training.Decision{
		Action: training.ActionApprove, By: "A. Approver", Reason: "measured",
	})
	if err != nil {
		return fmt.Errorf("approve all: %w", err)
	}
	_, err = s.Client.WorkflowService().StartBatchOperation(ctx, &workflowservice.StartBatchOperationRequest{
		Namespace: s.Namespace(), VisibilityQuery: waitingForApproval(), JobId: uuid.NewString(), Reason: "bench",
		Operation: &workflowservice.StartBatchOperationRequest_SignalOperation{SignalOperation: &batchpb.BatchOperationSignal{
			Signal: workflows.ApprovalSignal, Input: input, Identity: "bench",
		}},
	})
	if err != nil {
		return fmt.Errorf("approve all: %w", err)
	}
	return nil
}

func (s *Site) awaitVisible(ctx context.Context, n int) error {
	for {
		found, err := s.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: s.Namespace(), Query: waitingForApproval(),
		})
		if err != nil {
			return fmt.Errorf("count what waits: %w", err)
		}
		if found.GetCount() >= int64(n) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("count what waits: %d of %d: %w", found.GetCount(), n, ctx.Err())
		case <-time.After(settleEvery):
		}
	}
}
