package workflows

import (
	"fmt"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// waitOutHold waits until the target is said to answer, a person says "retry", or it is time to look. n counts the
// holds in a row.
func (e *enrollment) waitOutHold(ctx workflow.Context, failure *training.Failure, n int) error {
	gap := max(holdGap.Gap(n), failure.RetryAfter)
	if e.in.Steps < waitsCutShort {
		return e.waitOut(ctx, failure, gap, "held: look again", heldPage(failure, workflow.Now(ctx).Add(gap)))
	}
	var resumes workflow.ReceiveChannel
	if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		gap = max(deafGap, failure.RetryAfter)
	} else {
		resumes = workflow.GetSignalChannel(ctx, ResumeSignal)
	}
	page := heldPage(failure, workflow.Now(ctx).Add(gap)) + tryNow()
	return e.waitOrHear(ctx, failure, newPause(ctx, gap, "held: look again at the latest"), page, resumes)
}

// waitForTurn waits until the LMS's budget of calls may be free again, or a person says "retry": somebody may have raised it.
func (e *enrollment) waitForTurn(ctx workflow.Context, failure *training.Failure) error {
	gap := e.in.Policy.Retry.Maximum
	page := fmt.Sprintf("**Waits for its turn.** %s\n\nIt goes on by itself at %s.", failure.Class.Explain().Happened, clockTime(workflow.Now(ctx).Add(gap)))
	const summary = "the LMS's budget of calls is used up"
	if e.in.Steps < waitsCutShort {
		return e.waitOut(ctx, failure, gap, summary, page)
	}
	return e.waitOrHear(ctx, failure, newPause(ctx, gap, summary), page+tryNow(), nil)
}

// waitOut waits while the QMS or the LMS is not asked, as enrollments did that hear nothing meanwhile.
func (e *enrollment) waitOut(ctx workflow.Context, failure *training.Failure, gap time.Duration, summary, page string) error {
	e.page = page
	if err := e.shows(ctx, training.EnrollmentRetrying, failure.Class); err != nil {
		return err
	}
	if err := workflow.NewTimerWithOptions(ctx, gap, workflow.TimerOptions{Summary: summary}).Get(ctx, nil); err != nil {
		return err
	}
	return e.underWayAgain(ctx, failure)
}

// waitOrHear waits while the QMS or the LMS is not asked. It ends with p, with what resumes brings (nil for nothing), or
// with a person's "retry", which is kept like any decision.
func (e *enrollment) waitOrHear(ctx workflow.Context, failure *training.Failure, p *pause, page string, resumes workflow.ReceiveChannel) error {
	e.page = page
	if err := e.shows(ctx, training.EnrollmentRetrying, failure.Class); err != nil {
		return err
	}
	e.desk.begin(ctx)
	defer e.desk.rest()
	over := func() bool { return p.ready() || resumes != nil && resumes.Len() > 0 }
	for !over() {
		if err := workflow.Await(ctx, func() bool { return over() || e.desk.hurried(ctx) }); err != nil {
			return err
		}
		if over() {
			break
		}
		if h := e.desk.takeHurry(ctx); h != nil {
			if err := e.recordHurry(ctx, failure, h); err != nil {
				return err
			}
			break
		}
	}
	p.stop()
	e.ref.Again = true
	return e.underWayAgain(ctx, failure)
}

// recordHurry keeps who has said "retry", as completions do.
func (e *enrollment) recordHurry(ctx workflow.Context, failure *training.Failure, h *hurry) error {
	var recorded RecordedWait
	err := journalWrite(ctx, recordEnrollment, RecordEnrollment{EnrollmentRef: e.ref, State: training.EnrollmentRetrying, Failure: failure}, &recorded)
	if err != nil {
		return err
	}
	return journalWrite(ctx, recordEnrollment, RecordEnrollment{
		EnrollmentRef: e.ref, State: training.EnrollmentRunning, Decision: &h.decision, Round: recorded.Decisions + 1, Via: h.via,
	}, nil)
}

func (e *enrollment) underWayAgain(ctx workflow.Context, failure *training.Failure) error {
	e.page = "Under way again after a wait: " + string(failure.Class) + "."
	return e.shows(ctx, training.EnrollmentRunning, "")
}
