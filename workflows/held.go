package workflows

import (
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ResumeSignal tells a completion that its target answers again.
const ResumeSignal = "resume"

// deafGap is how long a completion waits, whatever it is told, once its history has grown long: a target that
// is read and takes no write for weeks is released and held again every few minutes, and Temporal ends a
// workflow with too many events.
const deafGap = time.Hour

// repairPriority is behind that of new completions, which have Temporal's 3.
const repairPriority = 4

// holdGap is how long a completion waits for the signal before it looks itself, so that a signal that
// was lost delays and does not strand it.
var holdGap = training.Poll{First: 15 * time.Minute, Maximum: 4 * time.Hour}

// unheld runs a step, and waits and runs it again for as long as its target is held or paused. A held
// step has asked nothing, so it has used up no attempt: the schedule begins anew.
func unheld[Out any](ctx workflow.Context, c *completion, step func() (Out, *training.Failure, error)) (Out, *training.Failure, error) {
	for n := 1; ; n++ {
		// What was said before the step began was about an earlier hold.
		resumes := workflow.GetSignalChannel(ctx, ResumeSignal)
		for resumes.ReceiveAsync(nil) {
		}
		out, failure, err := step()
		if err != nil || failure == nil || failure.Class != training.FailureHeld {
			return out, failure, err
		}
		if err := c.waitOutHold(ctx, failure, n); err != nil {
			return out, nil, err
		}
	}
}

// waitOutHold waits until the target is said to answer, a person says "retry", or it is time to look.
func (c *completion) waitOutHold(ctx workflow.Context, failure *training.Failure, n int) error {
	gap := max(holdGap.Gap(n), failure.RetryAfter)
	deaf := workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	if deaf {
		gap = max(deafGap, failure.RetryAfter)
	}
	if err := c.showHeld(ctx, failure, gap); err != nil {
		return err
	}
	hold := newHold(ctx, gap)
	hold.deaf = deaf
	if err := c.together(ctx, hold); err != nil {
		return err
	}
	hold.stop()
	c.repair, c.ref.Again = true, true
	c.page = func(*completion) string { return "Under way again: the QMS was held." }
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRunning)), FailureAttribute.ValueUnset())
}

// hold is the wait for a held target.
type hold struct {
	*pause
	resumes workflow.ReceiveChannel
	// deaf is true where only time ends it, or a person.
	deaf bool
}

func newHold(ctx workflow.Context, gap time.Duration) *hold {
	return &hold{pause: newPause(ctx, gap, "held: look again at the latest"), resumes: workflow.GetSignalChannel(ctx, ResumeSignal)}
}

func (h *hold) ready() bool { return h.pause.ready() || !h.deaf && h.resumes.Len() > 0 }

// restart does nothing: "retry" has ended the wait, and the step is what begins anew.
func (h *hold) restart(workflow.Context) {}

func (c *completion) showHeld(ctx workflow.Context, failure *training.Failure, gap time.Duration) error {
	latest := workflow.Now(ctx).Add(gap)
	c.page = func(*completion) string { return heldPage(failure, latest) + tryNow() }
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRetrying)), FailureAttribute.ValueSet(string(failure.Class)))
}

// tryNow ends the page of a wait that "retry" cuts short.
func tryNow() string {
	return "\n\nTo try now all the same, send the signal `review` (or the update `decide`):\n\n" + examples([]training.Action{training.ActionRetry})
}

// heldPage says what is waited for while nothing is asked of the QMS.
func heldPage(failure *training.Failure, latest time.Time) string {
	text := fmt.Sprintf("**Held: %s.**\n\nNothing has to be done: it goes on by itself when the QMS answers or is resumed. "+
		"No attempt is used up, and it looks itself at %s at the latest.", escapeLong(failure.Detail), clockTime(latest))
	for i, attempt := range failure.Attempts {
		if i == 0 {
			text += "\n\nAttempts:\n"
		}
		text += fmt.Sprintf("\n- %s %s %s", clockTime(attempt.At), attempt.Class, code(attempt.Detail))
	}
	return text
}

// priority puts what an outage has held back behind what is new.
func (c *completion) priority() temporal.Priority {
	if !c.repair {
		return temporal.Priority{} // the workflow's own
	}
	return temporal.Priority{PriorityKey: repairPriority, FairnessKey: c.in.Tenant}
}

// queue is where a step's tasks go: those that reach a QMS with a budget have a queue of their own,
// whose rate holds over all workers. "" is the workflow's own.
func (c *completion) queue(step string) string {
	switch step {
	case resolveLearner, checkRecord, completeRecord, carryDecision, readRecord, enrollTrainee, keepDocument, readSignature:
		return c.in.QMSQueue
	default:
		return ""
	}
}

// leaveQueue gives up the queue of a budget that no worker polls any more. A person who says "retry" could wait
// in it for ever. What is left of the budget is kept by each worker.
func (c *completion) leaveQueue(err error) {
	if unpolled(err) {
		c.in.QMSQueue = ""
	}
}

// unpolled reports whether err says that no worker has taken a step in time.
func unpolled(err error) bool {
	timeout, ok := errors.AsType[*temporal.TimeoutError](err)
	return ok && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}

// QMSQueue is the task queue of the steps that reach the tenant's QMS, where it has a budget.
func QMSQueue(taskQueue, tenant string) string { return taskQueue + "/qms/" + tenant }
