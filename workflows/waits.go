package workflows

import (
	"fmt"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// awaitApproval waits until a person approves or rejects (R120).
func (c *completion) awaitApproval(ctx workflow.Context) (training.Decision, error) {
	if err := c.showApproval(ctx); err != nil {
		return training.Decision{}, err
	}
	wait := RecordWait{Ref: c.ref, State: training.StateWaitingApproval, RecordID: c.result.RecordID}
	return c.wait(ctx, wait, question{ApprovalSignal, training.ApprovalActions()}, func(int) {})
}

// review tells the training admins of the failure (R133) and waits until a person says what
// to do (R139).
func (c *completion) review(ctx workflow.Context, failure *training.Failure) (training.Decision, error) {
	if err := c.showReview(ctx, failure); err != nil {
		return training.Decision{}, err
	}
	wait := RecordWait{Ref: c.ref, State: training.StateInReview, RecordID: c.result.RecordID, Failure: failure}
	return c.wait(ctx, wait, question{ReviewSignal, training.ReviewActions()}, func(round int) {
		c.tellAdmins(ctx, failure, round)
	})
}

// tellAdmins brings the failure to the tenant's AdminInbox. It is not waited for: a notice that
// cannot be sent must not keep a decision from being taken. The run is part of the item's id,
// because a completion that is started again has failures of its own.
func (c *completion) tellAdmins(ctx workflow.Context, failure *training.Failure, round int) {
	run := workflow.GetInfo(ctx).WorkflowExecution.RunID
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := untilDone(ctx, tellAdmins, journalTimeout, TellAdmins{Tenant: c.in.Tenant, Item: InboxItem{
			ID:          fmt.Sprintf("%s/%s/%d", c.in.Fingerprint, run, round),
			Fingerprint: c.in.Fingerprint, Course: c.in.Course, RecordID: c.result.RecordID,
			Class: failure.Class, Detail: failure.Detail, DigestEvery: c.in.Policy.DigestEvery,
		}})
		if err != nil {
			workflow.GetLogger(ctx).Error("training admins not told", "error", err.Error())
		}
	})
}

// wait projects the wait, announces it, asks, and keeps the decision. The journal counts the
// decisions, because it outlives this run.
func (c *completion) wait(ctx workflow.Context, wait RecordWait, q question, announce func(round int)) (training.Decision, error) {
	c.desk.open(ctx, q)
	var recorded RecordedWait
	if err := journalWrite(ctx, recordWait, wait, &recorded); err != nil {
		return training.Decision{}, err
	}
	round := recorded.Decisions + 1
	announce(round)
	decision, err := c.desk.await(ctx)
	if err != nil {
		return training.Decision{}, err
	}
	err = journalWrite(ctx, recordDecision, RecordDecision{
		Ref: c.ref, Decision: decision, Round: round, Via: c.desk.via,
	}, nil)
	if err != nil {
		return training.Decision{}, err
	}
	return decision, c.showRunning(ctx)
}
