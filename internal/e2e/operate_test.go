package e2e

import (
	"errors"
	"fmt"
	"testing"

	"countersign/internal/journal"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	batchpb "go.temporal.io/api/batch/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
)

// What docs/operate.md gives operators: the queries, and a batch by cause, on a real server with its visibility.

// lists waits until a query finds as many workflows.
func (s *system) lists(query string, want int64) {
	s.t.Helper()
	s.eventually(func() bool {
		found, err := s.client.CountWorkflow(s.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: s.temporal.Namespace(), Query: query,
		})
		return err == nil && found.GetCount() == want
	}, "%d by %s", want, query)
}

// batch does something to everything that a query finds, as `temporal workflow signal --query` and the Web UI do,
// and returns how many that were.
func (s *system) batch(query string, operation *workflowservice.StartBatchOperationRequest) int64 {
	s.t.Helper()
	operation.Namespace, operation.VisibilityQuery = s.temporal.Namespace(), query
	operation.JobId, operation.Reason = journal.NewDeliveryID(), "as docs/operate.md says"
	var err error
	s.eventually(func() bool {
		// The server runs one batch at a time, and the list that it counts them by is a moment behind.
		_, err = s.client.WorkflowService().StartBatchOperation(s.t.Context(), operation)
		var busy *serviceerror.ResourceExhausted
		return !errors.As(err, &busy)
	}, "the batch before is over")
	require.NoError(s.t, err)
	var done *workflowservice.DescribeBatchOperationResponse
	s.eventually(func() bool {
		done, err = s.client.WorkflowService().DescribeBatchOperation(s.t.Context(), &workflowservice.DescribeBatchOperationRequest{
			Namespace: operation.Namespace, JobId: operation.JobId,
		})
		return err == nil && done.GetState() == enumspb.BATCH_OPERATION_STATE_COMPLETED
	}, "the batch is done")
	require.Zero(s.t, done.GetFailureOperationCount())
	return done.GetCompleteOperationCount()
}

func signalling(t *testing.T, signal string, d training.Decision) *workflowservice.StartBatchOperationRequest {
	t.Helper()
	input, err := converter.GetDefaultDataConverter().ToPayloads(d)
	require.NoError(t, err)
	return &workflowservice.StartBatchOperationRequest{Operation: &workflowservice.StartBatchOperationRequest_SignalOperation{
		SignalOperation: &batchpb.BatchOperationSignal{Signal: signal, Input: input, Identity: "operator"},
	}}
}

// 20 approvals and 20 reviews of one cause are each one command; what has another cause is left alone. What an
// operator resets begins again and doubles nothing.
func TestBatchByCause_R120_R139(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	const each = 20
	var records []string
	var fingerprints, approvals, missing, unknown []training.Fingerprint
	for n := 1; n <= each; n++ {
		s.learner(n, approval)
		approvals = append(approvals, s.complete(n))
		s.qms.AddUser(arena.User{EmployeeID: fmt.Sprintf("HR-%d", each+n), FullName: "Jordan Lee", Active: true})
		missing = append(missing, s.complete(each+n))
	}
	for n := 2*each + 1; n <= 2*each+3; n++ {
		unknown = append(unknown, s.complete(n))
	}
	// A run that was terminated or reset stays listed in the state it had: what is asked for is what runs.
	const (
		waiting   = `ExecutionStatus = "Running" AND CountersignState = "WAITING_APPROVAL" AND CountersignTenant = "acme" AND CountersignCourse = "COMP-2026"`
		noRecord  = `ExecutionStatus = "Running" AND CountersignState = "IN_REVIEW" AND CountersignFailure = "record_missing"`
		noPerson  = `ExecutionStatus = "Running" AND CountersignState = "IN_REVIEW" AND CountersignFailure = "employee_unknown"`
		forPeople = `ExecutionStatus = "Running" AND CountersignState IN ("IN_REVIEW", "WAITING_APPROVAL")`
	)
	s.lists(waiting, each)
	s.lists(noRecord, each)
	s.lists(noPerson, 3)
	s.lists(forPeople, 2*each+3)

	for n := each + 1; n <= 2*each; n++ {
		records = append(records, s.qms.AddRecord(arena.Record{EmployeeID: fmt.Sprintf("HR-%d", n), TrainingID: program, Status: training.RecordAssigned}).ID)
	}
	require.EqualValues(t, each, s.batch(noRecord, signalling(t, workflows.ReviewSignal, decision(training.ActionRetry))))
	require.EqualValues(t, each, s.batch(waiting, signalling(t, workflows.ApprovalSignal, decision(training.ActionApprove))))
	for _, f := range append(missing, approvals...) {
		s.becomes(j, f, training.StateCompleted)
		decisions, err := j.Decisions(t.Context(), tenant, f)
		require.NoError(t, err)
		require.Len(t, decisions, 1)
		require.Equal(t, "m.keller", decisions[0].Decision.By)
	}
	s.lists(forPeople, 3)
	s.record("review-told", missing[0])
	s.record("approval-told", approvals[0])

	for n := 2*each + 1; n <= 2*each+3; n++ {
		records = append(records, s.learner(n))
	}
	require.EqualValues(t, 3, s.batch(noPerson, &workflowservice.StartBatchOperationRequest{
		Operation: &workflowservice.StartBatchOperationRequest_ResetOperation{ResetOperation: &batchpb.BatchOperationReset{
			Identity: "operator",
			Options:  &commonpb.ResetOptions{Target: &commonpb.ResetOptions_FirstWorkflowTask{}},
		}},
	}))
	for _, f := range unknown {
		s.becomes(j, f, training.StateCompleted)
	}
	s.lists(forPeople, 0)
	fingerprints = append(append(append(fingerprints, missing...), approvals...), unknown...)
	s.requireOneEffectOfEachKind(records, fingerprints)
	s.record("inbox-causes", training.Fingerprint(workflows.InboxID(tenant)))
}

// What retries inside an ordinary activity is listed with its reason from the first failed attempt on, and one
// command ends the wait of all.
func TestBatchRetriesNowByCause_R123(t *testing.T) {
	s := newSystem(t, slowRetries, func(p *plan) { p.retry += ", outage: {hold: false}" }) // the QMS is not to be held instead
	j := s.journal()
	const each = 20
	s.qms.Fault(arena.EndpointComplete, fault.Status(503, each))
	var records []string
	var all []training.Fingerprint
	for n := 1; n <= each; n++ {
		records = append(records, s.learner(n))
		all = append(all, s.complete(n))
	}
	const retrying = `ExecutionStatus = "Running" AND CountersignState = "RETRYING" AND CountersignFailure = "unreachable"`
	s.lists(retrying, each)
	require.EqualValues(t, each, s.batch(retrying, signalling(t, workflows.ReviewSignal, decision(training.ActionRetry))))
	for _, f := range all {
		s.becomes(j, f, training.StateCompleted)
	}
	s.requireOneEffectOfEachKind(records, all)
	s.record("retried", all[0])
}
