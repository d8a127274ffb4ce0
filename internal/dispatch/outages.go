package dispatch

import (
	"context"
	"errors"
	"fmt"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Outages reaches the workflows that an outage is about: the one that watches it, and those that wait.
type Outages struct {
	Temporal  client.Client
	Namespace string
	TaskQueue string
}

// Watch starts the Outage of a target unless there is one.
func (o Outages) Watch(ctx context.Context, in workflows.Outage) error {
	_, err := o.Temporal.ExecuteWorkflow(ctx, o.options(in), workflows.OutageWorkflow, in)
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return fmt.Errorf("watch outage of %s/%s: %w", in.Tenant, in.Target, err)
	}
	return nil
}

// Changed tells the Outage of a target that the journal says something else now, and starts one if there
// is none.
func (o Outages) Changed(ctx context.Context, in workflows.Outage) error {
	options := o.options(in)
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	_, err := o.Temporal.SignalWithStartWorkflow(ctx, options.ID, workflows.ChangedSignal, nil, options, workflows.OutageWorkflow, in)
	if err != nil {
		return fmt.Errorf("tell outage of %s/%s: %w", in.Tenant, in.Target, err)
	}
	return nil
}

func (o Outages) options(in workflows.Outage) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: workflows.OutageID(in.Tenant, in.Target), TaskQueue: o.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		// Without this the SDK hands the old run back as if it had been started now.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            fmt.Sprintf("The %s of %s does not answer, or is paused", in.Target, in.Tenant),
		TypedSearchAttributes:                    workflows.OutageAttributes(in.Tenant),
	}
}

// Resume tells a completion or an enrollment to go on, once per word however often it is called: one that is held by the signal
// "resume", one that was parked by the decision "retry". gone is true where no workflow carries it.
func (o Outages) Resume(ctx context.Context, w journal.Waiting, once string, d training.Decision) (gone bool, err error) {
	id, what := workflows.CompletionID(w.Fingerprint), "completion "+string(w.Fingerprint)
	if w.Enrollment != "" {
		id = workflows.EnrollmentID(w.Enrollment)
		what = id
	}
	request := &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: o.Namespace, RequestId: once, SignalName: workflows.ResumeSignal, Identity: training.ByCountersign,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id},
	}
	if !w.Held {
		request.SignalName = workflows.ReviewSignal
		if request.Input, err = converter.GetDefaultDataConverter().ToPayloads(d); err != nil {
			return false, fmt.Errorf("resume %s: %w", what, err)
		}
	}
	// Not the client's own SignalWorkflow, which makes a new id for every call.
	_, err = o.Temporal.WorkflowService().SignalWorkflowExecution(ctx, request)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("resume %s: %w", what, err)
	}
	return false, nil
}

// watchTargets has every target watched that something is the matter with. The worker that saw it may have
// died before it could, and Temporal may have lost the workflow.
func (d *Dispatcher) watchTargets(ctx context.Context) error {
	targets, err := d.cfg.Journal.Targets(ctx)
	if err != nil {
		return err
	}
	outages := Outages{Temporal: d.cfg.Temporal, Namespace: d.cfg.Namespace, TaskQueue: d.cfg.TaskQueue}
	var errs []error
	for _, t := range targets {
		if t.Incident == "" {
			continue
		}
		errs = append(errs, outages.Watch(ctx, workflows.NewOutage(t.Tenant, t.Name, d.cfg.Policy(t.Tenant))))
	}
	return errors.Join(errs...)
}
