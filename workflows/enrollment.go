package workflows

import (
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// EnrollmentInput starts an Enrollment. The tenant's policy travels with it.
type EnrollmentInput struct {
	Tenant   string                 `json:"tenant"`
	Source   string                 `json:"source"`
	Platform string                 `json:"platform"`
	Key      training.EnrollmentKey `json:"key"`
	// Course is the course's code, title or id, for people to read.
	Course string          `json:"course"`
	Policy training.Policy `json:"policy"`
	// QMSQueue is where the step goes that reaches a QMS with a budget; "" for one without.
	QMSQueue string `json:"qmsQueue,omitempty"`
	// Steps is CurrentEnrollmentSteps of whoever started it; 0 in what was started before they were counted.
	Steps int `json:"steps,omitempty"`
}

// EnrollmentResult is how an enrollment ended.
type EnrollmentResult struct {
	State    training.EnrollmentState `json:"state"`
	RecordID string                   `json:"recordId,omitempty"`
	Status   training.RecordStatus    `json:"status,omitempty"`
	Created  bool                     `json:"created,omitempty"`
	// DecidedBy names the person who closed it.
	DecidedBy string `json:"decidedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Enrollment gives an enrollment its training record, and keeps the link between the two (R97, R98).
//
//	employee known? ─► record linked, open or fulfilled? ─► else create, read back ─► link ─► LINKED
//
// What the retries after 1, 5 and 15 minutes cannot mend is told to the training admins and waits for a
// person: retry begins anew, close ends it without a link, and so does a wait that nobody answers. The
// completion does not depend on it: without a link its record is searched for.
func Enrollment(ctx workflow.Context, in EnrollmentInput) (EnrollmentResult, error) {
	e, err := newEnrollment(ctx, in)
	if err != nil {
		return EnrollmentResult{}, err
	}
	for held := 1; ; held++ {
		failure, err := e.linkInBudget(ctx)
		if err != nil {
			return EnrollmentResult{}, err
		}
		if failure != nil && failure.Class == training.FailureHeld {
			if err := e.waitOutHold(ctx, failure, held); err != nil {
				return EnrollmentResult{}, err
			}
			continue
		}
		held = 0
		switch {
		case failure == nil:
			return e.end(ctx, RecordEnrollment{State: training.EnrollmentLinked, RecordID: e.result.RecordID})
		case failure.Class == training.FailureEnrollmentsOff:
			e.result.Reason = "the tenant's policy has come to ignore enrollments"
			return e.end(ctx, RecordEnrollment{State: training.EnrollmentClosed, Failure: failure})
		}
		ended, err := e.review(ctx, failure)
		if err != nil || ended {
			return e.result, err
		}
	}
}

// enrollment is one run of the workflow.
type enrollment struct {
	in     EnrollmentInput
	ref    EnrollmentRef
	result EnrollmentResult
	desk   *desk
	// page is what the details say.
	page string
}

func newEnrollment(ctx workflow.Context, in EnrollmentInput) (*enrollment, error) {
	understood(in.Steps, CurrentEnrollmentSteps)
	e := &enrollment{in: in, ref: EnrollmentRef{Tenant: in.Tenant, Key: in.Key, Retry: in.Policy.Retry}, page: "Under way."}
	if err := errors.Join(in.Policy.Retry.Validate(), in.Policy.Review.Validate()); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("start enrollment: "+err.Error(), string(training.FailureDefect), nil)
	}
	e.desk = &desk{show: e.show}
	workflow.GetSignalChannelWithOptions(ctx, ReviewSignal, workflow.SignalChannelOptions{
		Description: "Decide about an enrollment in review: " + training.ActionRetry.Example() + ` or "close". "retry" also ends the wait for the QMS or the LMS.`,
	})
	workflow.GetSignalChannelWithOptions(ctx, ResumeSignal, workflow.SignalChannelOptions{
		Description: "Look at once whether the target answers again. Sent by Countersign itself; it carries nothing, and decides nothing.",
	})
	if err := e.desk.takeUpdates(ctx, "enrollment"); err != nil {
		return nil, err
	}
	e.show(ctx)
	return e, nil
}

// linkInBudget is link, begun anew for a day where the LMS's budget of calls is used up: a company's enrollments come
// by the thousand, and that they have to wait for their turn is no question for a person.
func (e *enrollment) linkInBudget(ctx workflow.Context) (*training.Failure, error) {
	until := workflow.Now(ctx).Add(budgetPatience)
	for {
		// What was said before the step began was about an earlier hold.
		for resumes := workflow.GetSignalChannel(ctx, ResumeSignal); resumes.ReceiveAsync(nil); {
		}
		failure, err := e.link(ctx)
		limited := failure != nil && failure.Class == training.FailureLMSRateLimited && e.in.Steps >= budgetAwaited
		if err != nil || !limited || !workflow.Now(ctx).Before(until) {
			return failure, err
		}
		if err := e.waitForTurn(ctx, failure); err != nil {
			return nil, err
		}
	}
}

// link finds or creates the record and keeps the link, under the tenant's schedule.
func (e *enrollment) link(ctx workflow.Context) (*training.Failure, error) {
	retry := e.in.Policy.Retry
	patience := time.Duration(0)
	if e.in.QMSQueue != "" {
		patience = queuePatience
	}
	future := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		// In the QMS's budget new completions come first.
		TaskQueue: e.in.QMSQueue, ScheduleToStartTimeout: patience,
		Priority:            temporal.Priority{PriorityKey: repairPriority, FairnessKey: e.in.Tenant},
		StartToCloseTimeout: writeTimeout,
		HeartbeatTimeout:    heartbeatTimeout,
		// No ScheduleToCloseTimeout: it would silently cut off the last retry.
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: retry.Initial, BackoffCoefficient: retry.Coefficient,
			MaximumInterval: retry.Maximum, MaximumAttempts: int32(retry.Attempts),
		},
		Summary: "find or create the training record, and link it",
	}), linkEnrollment, e.ref)
	var linked LinkedEnrollment
	err := future.Get(ctx, &linked)
	if unpolled(err) {
		e.in.QMSQueue = ""
	}
	failure, err := failureOf(linkEnrollment, err)
	if failure != nil || err != nil {
		return failure, err
	}
	e.result.RecordID, e.result.Status, e.result.Created = linked.RecordID, linked.Status, linked.Created
	// What waits for this record goes on without being asked.
	return nil, journalWrite(ctx, wakeCompletions, WakeCompletions{EnrollmentRef: e.ref, RecordID: linked.RecordID}, nil)
}

// review tells the training admins and waits for what a person says. It reports whether the enrollment has
// ended by it, or because nobody has said anything for as long as policy waits.
func (e *enrollment) review(ctx workflow.Context, failure *training.Failure) (ended bool, err error) {
	allowed := []training.Action{training.ActionRetry, training.ActionClose}
	e.desk.open(ctx, question{signal: ReviewSignal, allowed: allowed})
	until := workflow.Now(ctx).Add(e.in.Policy.Review.Wait)
	e.page = fmt.Sprintf("**Needs a review.** The enrollment has no training record.\n\n%s\n\nSend the signal `review` (or the update `decide`):\n\n%s\n"+
		"Without a decision it ends as expired in review at %s.", sentencesOf(failure, failure.Class.ExplainEnrollment()), examples(allowed), clockTime(until))
	if err := e.shows(ctx, training.EnrollmentInReview, failure.Class); err != nil {
		return false, err
	}
	var recorded RecordedWait
	err = journalWrite(ctx, recordEnrollment, RecordEnrollment{EnrollmentRef: e.ref, State: training.EnrollmentInReview, Failure: failure}, &recorded)
	if err != nil {
		return false, err
	}
	round := recorded.Decisions + 1
	e.tellAdmins(ctx, InboxItem{Class: failure.Class, Detail: failure.Detail}, round)
	decided, err := e.desk.await(ctx, e.appointments(ctx, failure, until, round))
	if err != nil {
		return false, err
	}
	decision, via := e.desk.decision, e.desk.via
	e.desk.answered()
	switch {
	case !decided:
		e.result.Reason = fmt.Sprintf("nobody decided within %s: %s", e.in.Policy.Review.Wait, failure.Class)
		_, err = e.end(ctx, RecordEnrollment{State: training.EnrollmentExpiredInReview, Failure: failure})
		return true, err
	case decision.Action == training.ActionClose:
		e.result.DecidedBy, e.result.Reason = decision.By, decision.Reason
		_, err = e.end(ctx, RecordEnrollment{State: training.EnrollmentClosed, Failure: failure, Decision: &decision, Round: round, Via: via})
		return true, err
	}
	err = journalWrite(ctx, recordEnrollment, RecordEnrollment{
		EnrollmentRef: e.ref, State: training.EnrollmentRunning, Decision: &decision, Round: round, Via: via,
	}, nil)
	if err != nil {
		return false, err
	}
	e.page = "Under way again after a decision."
	return false, e.shows(ctx, training.EnrollmentRunning, "")
}

// appointments are the reminders of a review, and its end.
func (e *enrollment) appointments(ctx workflow.Context, failure *training.Failure, until time.Time, round int) *clock {
	k := &clock{}
	for i, after := range e.in.Policy.Review.Reminders() {
		k.add(workflow.Now(ctx).Add(after), "remind the training admins of the review", func(ctx workflow.Context) (bool, error) {
			e.tellAdmins(ctx, InboxItem{
				ID: fmt.Sprintf("%s_%d", NoticeReviewReminder, i+1), Kind: NoticeReviewReminder,
				Class: failure.Class, Detail: failure.Detail, Until: until,
			}, round)
			return false, nil
		})
	}
	k.add(until, "end as expired in review", func(workflow.Context) (bool, error) { return true, nil })
	return k
}

// tellAdmins brings an item to the tenant's AdminInbox. It is not waited for.
func (e *enrollment) tellAdmins(ctx workflow.Context, item InboxItem, round int) {
	item.ID = fmt.Sprintf("%s/%s/%d/%s", EnrollmentID(e.in.Key), workflow.GetInfo(ctx).WorkflowExecution.RunID, round, item.ID)
	item.Course, item.Cause = EnrollmentLabel+e.in.Course, CauseEnrollment
	item.DigestEvery, item.DigestLongest = e.in.Policy.DigestEvery, e.in.Policy.DigestLongest
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := untilDone(ctx, tellAdmins, journalTimeout, TellAdmins{Tenant: e.in.Tenant, Item: item}); err != nil {
			workflow.GetLogger(ctx).Error("training admins not told", "error", err.Error())
		}
	})
}

// end records how it ended, and closes the desk.
func (e *enrollment) end(ctx workflow.Context, in RecordEnrollment) (EnrollmentResult, error) {
	in.EnrollmentRef = e.ref
	if err := journalWrite(ctx, recordEnrollment, in, nil); err != nil {
		return EnrollmentResult{}, err
	}
	e.result.State = in.State
	e.page = fmt.Sprintf("Ended: **%s**.", in.State)
	if e.result.DecidedBy != "" {
		e.page += fmt.Sprintf(" Decided by %s.", escape(e.result.DecidedBy))
	}
	if e.result.RecordID != "" {
		e.page += fmt.Sprintf(" Training record `%s`, %s.", escape(e.result.RecordID), e.result.Status)
	}
	if err := e.shows(ctx, in.State, ""); err != nil {
		return EnrollmentResult{}, err
	}
	return e.result, e.desk.close(ctx)
}
