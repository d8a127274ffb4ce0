package workflows

import (
	"fmt"
	"strings"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// review tells the training admins of the failure (R133) and waits until a person says what
// to do (R139). decided is false when nobody has said anything for as long as policy waits (R141).
func (c *completion) review(ctx workflow.Context, failure *training.Failure) (decision training.Decision, decided bool, err error) {
	patient := since(ctx, patienceChange)
	c.failure, c.page = failure, reviewPage
	c.allowed = []training.Action{training.ActionRetry, training.ActionClose}
	if patient {
		c.until = workflow.Now(ctx).Add(c.in.Policy.Review.Wait)
	}
	if err := c.showReview(ctx, failure); err != nil {
		return training.Decision{}, false, err
	}
	w := wait{
		state: training.StateInReview, failure: failure,
		question: question{signal: ReviewSignal, allowed: c.allowed, lenient: !patient},
		opened: func(ctx workflow.Context, _ RecordedWait, round int) {
			c.tellAdmins(ctx, InboxItem{Class: failure.Class, Detail: failure.Detail, Cause: c.cause(failure)}, round)
		},
	}
	if patient {
		w.clock = &clock{}
		w.opened = func(ctx workflow.Context, recorded RecordedWait, round int) {
			c.allowed = training.ReviewActions(training.Reviewed{
				Class: failure.Class, Failed: c.failed, Verified: recorded.Verified,
			})
			c.desk.waiting.allowed = c.allowed
			c.show(ctx)
			c.tellAdmins(ctx, InboxItem{Class: failure.Class, Detail: failure.Detail, Cause: c.cause(failure)}, round)
			c.expire(ctx, w.clock, round)
		}
	}
	return c.wait(ctx, w)
}

// cause is what the failure is about: the other system, or the journal.
func (c *completion) cause(failure *training.Failure) string {
	switch {
	case failure.Detail == "journal":
		return CauseJournal
	case strings.HasPrefix(string(failure.Class), "lms_"):
		return CauseLMS
	case c.failed == training.EffectCertificate:
		return CauseCertificate
	case c.failed == training.EffectStatement:
		return CauseLRS
	}
	return CauseQMS
}

// expire makes the appointments of a review: the reminders, and the end.
func (c *completion) expire(ctx workflow.Context, k *clock, round int) {
	now := workflow.Now(ctx)
	for i, after := range c.in.Policy.Review.Reminders() {
		k.add(now.Add(after), "remind the training admins of the review", func(ctx workflow.Context) (bool, error) {
			c.tellAdmins(ctx, InboxItem{
				ID: fmt.Sprintf("%s_%d", NoticeReviewReminder, i+1), Kind: NoticeReviewReminder,
				Class: c.failure.Class, Detail: c.failure.Detail, Until: c.until, Cause: c.cause(c.failure),
			}, round)
			return false, nil
		})
	}
	k.add(c.until, "end as expired in review", func(workflow.Context) (bool, error) { return true, nil })
}

// reviewed does what the decision says, as far as that is not done by carrying on from the start.
// It reports whether the completion has ended by it.
func (c *completion) reviewed(d training.Decision) (ended bool) {
	c.documentsOnly = false
	c.repair = c.repair || d.By == training.ByCountersign
	switch d.Action {
	case training.ActionClose:
		c.decided(training.OutcomeClosed, d)
		return true
	case training.ActionSkipCertificate:
		c.skip(training.EffectCertificate)
	case training.ActionSkipStatement:
		c.skip(training.EffectStatement)
	case training.ActionSkipEvidence:
		c.result.Skipped = append(c.result.Skipped, training.EffectEvidence)
	}
	return false
}

// recordArrived is the retry of a review for want of a record that an enrollment has brought while the completion was on its way
// into the review: too late for the search, and too early for the enrollment to find anybody waiting. Each record is
// tried once, and what people have said by then goes first.
func (c *completion) recordArrived(ctx workflow.Context, recorded RecordedWait) (training.Decision, bool) {
	said := c.desk.decision.Action != "" || workflow.GetSignalChannel(ctx, ReviewSignal).Len() > 0
	if recorded.Linked == "" || recorded.Linked == c.arrived || said {
		return training.Decision{}, false
	}
	c.arrived = recorded.Linked
	return training.EnrollmentArrived(recorded.Linked), true
}

// skip goes on without a document. The record is verified by then, and is not read again.
func (c *completion) skip(kind training.EffectKind) {
	c.result.Skipped = append(c.result.Skipped, kind)
	c.documentsOnly = true
}

// expired ends a completion that nobody has decided about. Everything is kept: what it failed with
// stays in the journal, and a person may have it started again (R142).
func (c *completion) expired() {
	c.result.Outcome = training.OutcomeExpiredInReview
	c.result.Reason = fmt.Sprintf("nobody decided within %s: %s", c.in.Policy.Review.Wait, c.failure.Class)
}
