package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"countersign/internal/journal"
	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
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

// errRefused is wrapped when Temporal says that a start can never work.
var errRefused = errors.New("Temporal refuses the start")

// startClaimed claims what may run now and starts it. With giveUp a completion that is refused is
// put up for review, instead of coming first, and in vain, for ever.
func (d *Dispatcher) startClaimed(ctx context.Context, giveUp bool) (started int, err error) {
	claimed, err := d.cfg.Journal.Claim(ctx, d.cfg.InFlight, d.cfg.Lease)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(claimed))
	var g errgroup.Group
	g.SetLimit(startsAtOnce)
	for i, c := range claimed {
		g.Go(func() error {
			errs[i] = d.start(ctx, c, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE)
			if giveUp && errors.Is(errs[i], errRefused) {
				errs[i] = d.abandon(ctx, c, "", endedOutside+"could not be started")
			}
			return nil
		})
	}
	_ = g.Wait() // every error is in errs
	return len(claimed), errors.Join(errs...)
}

// start starts the workflow of one claimed completion, or says why not and gives the claim back.
// Starting twice is harmless: the workflow id is the fingerprint, and Temporal refuses the
// second (law 2).
func (d *Dispatcher) start(ctx context.Context, c journal.Claimed, reuse enumspb.WorkflowIdReusePolicy) error {
	err := d.execute(ctx, d.completionStart(c, reuse))
	if err == nil || temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		d.log(c).Debug("workflow started", "already", err != nil)
		return d.cfg.Journal.Started(ctx, c.Tenant, c.Fingerprint)
	}
	// Whether it was started after all is not known; the next attempt finds out.
	released := d.cfg.Journal.Release(context.WithoutCancel(ctx), c.Tenant, c.Fingerprint)
	return errors.Join(fmt.Errorf("start completion %s: %w", c.Fingerprint, err), released)
}

// workflowStart is what a start of any workflow needs to know.
type workflowStart struct {
	workflow, id     string
	reuse            enumspb.WorkflowIdReusePolicy
	tenant, delivery string
	input            interface {
		StartAttributes() temporal.SearchAttributes
		Summary() string
		StaticDetails(delivery string) string
	}
}

func (d *Dispatcher) completionStart(c journal.Claimed, reuse enumspb.WorkflowIdReusePolicy) workflowStart {
	return workflowStart{
		workflow: workflows.CompletionWorkflow, id: workflows.CompletionID(c.Fingerprint), reuse: reuse, tenant: c.Tenant, delivery: c.DeliveryID,
		input: workflows.CompletionInput{
			Tenant: c.Tenant, Source: c.Source, Platform: c.Platform, Fingerprint: c.Fingerprint,
			Course: c.CourseLabel, Policy: d.cfg.Policy(c.Tenant), QMSQueue: d.cfg.QMSQueue(c.Tenant),
			LookUp: d.cfg.LooksUp != nil && d.cfg.LooksUp(c.Tenant, c.Source),
			Steps:  workflows.CurrentSteps,
		},
	}
}

// execute asks Temporal for one start. The error wraps errRefused where asking again cannot help.
func (d *Dispatcher) execute(ctx context.Context, s workflowStart) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	_, err := d.cfg.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       s.id,
		TaskQueue:                d.cfg.TaskQueue,
		WorkflowIDReusePolicy:    s.reuse,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		// Without this the SDK hands the old run back as if it had been started now.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		TypedSearchAttributes:                    s.input.StartAttributes(),
		StaticSummary:                            s.input.Summary(),
		StaticDetails:                            s.input.StaticDetails(s.delivery),
		// A tenant's backlog must not stand in the way of another's.
		Priority: temporal.Priority{FairnessKey: s.tenant},
	}, s.workflow, s.input)
	if _, invalid := errors.AsType[*serviceerror.InvalidArgument](err); invalid {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// log names the completion on every line (R165, R216).
func (d *Dispatcher) log(c journal.Claimed) *slog.Logger {
	return d.cfg.Log.With("tenant", c.Tenant, "fingerprint", string(c.Fingerprint), "delivery", c.DeliveryID)
}
