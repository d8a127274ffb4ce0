package activities

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
)

// attemptEnrollment is attempt for a step of an enrollment.
func attemptEnrollment[Out any](ctx context.Context, a *Activities, ref workflows.EnrollmentRef, step func(context.Context, enrollee) (Out, error)) (_ Out, err error) {
	var none Out
	info := activity.GetInfo(ctx)
	earlier := attemptsBefore(ctx)
	defer heartbeat(ctx, earlier)()
	fail := func(err error) error { return a.enrollmentFailed(ctx, ref, earlier, err) }
	defer func() {
		if p := recover(); p != nil {
			// Its text could be anything, also personal data; the stack says where.
			a.enrollmentLog(ref).Error("step panicked", "step", info.ActivityType.Name, "stack", string(debug.Stack()))
			err = fail(training.Fail(training.FailureDefect, info.ActivityType.Name, "", "panic"))
		}
	}()
	if info.Attempt > 1 || ref.Again {
		if _, err := a.cfg.Journal.ProjectEnrollment(ctx, ref.Tenant, ref.Key, journal.EnrollmentProjection{State: training.EnrollmentRunning}); err != nil {
			return none, fail(journalFailure("project state", err))
		}
	}
	working, cancel := context.WithDeadline(ctx, info.Deadline.Add(-timeToSay))
	defer cancel()
	// Before the LMS is asked for what the event lacks: its budget is that of completions too.
	if err := a.held(working, workflows.Ref{Tenant: ref.Tenant, Holds: true}); err != nil {
		return none, fail(err)
	}
	e, err := a.enrollee(working, ref)
	if err != nil {
		return none, fail(err)
	}
	out, err := counted(working, a, ref, e, step)
	if err != nil {
		return none, fail(err)
	}
	return out, nil
}

// counted is a step whose calls of the QMS are counted, as atQMS counts those of a completion's.
func counted[Out any](ctx context.Context, a *Activities, ref workflows.EnrollmentRef, e enrollee, step func(context.Context, enrollee) (Out, error)) (Out, error) {
	if e.tenant.Breaker == nil {
		return step(ctx, e)
	}
	watch := e.tenant.Breaker.WatchEnrollment(e.tenant.QMS, ref.Key)
	e.tenant.QMS = watch.Client()
	out, err := step(ctx, e)
	if failure, ok := errors.AsType[*training.Failure](err); ok && watch.Silent() && failure.Class.Outage() {
		failure.Target = training.TargetQMS
	}
	if trip, tripped := watch.Tripped(); tripped {
		a.hold(ctx, ref.Tenant, e.tenant, trip, a.enrollmentLog(ref))
	}
	return out, err
}

// enrollmentFailed turns an error into what Temporal and people understand, and lets the slot go while the enrollment
// waits for its next attempt.
func (a *Activities) enrollmentFailed(ctx context.Context, ref workflows.EnrollmentRef, earlier []training.Attempt, err error) error {
	info := activity.GetInfo(ctx)
	log := a.enrollmentLog(ref).With("step", info.ActivityType.Name, "attempt", info.Attempt)
	var failure *training.Failure
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return err // the worker stops; another one takes over
	case errors.As(err, &failure):
	default:
		failure = training.FailWith(training.FailureDefect, info.ActivityType.Name, "", err)
	}
	if failure.Class == training.FailureHeld {
		log.Info("step held", "why", failure.Detail)
	} else {
		log.Warn("step failed", "class", failure.Class, "failure", failure.Error())
	}
	if failure.Retryable() {
		_, perr := a.cfg.Journal.ProjectEnrollment(ctx, ref.Tenant, ref.Key, journal.EnrollmentProjection{
			State: training.EnrollmentRetrying, FailureClass: failure.Class, FailureDetail: failure.Detail, FailureTarget: failure.Target,
		})
		if perr != nil {
			log.Error("retrying not recorded", "error", perr)
		}
	}
	return applicationError(ctx, ref.Retry, earlier, failure)
}

// enrollmentLog names the enrollment on every line.
func (a *Activities) enrollmentLog(ref workflows.EnrollmentRef) *slog.Logger {
	return a.cfg.Log.With("tenant", ref.Tenant, "enrollment", string(ref.Key))
}
