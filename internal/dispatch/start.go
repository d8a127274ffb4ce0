package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
)

const (
	startTimeout = 5 * time.Second
	// startsAtOnce bounds the start calls under way.
	startsAtOnce = 8
)

// startClaimed claims what may run now and starts it.
func (d *Dispatcher) startClaimed(ctx context.Context) (started int, err error) {
	claimed, err := d.cfg.Journal.Claim(ctx, d.cfg.InFlight, d.cfg.Lease)
	if err != nil {
		return 0, err
	}
	var g errgroup.Group
	g.SetLimit(startsAtOnce)
	for _, c := range claimed {
		g.Go(func() error { return d.start(ctx, c, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) })
	}
	return len(claimed), g.Wait()
}

// start starts the workflow of one claimed completion. Starting twice is harmless: the
// workflow id is the fingerprint, and Temporal refuses the second (law 2).
func (d *Dispatcher) start(ctx context.Context, c journal.Claimed, reuse enumspb.WorkflowIdReusePolicy) error {
	in := workflows.CompletionInput{
		Tenant: c.Tenant, Source: c.Source, Platform: c.Platform, Fingerprint: c.Fingerprint,
		Course: c.CourseLabel, Policy: d.cfg.Policy(c.Tenant),
	}
	startCtx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	_, err := d.cfg.Temporal.ExecuteWorkflow(startCtx, client.StartWorkflowOptions{
		ID:                       workflows.CompletionID(c.Fingerprint),
		TaskQueue:                d.cfg.TaskQueue,
		WorkflowIDReusePolicy:    reuse,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		// Without this the SDK hands the old run back as if it had been started now.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		TypedSearchAttributes:                    in.StartAttributes(),
		StaticSummary:                            in.Summary(),
		StaticDetails:                            in.StaticDetails(c.DeliveryID),
		// A tenant's backlog must not stand in the way of another's.
		Priority: temporal.Priority{FairnessKey: c.Tenant},
	}, workflows.CompletionWorkflow, in)

	log := d.cfg.Log.With("tenant", c.Tenant, "fingerprint", string(c.Fingerprint), "delivery", c.DeliveryID)
	var invalid *serviceerror.InvalidArgument
	switch {
	case err == nil, temporal.IsWorkflowExecutionAlreadyStartedError(err):
		log.Debug("workflow started", "already", err != nil)
		return d.cfg.Journal.Started(ctx, c.Tenant, c.Fingerprint)
	case errors.As(err, &invalid):
		// It will be refused again. Left claimed, it comes back when the lease has run out
		// and does not hold up the others meanwhile.
		log.Error("Temporal refuses to start the completion", "error", err)
		return nil
	default:
		// Whether it was started is not known; the next attempt finds out.
		release := d.cfg.Journal.Release(context.WithoutCancel(ctx), c.Tenant, c.Fingerprint)
		return errors.Join(fmt.Errorf("start completion %s: %w", c.Fingerprint, err), release)
	}
}

// Replay starts a completion again whose workflow failed, was terminated or cancelled, or has
// been forgotten. A completion that ended well is not started again.
func (d *Dispatcher) Replay(ctx context.Context, tenant string, stored journal.Stored) error {
	if stored.State.Ended() {
		return fmt.Errorf("replay completion %s: it has ended: %s", stored.Fingerprint, stored.State)
	}
	c := journal.Claimed{
		Tenant: tenant, Source: stored.Completion.Source, Platform: stored.Completion.Platform,
		Fingerprint: stored.Fingerprint, DeliveryID: stored.DeliveryID, CourseLabel: stored.Completion.Course.Label(),
	}
	if err := d.start(ctx, c, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY); err != nil {
		return err
	}
	return d.cfg.Journal.Project(ctx, tenant, stored.Fingerprint, journal.Projection{State: training.StateRunning})
}

// registerAttributes makes the namespace know the search attributes; it may be called again.
func registerAttributes(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range workflows.SearchAttributes() {
		if _, ok := known.GetCustomAttributes()[name]; !ok {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("add search attributes: %w", err)
	}
	return nil
}
