package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// How long one attempt may take. A QMS call is cut off after 10 s by the client. A read-only step
// makes up to three (token, call, and both again after a 401, which comes quickly);
// CompleteRecord up to eight, with 8 s of waits between them.
const (
	readTimeout    = 35 * time.Second
	writeTimeout   = 100 * time.Second
	journalTimeout = 15 * time.Second
	// noticeTimeout is longer than a slow mail server may take for all recipients: a notice that
	// is cut off after it was taken would be sent again.
	noticeTimeout = 2 * time.Minute
	// heartbeatTimeout is how soon a worker that was killed in the middle of a step is noticed.
	heartbeatTimeout = 15 * time.Second
	// queuePatience ends the wait in a tenant's own queue that no worker polls any more, because its
	// settings have changed: then a person hears of it.
	queuePatience = 24 * time.Hour
)

// HeartbeatEvery is how often a step under way must say that it lives.
const HeartbeatEvery = 4 * time.Second

// readOnly runs a step that changes nothing. Its first attempt is a local activity, which
// costs one history event instead of six; when that fails transiently, the rest of the
// schedule is an ordinary activity, so that every retry is visible in the Web UI. The
// attempts and the gaps between them are the same as those of any other step.
func readOnly[Out any](ctx workflow.Context, c *completion, name string, input func(Ref) any) (Out, *training.Failure, error) {
	return unheld(ctx, c, func() (Out, *training.Failure, error) { return readScheduled[Out](ctx, c, name, input) })
}

// readScheduled is readOnly for one schedule, whatever it comes to. Where the QMS has a budget all of it is
// an ordinary activity, because only those go through the queue that keeps the rate.
func readScheduled[Out any](ctx workflow.Context, c *completion, name string, input func(Ref) any) (Out, *training.Failure, error) {
	if c.queue(name) != "" {
		step := newStep[Out](c, name, readTimeout, input(c.ref))
		step.begin(ctx, c.in.Policy.Retry)
		if err := c.together(ctx, step); err != nil {
			var none Out
			return none, nil, err
		}
		return step.get(ctx)
	}
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: readTimeout,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var out Out
	failure, err := failureOf(name, workflow.ExecuteLocalActivity(local, name, input(c.ref)).Get(ctx, &out))
	if err != nil || failure == nil || !failure.Class.Transient() || failure.Class == training.FailureHeld || c.in.Policy.Retry.Attempts < 2 {
		return out, failure, err
	}

	gap, rest := c.in.Policy.Retry.AfterFirst()
	gap = min(max(gap, failure.RetryAfter), c.in.Policy.Retry.Maximum)
	if err := c.showRetrying(ctx, failure, gap); err != nil {
		return out, nil, err
	}
	pause := newPause(ctx, gap, fmt.Sprintf("retry 1 of %d: %s", rest.Attempts, failure.Class))
	if err := c.together(ctx, pause); err != nil {
		return out, nil, err
	}
	if pause.cut {
		rest = c.in.Policy.Retry // a person has said "retry": the schedule begins anew
	}
	again := c.ref
	again.Again, again.Retry = true, rest
	step := newStep[Out](c, name, readTimeout, input(again))
	step.earlier = failure.Attempts
	step.begin(ctx, rest)
	if err := c.together(ctx, step); err != nil {
		return out, nil, err
	}
	return step.get(ctx)
}

// effect starts a step that changes something, as an ordinary activity under the tenant's
// retry schedule.
func effect[Out any](ctx workflow.Context, c *completion, name string, input any) *step[Out] {
	step := newStep[Out](c, name, writeTimeout, input)
	step.begin(ctx, c.in.Policy.Retry)
	return step
}

// step is an activity under way.
type step[Out any] struct {
	c       *completion
	name    string
	timeout time.Duration
	input   any
	// earlier are the attempts that were made elsewhere.
	earlier []training.Attempt

	future workflow.Future
	cancel workflow.CancelFunc
}

func newStep[Out any](c *completion, name string, timeout time.Duration, input any) *step[Out] {
	return &step[Out]{c: c, name: name, timeout: timeout, input: input}
}

// begin starts the activity under a retry schedule.
func (s *step[Out]) begin(ctx workflow.Context, retry training.Retry) {
	ctx, s.cancel = workflow.WithCancel(ctx)
	queue, patience := s.c.queue(s.name), time.Duration(0)
	if queue != "" {
		patience = queuePatience
	}
	s.future = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: queue, ScheduleToStartTimeout: patience, Priority: s.c.priority(),
		StartToCloseTimeout: s.timeout,
		HeartbeatTimeout:    heartbeatTimeout,
		// Two attempts never run side by side, also when a person cuts one short.
		WaitForCancellation: true,
		// No ScheduleToCloseTimeout: it would silently cut off the last retry.
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    retry.Initial,
			BackoffCoefficient: retry.Coefficient,
			MaximumInterval:    retry.Maximum,
			MaximumAttempts:    int32(retry.Attempts),
		},
	}), s.name, s.input)
}

// get is the step's result, or a failure for a person, or an error for nobody.
func (s *step[Out]) get(ctx workflow.Context) (Out, *training.Failure, error) {
	var out Out
	failure, err := failureOf(s.name, s.future.Get(ctx, &out))
	if failure != nil {
		failure.Attempts = append(slices.Clip(s.earlier), failure.Attempts...)
	}
	return out, failure, err
}

// journalWrite has the journal told something that must not get lost. The journal is ours, so
// nobody is asked: it is tried until it succeeds, first as a local activity.
func journalWrite(ctx workflow.Context, name string, input, out any) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: journalTimeout,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	err := workflow.ExecuteLocalActivity(local, name, input).Get(ctx, out)
	if err == nil || temporal.IsCanceledError(err) {
		return err
	}
	return startUntilDone(ctx, name, journalTimeout, input).Get(ctx, out)
}

// untilDone runs an activity that is tried until it succeeds.
func untilDone(ctx workflow.Context, name string, timeout time.Duration, input any) error {
	return startUntilDone(ctx, name, timeout, input).Get(ctx, nil)
}

func startUntilDone(ctx workflow.Context, name string, timeout time.Duration, input any) workflow.Future {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: timeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
	})
	return workflow.ExecuteActivity(ctx, name, input)
}

// failureOf tells apart what a person must hear of (a failure) and what ends the workflow (an
// error: it was cancelled).
func failureOf(operation string, err error) (*training.Failure, error) {
	var (
		application *temporal.ApplicationError
		timeout     *temporal.TimeoutError
	)
	switch {
	case err == nil:
		return nil, nil
	case temporal.IsCanceledError(err):
		return nil, err
	case errors.As(err, &application):
		var failure training.Failure
		if application.HasDetails() && application.Details(&failure) == nil && failure.Class != "" {
			return &failure, nil
		}
		return training.Fail(training.FailureDefect, operation, "", application.Type()), nil
	case errors.As(err, &timeout):
		// The attempt outlived its time or its worker: whether it did anything is unknown.
		failure := training.Fail(training.FailureUnreachable, operation, "", timeoutWord(timeout.TimeoutType()))
		if timeout.HasLastHeartbeatDetails() && timeout.LastHeartbeatDetails(&failure.Attempts) != nil {
			failure.Attempts = nil
		}
		return failure, nil
	default:
		return training.Fail(training.FailureDefect, operation, "", "unexpected error"), nil
	}
}

func timeoutWord(t enumspb.TimeoutType) string {
	return "timed out (" + t.String() + ")"
}
