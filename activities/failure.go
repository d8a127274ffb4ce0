package activities

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// attempt runs one attempt of a step that reaches other systems, and turns its error into
// what Temporal and people understand: a *training.Failure becomes an application error of its
// class, retryable or not; the journal learns that the completion is retrying, so that it does
// not count as in flight while it waits.
//
// The step itself has a little less time than the attempt, so that there is some left to say
// that it ran out.
func attempt[Out any](ctx context.Context, a *Activities, ref workflows.Ref, step func(context.Context, subject) (Out, error)) (Out, error) {
	return try(ctx, a, ref, true, step)
}

// look is an attempt of a step that reads while the completion waits for a person: whatever comes of
// it, the journal goes on saying that it waits.
func look[Out any](ctx context.Context, a *Activities, ref workflows.Ref, step func(context.Context, subject) (Out, error)) (Out, error) {
	return try(ctx, a, ref, false, step)
}

func try[Out any](ctx context.Context, a *Activities, ref workflows.Ref, moves bool, step func(context.Context, subject) (Out, error)) (_ Out, err error) {
	var none Out
	info := activity.GetInfo(ctx)
	earlier := attemptsBefore(ctx)
	if !info.IsLocalActivity {
		defer heartbeat(ctx, earlier)()
	}
	fail := func(err error) error { return a.failed(ctx, ref, moves, earlier, err) }
	defer func() {
		if p := recover(); p != nil {
			// Its text could be anything, also personal data; the stack says where.
			a.log(ref).Error("step panicked", "step", info.ActivityType.Name, "stack", string(debug.Stack()))
			err = fail(training.Fail(training.FailureDefect, info.ActivityType.Name, "", "panic"))
		}
	}()
	if moves && (ref.Again || info.Attempt > 1) {
		err := a.cfg.Journal.Project(ctx, ref.Tenant, ref.Fingerprint, journal.Projection{State: training.StateRunning})
		if err != nil {
			return none, fail(journalFailure("project state", err))
		}
	}
	working, cancel := context.WithDeadline(ctx, info.Deadline.Add(-timeToSay))
	defer cancel()
	s, err := a.open(working, ref)
	if err != nil {
		return none, fail(err)
	}
	out, err := step(working, s)
	if err != nil {
		return none, fail(err)
	}
	return out, nil
}

// timeToSay is what is kept of an attempt's time to record and report that it failed.
const timeToSay = 3 * time.Second

// heartbeat says that the step lives until the returned function is called. It carries what earlier
// attempts came to, because Temporal hands the last heartbeat to the next attempt.
func heartbeat(ctx context.Context, earlier []training.Attempt) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(workflows.HeartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, earlier)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// failed is the one place where an error of the outer world becomes an error of Temporal.
func (a *Activities) failed(ctx context.Context, ref workflows.Ref, moves bool, earlier []training.Attempt, err error) error {
	info := activity.GetInfo(ctx)
	log := a.log(ref).With("step", info.ActivityType.Name, "attempt", info.Attempt)

	var failure *training.Failure
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return err // the worker stops; another one takes over
	case errors.As(err, &failure):
	default:
		failure = training.FailWith(training.FailureDefect, info.ActivityType.Name, "", err)
	}
	if failure.Class != training.FailureHeld {
		log.Warn("step failed", "class", failure.Class, "failure", failure.Error())
	} else {
		log.Info("step held", "why", failure.Detail)
	}

	if moves && failure.Retryable() {
		// The projection is for people and for dispatch; a journal that is down as well must
		// not hide the failure.
		perr := a.cfg.Journal.Project(ctx, ref.Tenant, ref.Fingerprint, journal.Projection{
			State: training.StateRetrying, FailureClass: failure.Class, FailureDetail: failure.Detail, FailureTarget: failure.Target,
		})
		if perr != nil {
			log.Error("retrying not recorded", "error", perr)
		}
	}
	return applicationError(ctx, ref.Retry, earlier, failure)
}

// applicationError is the failure of an attempt as Temporal takes it: with what led to it, and the wait before the next one.
func applicationError(ctx context.Context, retry training.Retry, earlier []training.Attempt, failure *training.Failure) error {
	info, asked := activity.GetInfo(ctx), failure.Class != training.FailureHeld
	delay := nextDelay(retry, int(info.Attempt), failure.RetryAfter)
	// The value, not the pointer: a local activity hands its details on as they are. And with the
	// delay: after a local activity it is the workflow that waits.
	told := *failure
	if told.Attempts = earlier; asked { // a step that was held is no attempt, and waits as long as the hold
		told.RetryAfter = delay
		told.Attempts = attemptsWith(earlier, failure)
	}
	if !info.IsLocalActivity {
		activity.RecordHeartbeat(ctx, told.Attempts)
	}
	return temporal.NewApplicationErrorWithOptions(failure.Error(), string(failure.Class), temporal.ApplicationErrorOptions{
		NonRetryable: !failure.Retryable() || !asked, NextRetryDelay: delay, Details: []any{told},
	})
}

// nextDelay lengthens the schedule's gap by jitter (R129) and to what the other side asked for
// (429 with Retry-After), at most the schedule's maximum: Temporal does not cap it, and a person
// must hear of the failure today. 0 leaves it to the schedule.
func nextDelay(retry training.Retry, attempt int, retryAfter time.Duration) time.Duration {
	gap := retry.Gap(attempt)
	if retry.Jitter == 0 && retryAfter <= gap {
		return 0
	}
	return min(max(gap+time.Duration(retry.Jitter*rand.Float64()*float64(gap)), retryAfter), retry.Maximum)
}

// log names the completion on every line: tenant and fingerprint (R165, R216).
func (a *Activities) log(ref workflows.Ref) *slog.Logger {
	return a.cfg.Log.With("tenant", ref.Tenant, "fingerprint", string(ref.Fingerprint))
}
