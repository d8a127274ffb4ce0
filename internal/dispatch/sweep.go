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
	"go.temporal.io/api/serviceerror"
)

// sweepAtOnce is how many completions one sweep asks after.
const sweepAtOnce = 200

// sweep asks Temporal after completions that have not been heard of for a while, and brings
// the journal in line with what it says: a workflow that is gone is started again, one that an
// operator has ended is put up for review. Without it a terminated workflow would be dropped
// silently (law 4) and would hold a slot for ever.
func (d *Dispatcher) sweep(ctx context.Context) error {
	stale, err := d.cfg.Journal.Stale(ctx, nil, time.Now().Add(-d.cfg.StaleAfter), sweepAtOnce)
	if err != nil {
		return err
	}
	for _, c := range stale {
		if err := d.askAfter(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) askAfter(ctx context.Context, c journal.Claimed) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	log := d.cfg.Log.With("tenant", c.Tenant, "fingerprint", string(c.Fingerprint))
	described, err := d.cfg.Temporal.DescribeWorkflowExecution(ctx, workflows.CompletionID(c.Fingerprint), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		// Temporal has lost or forgotten it, the journal has not. Doing it again is safe: the
		// record is read before it is written, and the stored effects are found.
		log.Warn("workflow is gone, queued again")
		return d.cfg.Journal.Requeue(ctx, c.Tenant, c.Fingerprint)
	}
	if err != nil {
		return fmt.Errorf("ask after completion %s: %w", c.Fingerprint, err)
	}
	switch status := described.GetWorkflowExecutionInfo().GetStatus(); status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return d.cfg.Journal.Touch(ctx, c.Tenant, c.Fingerprint)
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		var result workflows.CompletionResult
		if err := d.cfg.Temporal.GetWorkflow(ctx, workflows.CompletionID(c.Fingerprint), "").Get(ctx, &result); err != nil {
			return fmt.Errorf("read result of completion %s: %w", c.Fingerprint, err)
		}
		log.Warn("outcome was not in the journal, recorded now", "outcome", result.Outcome)
		return d.cfg.Journal.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{
			State: result.Outcome.State(), RecordID: result.RecordID,
		})
	default:
		return d.abandoned(ctx, c, status)
	}
}

// abandoned puts a completion up for review whose workflow was ended from outside or failed.
func (d *Dispatcher) abandoned(ctx context.Context, c journal.Claimed, status enumspb.WorkflowExecutionStatus) error {
	d.cfg.Log.Error("workflow ended without an outcome, put up for review",
		"tenant", c.Tenant, "fingerprint", string(c.Fingerprint), "status", status.String())
	detail := "workflow " + status.String()
	err := d.inbox.Tell(ctx, workflows.TellAdmins{
		Item: workflows.InboxItem{
			ID: string(c.Fingerprint) + "/" + status.String(), Fingerprint: c.Fingerprint,
			Course: c.CourseLabel, Class: training.FailureDefect, Detail: detail,
		},
		Inbox: workflows.Inbox{Tenant: c.Tenant, DigestEvery: d.cfg.Policy(c.Tenant).DigestEvery},
	})
	if err != nil {
		return err
	}
	return d.cfg.Journal.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{
		State: training.StateInReview, FailureClass: training.FailureDefect, FailureDetail: detail,
	})
}
