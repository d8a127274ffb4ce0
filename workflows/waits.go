package workflows

import (
	"fmt"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// Changes of the order of steps. A history that was begun before one of them has no marker of it and
// replays as it was.
const (
	// patienceChange brought what happens while a completion waits for people: the poll, the notices of
	// approvals, reminders, the check of the approver, the end of a review.
	patienceChange = "patience"
	// hurryChange brought "retry" for a step that is under way.
	hurryChange = "hurry"
	// causesChange brought the inbox that tells causes apart.
	causesChange = "causes"
	// bundlesChange brought bundles of items to the inbox.
	bundlesChange = "bundles"
	// deadQueueChange brought that the wait for a signature leaves a queue which nobody polls any more. It is asked for
	// only where that has happened.
	deadQueueChange = "dead_queue"
)

// The orders of steps, as CompletionInput.Steps counts them. Unlike a version they cost a completion
// no event.
const (
	// stepsShown brought that the first failed attempt of every step shows in lists, and that the inbox hears
	// when a wait has ended.
	stepsShown = 1
	// documentsLocal brought that certificate and statement are tried first as local activities.
	documentsLocal = 2
	// CurrentSteps is what a completion is started with now.
	CurrentSteps = documentsLocal
)

// The orders of steps of an enrollment, as EnrollmentInput.Steps counts them.
const (
	// budgetAwaited brought the wait for an LMS's budget of calls.
	budgetAwaited = 1
	// waitsCutShort brought that the end of an outage and a person's "retry" end such a wait, and that of a hold.
	waitsCutShort = 2
	// CurrentEnrollmentSteps is what an enrollment is started with now.
	CurrentEnrollmentSteps = waitsCutShort
)

// understood stops a worker at a workflow that a newer starter began: in an order of steps that it does not know, it would leave a
// history with which no newer worker can go on. The panic fails the workflow task, not the workflow; the server hands the task out
// again until a worker takes it that knows the order.
func understood(steps, known int) {
	if steps > known {
		panic(fmt.Sprintf("started in the order of steps %d by a newer starter, and this worker knows none after %d: update the workers", steps, known))
	}
}

func since(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) >= 1
}

// wait is one wait for people.
type wait struct {
	state    training.State
	failure  *training.Failure
	question question
	// clock is nil where nothing else is due.
	clock *clock
	// opened is called when the journal knows of the wait; round counts its decision.
	opened func(ctx workflow.Context, recorded RecordedWait, round int)
	// enough says whether a decision ends the wait; nil means that each does.
	enough func(training.Decision) bool
	// more is called after a decision that was not enough.
	more func(ctx workflow.Context, d training.Decision)
}

// wait projects the wait, announces it, asks, and keeps the decisions. The journal counts them,
// because it outlives this run. decided is false when an appointment has ended the wait.
func (c *completion) wait(ctx workflow.Context, w wait) (decision training.Decision, decided bool, err error) {
	c.desk.open(ctx, w.question)
	var recorded RecordedWait
	err = journalWrite(ctx, recordWait, RecordWait{
		Ref: c.ref, State: w.state, RecordID: c.result.RecordID, Failure: w.failure,
	}, &recorded)
	if err != nil {
		return decision, false, err
	}
	round := recorded.Decisions + 1
	if d, arrived := c.recordArrived(ctx, recorded); arrived {
		err := journalWrite(ctx, recordDecision, RecordDecision{Ref: c.ref, Decision: d, Round: round, Via: viaEnrollment}, nil)
		if err != nil {
			return decision, false, err
		}
		c.desk.answered()
		return d, true, c.showRunning(ctx)
	}
	w.opened(ctx, recorded, round)
	for {
		decided, err = c.desk.await(ctx, w.clock)
		if err != nil {
			return decision, false, err
		}
		if !decided {
			c.desk.answered()
			c.tellEnd(ctx, w.state == training.StateInReview)
			return decision, false, nil
		}
		decision = c.desk.decision
		still := w.enough != nil && c.desk.via != viaQMS && !w.enough(decision)
		err = journalWrite(ctx, recordDecision, RecordDecision{
			Ref: c.ref, Decision: decision, Round: round, Via: c.desk.via, StillWaiting: still,
		}, nil)
		if err != nil {
			return decision, false, err
		}
		if !still {
			c.desk.answered()
			c.tellEnd(ctx, false)
			return decision, true, c.showRunning(ctx)
		}
		round++
		c.desk.again()
		w.more(ctx, decision)
	}
}

// tellAdmins brings an item to the tenant's AdminInbox. It is not waited for: a notice that
// cannot be sent must not keep a decision from being taken. The run is part of the item's id,
// because a completion that is started again has failures of its own. An item's own id says which of
// several of the same round it is.
func (c *completion) tellAdmins(ctx workflow.Context, item InboxItem, round int) {
	id := c.itemID(ctx, round)
	if item.ID != "" {
		id += "/" + item.ID
	}
	item.ID = id
	item.Fingerprint, item.Course, item.RecordID = c.in.Fingerprint, c.in.Course, c.result.RecordID
	item.DigestEvery, item.DigestLongest = c.in.Policy.DigestEvery, c.in.Policy.DigestLongest
	if c.in.Steps < stepsShown {
		workflow.Go(ctx, func(ctx workflow.Context) {
			err := untilDone(ctx, tellAdmins, journalTimeout, TellAdmins{Tenant: c.in.Tenant, Item: item})
			if err != nil {
				workflow.GetLogger(ctx).Error("training admins not told", "error", err.Error())
			}
		})
		return
	}
	if !item.Kind.reminds() {
		item.EndTold = true
		announced := item
		c.announced = &announced
	}
	c.tell(ctx, item)
}

// itemID begins the ids of the items of one round of this run.
func (c *completion) itemID(ctx workflow.Context, round int) string {
	return fmt.Sprintf("%s/%s/%d", c.in.Fingerprint, workflow.GetInfo(ctx).WorkflowExecution.RunID, round)
}

// tellEnd lets the inbox know that what it was told of no longer waits, so that nobody is asked or reminded
// any more. That is one event, for completions that waited for a person.
func (c *completion) tellEnd(ctx workflow.Context, expired bool) {
	if c.announced == nil {
		return
	}
	item := *c.announced
	c.announced = nil
	// Without an id: an inbox that does not know ends takes it for nothing.
	c.tell(ctx, InboxItem{Ended: item.ID, Expired: expired, Kind: item.Kind, Class: item.Class, Cause: item.Cause})
}

// tell brings an item to the inbox after whatever it was told before. It is one event, like a journal write.
func (c *completion) tell(ctx workflow.Context, item InboxItem) {
	before := c.told
	told, done := workflow.NewFuture(ctx)
	c.told = told
	workflow.Go(ctx, func(ctx workflow.Context) {
		if before != nil {
			if err := before.Get(ctx, nil); err != nil {
				workflow.GetLogger(ctx).Error("training admins not told before", "error", err.Error())
			}
		}
		done.SetError(journalWrite(ctx, tellAdmins, TellAdmins{Tenant: c.in.Tenant, Item: item}, nil))
	})
}
