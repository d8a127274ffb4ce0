package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
)

// How many completions one sweep asks after. Those that hold a slot come first and have a
// budget of their own: 10,000 that wait for people must not hide one that is stuck.
const (
	sweepHolding = 200
	sweepWaiting = 100
)

// endedOutside begins the failure detail of a completion whose workflow was ended from outside.
const endedOutside = "workflow "

// sweep asks Temporal after completions that have not been heard of for a while, and brings
// the journal in line with what it says: a workflow that is gone is started again, one that an
// operator has ended is put up for review. Without it a terminated workflow would be dropped
// silently (law 4) and would hold a slot for ever.
func (d *Dispatcher) sweep(ctx context.Context) error {
	before := time.Now().Add(-d.cfg.StaleAfter)
	holding, err := d.cfg.Journal.Stale(ctx, []training.State{training.StateRunning, training.StateRetrying}, before, sweepHolding)
	if err != nil {
		return err
	}
	waiting, err := d.cfg.Journal.Stale(ctx, []training.State{training.StateWaitingApproval, training.StateWaitingSignature, training.StateInReview}, before, sweepWaiting)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range append(holding, waiting...) {
		err := d.askAfter(ctx, c)
		if errs = append(errs, err); away(err) {
			break // it will not answer for the others either
		}
	}
	return errors.Join(errs...)
}

// away reports whether err says that Temporal does not answer at all.
func away(err error) bool {
	var unavailable *serviceerror.Unavailable
	return errors.As(err, &unavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func (d *Dispatcher) askAfter(ctx context.Context, c journal.Unheard) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if c.State == training.StateInReview && strings.HasPrefix(c.FailureDetail, endedOutside) {
		// Told already. It was ended on purpose; only a replay starts it again.
		return d.cfg.Journal.Touch(ctx, c.Tenant, c.Fingerprint)
	}
	described, err := d.cfg.Temporal.DescribeWorkflowExecution(ctx, workflows.CompletionID(c.Fingerprint), "")
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone):
		// Temporal has lost it, the journal has not. Doing it again is safe: the record is read
		// before it is written, and the stored effects are found.
		d.log(c.Claimed).Warn("workflow is gone, queued again")
		return d.cfg.Journal.Requeue(ctx, c.Tenant, c.Fingerprint, c.UpdatedAt)
	case err != nil:
		return fmt.Errorf("ask after completion %s: %w", c.Fingerprint, err)
	}
	switch status := described.GetWorkflowExecutionInfo().GetStatus(); status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return d.align(ctx, c, described)
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return d.recordLate(ctx, c, described.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	default:
		return d.abandon(ctx, c.Claimed, described.GetWorkflowExecutionInfo().GetExecution().GetRunId(), endedOutside+status.String())
	}
}

// align brings the journal in line with a workflow that runs: a completion that waits, for a
// person or for its next attempt, must not hold a slot.
func (d *Dispatcher) align(ctx context.Context, c journal.Unheard, described *workflowservice.DescribeWorkflowExecutionResponse) error {
	state := stateOf(described)
	for _, pending := range described.GetPendingActivities() {
		if pending.GetAttempt() > 1 && pending.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED {
			state = training.StateRetrying
		}
	}
	if c.State != training.StateRunning || state == "" || state == training.StateRunning {
		return d.cfg.Journal.Touch(ctx, c.Tenant, c.Fingerprint)
	}
	return d.cfg.Journal.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{State: state})
}

// stateOf is the state a workflow shows in its search attribute, "" if it shows none.
func stateOf(described *workflowservice.DescribeWorkflowExecutionResponse) training.State {
	shown := described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[workflows.StateAttribute.GetName()]
	var state string
	if shown == nil || converter.GetDefaultDataConverter().FromPayload(shown, &state) != nil {
		return ""
	}
	return training.State(state)
}

// recordLate records the outcome of a workflow that ended while the journal does not know of
// it: the journal was restored from a backup. An outcome "completed" needs its proof; without
// it the completion is carried again, which finds by reading what is done.
func (d *Dispatcher) recordLate(ctx context.Context, c journal.Unheard, run string) error {
	var result workflows.CompletionResult
	if err := d.cfg.Temporal.GetWorkflow(ctx, workflows.CompletionID(c.Fingerprint), "").Get(ctx, &result); err != nil {
		return fmt.Errorf("read result of completion %s: %w", c.Fingerprint, err)
	}
	state := result.Outcome.State()
	if !state.Ended() {
		return d.abandon(ctx, c.Claimed, run, endedOutside+"ended with an outcome that this version does not know")
	}
	if state == training.StateCompleted {
		for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate} {
			if slices.Contains(result.Skipped, kind) {
				continue // a person has decided to do without it
			}
			_, err := d.cfg.Journal.Effect(ctx, c.Tenant, c.Fingerprint, kind)
			if errors.Is(err, journal.ErrNotFound) {
				d.log(c.Claimed).Warn("completed without a proof in the journal, carried again", "missing", kind)
				return d.start(ctx, c.Claimed, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
			}
			if err != nil {
				return err
			}
		}
	}
	if state.Replayable() {
		again, err := d.reopened(ctx, c.Tenant, c.Fingerprint)
		if err != nil {
			return err
		}
		if again { // by somebody whose start did not get through
			return d.start(ctx, c.Claimed, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
		}
	}
	d.log(c.Claimed).Warn("outcome was not in the journal, recorded now", "outcome", result.Outcome)
	return d.cfg.Journal.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{State: state, RecordID: result.RecordID})
}

// abandon puts a completion up for review that no workflow carries any more: since its last run has ended, "" for one that could not be
// started. What is told again because the journal was not reached afterwards is one item by that.
func (d *Dispatcher) abandon(ctx context.Context, c journal.Claimed, run, detail string) error {
	d.log(c).Error("no workflow carries the completion, put up for review", "detail", detail)
	err := d.inbox.Tell(ctx, workflows.TellAdmins{Tenant: c.Tenant, Item: workflows.InboxItem{
		ID: string(c.Fingerprint) + "/" + detail + "/" + cmp.Or(run, time.Now().UTC().Format("2006-01-02T15")), Fingerprint: c.Fingerprint,
		Course: c.CourseLabel, Class: training.FailureDefect, Detail: detail,
		DigestEvery: d.cfg.Policy(c.Tenant).DigestEvery, DigestLongest: d.cfg.Policy(c.Tenant).DigestLongest,
	}})
	if err != nil {
		return err
	}
	return d.cfg.Journal.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{
		State: training.StateInReview, FailureClass: training.FailureDefect, FailureDetail: detail,
	})
}
