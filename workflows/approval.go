package workflows

import (
	"fmt"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// decidedInQMS names who has decided when the QMS did and does not say who.
const decidedInQMS = "QMS"

// verdict is how a wait for an approval ended.
type verdict struct {
	decision training.Decision
	// carried is true when the QMS knows it already, because it was taken there.
	carried bool
}

// awaitApproval waits until a person approves or rejects (R120): here, by the signal or the update, or
// in the QMS itself, which a patient poll notices (R122). It reminds and escalates, and never
// approves by itself. A failure is what makes the wait pointless: the record is gone, cancelled, or
// holds something else. A QMS that does not answer is none: the poll goes on.
func (c *completion) awaitApproval(ctx workflow.Context) (verdict, *training.Failure, error) {
	patient := since(ctx, patienceChange)
	c.page = approvalPage
	if err := c.showApproval(ctx); err != nil {
		return verdict{}, nil, err
	}
	w := wait{
		state:    training.StateWaitingApproval,
		question: question{signal: ApprovalSignal, allowed: training.ApprovalActions(), lenient: !patient},
		opened:   func(workflow.Context, RecordedWait, int) {},
	}
	if !patient {
		decision, _, err := c.wait(ctx, w)
		return verdict{decision: decision}, nil, err
	}
	policy := c.in.Policy.Approval
	w.question.examine = c.examineApprover
	w.clock = &clock{}
	w.opened = func(ctx workflow.Context, _ RecordedWait, round int) {
		c.tellAdmins(ctx, InboxItem{ID: string(NoticeApproval), Kind: NoticeApproval}, round)
		for _, notice := range []struct {
			after   time.Duration
			summary string
			kind    NoticeKind
		}{
			{policy.Remind, "remind the training admins of the approval", NoticeApprovalReminder},
			{policy.Escalate, "escalate: nobody has approved or rejected", NoticeApprovalEscalation},
		} {
			w.clock.add(workflow.Now(ctx).Add(notice.after), notice.summary, func(ctx workflow.Context) (bool, error) {
				c.tellAdmins(ctx, InboxItem{ID: string(notice.kind), Kind: notice.kind}, round)
				return false, nil
			})
		}
	}
	var first training.Decision
	if policy.FourEyes {
		w.enough = func(d training.Decision) bool { return d.Action == training.ActionReject || first.By != "" }
		w.more = func(ctx workflow.Context, d training.Decision) {
			first = d
			c.show(ctx)
		}
	}
	var failure *training.Failure
	c.lookAgain(ctx, w.clock, 1, &failure)
	decision, _, err := c.wait(ctx, w)
	if failure != nil || err != nil {
		return verdict{}, failure, err
	}
	c.result.DecidedBy, c.result.Reason = decision.By, decision.Reason
	carried := c.desk.via == viaQMS
	if first.By != "" && !carried && decision.Action == training.ActionApprove {
		// The QMS takes one approver; its comment names both. The journal has each by itself.
		decision.Reason += fmt.Sprintf(" (first approved by %s: %s)", first.By, first.Reason)
	}
	return verdict{decision, carried}, nil, nil
}

// examineApprover has the learner refused.
func (c *completion) examineApprover(ctx workflow.Context, d training.Decision) (string, error) {
	var approver Approver
	err := journalWrite(ctx, checkApprover, CheckApprover{Ref: c.ref, By: d.By}, &approver)
	return approver.Refused, err
}

// lookAgain makes the appointment for the given read of the record.
func (c *completion) lookAgain(ctx workflow.Context, k *clock, read int, failed **training.Failure) {
	poll := c.in.Policy.Approval.Poll
	if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		poll = poll.Slow()
	}
	gap := poll.Gap(read)
	if c.lookFailed != nil {
		gap = max(gap, c.lookFailed.RetryAfter)
	}
	summary := fmt.Sprintf("read the record, time %d: has the QMS decided?", read)
	k.add(workflow.Now(ctx).Add(gap), summary, func(ctx workflow.Context) (bool, error) {
		var standing Standing
		err := c.look(ctx, readRecord, ReadRecord{Ref: c.ref, RecordID: c.result.RecordID}).Get(ctx, &standing)
		c.leaveQueue(err)
		failure, err := failureOf(readRecord, err)
		switch {
		case err != nil:
			return false, err
		case c.desk.decision.Action != "":
			return false, nil // somebody has decided here meanwhile, and that is carried there
		case failure != nil && !failure.Class.Transient():
			*failed = failure
			return true, nil
		case failure == nil && c.decidedThere(standing.Status):
			return true, nil
		}
		c.lookFailed = failure
		c.show(ctx)
		c.lookAgain(ctx, k, read+1, failed)
		return false, nil
	})
}

// look reads once, in the queue of a QMS with a budget or else as a local activity.
func (c *completion) look(ctx workflow.Context, name string, input any) workflow.Future {
	once := &temporal.RetryPolicy{MaximumAttempts: 1}
	if queue := c.queue(name); queue != "" {
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: queue, ScheduleToStartTimeout: queuePatience, StartToCloseTimeout: readTimeout, RetryPolicy: once, Summary: summaries[name],
		}), name, input)
	}
	return workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: readTimeout, RetryPolicy: once, Summary: summaries[name],
	}), name, input)
}

// decidedThere takes what the record's status says as the answer, if it says one.
func (c *completion) decidedThere(status training.RecordStatus) bool {
	action := training.ActionReject
	switch {
	case status == training.RecordCompleted:
		action = training.ActionApprove
	case !status.Open():
		return false
	}
	c.result.Status = status
	c.desk.via, c.desk.decision = viaQMS, training.Decision{
		Action: action, By: decidedInQMS, Reason: "decided in the QMS; the record was read as " + string(status),
	}.Signed()
	return true
}
