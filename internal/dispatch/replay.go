package dispatch

import (
	"context"
	"errors"
	"fmt"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
)

// ErrNotReplayable is wrapped by Replay's error when there is nothing to start again.
var ErrNotReplayable = errors.New("not to be started again")

// Replay starts a completion again whose workflow failed, was terminated or cancelled, or has
// been forgotten. One that has ended, or whose workflow runs and can be decided, is left alone.
func (d *Dispatcher) Replay(ctx context.Context, tenant string, stored journal.Stored) error {
	if stored.State.Ended() {
		return fmt.Errorf("replay completion %s: %w: it has ended: %s", stored.Fingerprint, ErrNotReplayable, stored.State)
	}
	if err := d.notRunning(ctx, workflows.CompletionID(stored.Fingerprint)); err != nil {
		return err
	}
	// Before the start, so that what the new run projects comes later. If the start fails, the
	// sweep finds it running without a workflow and puts it up for review again.
	err := d.cfg.Journal.Project(ctx, tenant, stored.Fingerprint, journal.Projection{State: training.StateRunning})
	if err != nil {
		return err
	}
	return d.restart(ctx, tenant, stored, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY)
}

// Reopen starts a completion again that was closed or has expired in review, because a named person
// says so (R142, law 5). It cannot double: the journal lets one of several reopen it, the workflow id is
// the fingerprint, and the record is read before it is written. What is COMPLETED or REJECTED stays.
func (d *Dispatcher) Reopen(ctx context.Context, tenant string, stored journal.Stored, decision training.Decision) error {
	if !stored.State.Replayable() {
		return fmt.Errorf("replay completion %s: %w: its state is %s", stored.Fingerprint, ErrNotReplayable, stored.State)
	}
	if err := d.notRunning(ctx, workflows.CompletionID(stored.Fingerprint)); err != nil {
		return err
	}
	// Before the start, as in Replay. If the start fails, the sweep makes it.
	err := d.cfg.Journal.Reopen(ctx, journal.DecisionEntry{
		Tenant: tenant, Fingerprint: stored.Fingerprint, Decision: decision, Via: "command",
	})
	switch {
	case errors.Is(err, journal.ErrNotReplayable):
		return fmt.Errorf("replay completion %s: %w: somebody else was faster", stored.Fingerprint, ErrNotReplayable)
	case err != nil:
		return err
	}
	return d.restart(ctx, tenant, stored, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
}

// ReopenEnrollment has an enrollment begun again that was closed or has expired in review, because a named person says so
// (R142, law 5). It queues it, as if it had just come: the dispatcher starts it when its tenant's QMS may be asked.
func (d *Dispatcher) ReopenEnrollment(ctx context.Context, tenant string, stored journal.StoredEnrollment, decision training.Decision) error {
	id := workflows.EnrollmentID(stored.Key)
	if !stored.State.Replayable() {
		return fmt.Errorf("replay %s: %w: its state is %s", id, ErrNotReplayable, stored.State)
	}
	if err := d.notRunning(ctx, id); err != nil {
		return err
	}
	err := d.cfg.Journal.ReopenEnrollment(ctx, tenant, stored.Key, decision, "command")
	if errors.Is(err, journal.ErrNotReplayable) {
		return fmt.Errorf("replay %s: %w: somebody else was faster", id, ErrNotReplayable)
	}
	return err
}

// notRunning is nil if no workflow of this id runs now.
func (d *Dispatcher) notRunning(ctx context.Context, id string) error {
	described, err := d.cfg.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var gone *serviceerror.NotFound
	switch {
	case err != nil && !errors.As(err, &gone):
		return fmt.Errorf("replay %s: %w", id, err)
	case err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return fmt.Errorf("replay %s: %w: its workflow runs; decide there", id, ErrNotReplayable)
	}
	return nil
}

func (d *Dispatcher) restart(ctx context.Context, tenant string, stored journal.Stored, reuse enumspb.WorkflowIdReusePolicy) error {
	err := d.execute(ctx, d.completionStart(journal.Claimed{
		Tenant: tenant, Source: stored.Completion.Source, Platform: stored.Completion.Platform,
		Fingerprint: stored.Fingerprint, DeliveryID: stored.DeliveryID, CourseLabel: stored.Completion.Course.Label(),
	}, reuse))
	if err != nil {
		return fmt.Errorf("replay completion %s: %w", stored.Fingerprint, err)
	}
	return nil
}

// reopened reports whether the last word about a completion is that it is to be started again.
func (d *Dispatcher) reopened(ctx context.Context, tenant string, f training.Fingerprint) (bool, error) {
	decisions, err := d.cfg.Journal.Decisions(ctx, tenant, f)
	if err != nil || len(decisions) == 0 {
		return false, err
	}
	return decisions[len(decisions)-1].Decision.Action == training.ActionReplay, nil
}
