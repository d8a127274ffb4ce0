package workflows

import (
	"errors"
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
	// settings have changed: then the steps go through the workflow's own.
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
		step := newStep[Out](c, name, readTimeout, input)
		step.start(ctx)
		if err := c.together(ctx, step); err != nil {
			var none Out
			return none, nil, err
		}
		return step.get(ctx)
	}
	var out Out
	failure, err := failureOf(name, locally(ctx, name, readTimeout, input(c.ref)).Get(ctx, &out))
	if err != nil || failure == nil || !failure.Retryable() || failure.Class == training.FailureHeld || c.in.Policy.Retry.Attempts < 2 {
		return out, failure, err
	}

	gap, rest := afterFirst(c.in.Policy.Retry, failure)
	if err := c.showRetrying(ctx, failure, gap, rest); err != nil {
		return out, nil, err
	}
	pause := newPause(ctx, gap, retrySummary(name, rest, failure))
	if err := c.together(ctx, pause); err != nil {
		return out, nil, err
	}
	if pause.cut {
		rest = c.in.Policy.Retry // a person has said "retry": the schedule begins anew
	}
	again := c.ref
	again.Again, again.Retry = true, rest
	step := newStep[Out](c, name, readTimeout, func(Ref) any { return input(again) })
	step.earlier = failure.Attempts
	step.begin(ctx, rest)
	if err := c.together(ctx, step); err != nil {
		return out, nil, err
	}
	c.showTried(ctx)
	return step.get(ctx)
}

// afterFirst is the wait after a first attempt that was made by itself, and the schedule from there on.
func afterFirst(retry training.Retry, failure *training.Failure) (gap time.Duration, rest training.Retry) {
	gap, rest = retry.AfterFirst()
	return min(max(gap, failure.RetryAfter), retry.Maximum), rest
}

// locally makes one attempt as a local activity.
func locally(ctx workflow.Context, name string, timeout time.Duration, input any) workflow.Future {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: timeout,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             summaries[name],
	})
	return workflow.ExecuteLocalActivity(ctx, name, input)
}

// effect starts a step that changes something, as an ordinary activity under the tenant's
// retry schedule.
func effect[Out any](ctx workflow.Context, c *completion, name string, input func(Ref) any) *step[Out] {
	step := newStep[Out](c, name, writeTimeout, input)
	step.start(ctx)
	return step
}

// issue starts a step that issues a document. Its first attempt is a local activity, as that of a step that
// changes nothing: its bytes are stored before they are sent and sent as stored (law 2), so it comes to the
// same thing however often it is made, also by two workers at once. What fails is seen: it is tried again as
// an ordinary activity.
func issue(ctx workflow.Context, c *completion, name string, input func(Ref) any) *step[Issued] {
	step := newStep[Issued](c, name, writeTimeout, input)
	step.local = c.in.Steps >= documentsLocal
	step.start(ctx)
	return step
}

// step is an activity under way.
type step[Out any] struct {
	c       *completion
	name    string
	timeout time.Duration
	input   func(Ref) any
	// once is true when the first attempt is made by itself, local when that is a local activity.
	once, local bool
	// earlier are the attempts that were made elsewhere.
	earlier []training.Attempt

	future workflow.Future
	cancel workflow.CancelFunc
}

func newStep[Out any](c *completion, name string, timeout time.Duration, input func(Ref) any) *step[Out] {
	return &step[Out]{c: c, name: name, timeout: timeout, input: input}
}

// start starts the activity under the tenant's schedule, so that its first failure shows.
func (s *step[Out]) start(ctx workflow.Context) {
	if s.c.in.Steps < stepsShown || s.c.in.Policy.Retry.Attempts < 2 {
		s.begin(ctx, s.c.in.Policy.Retry)
		return
	}
	s.beginOnce(ctx, s.c.in.Policy.Retry)
}

// begin starts the activity under a retry schedule.
func (s *step[Out]) begin(ctx workflow.Context, retry training.Retry) {
	ctx, s.cancel = workflow.WithCancel(ctx)
	s.future = s.execute(ctx, s.c.ref, retry)
}

// beginOnce starts the activity with one attempt, and if that fails the rest of the schedule as another
// one. It takes the same events as long as nothing fails. When something does, the workflow hears of it
// and can be listed as RETRYING: of a retry inside Temporal it hears nothing.
func (s *step[Out]) beginOnce(ctx workflow.Context, retry training.Retry) {
	s.once = true
	ctx, s.cancel = workflow.WithCancel(ctx)
	once := retry
	once.Attempts = 1
	var first workflow.Future
	if s.local {
		// A local activity that is cancelled is not waited for by the SDK. Two attempts never run side by side.
		whole, _ := workflow.NewDisconnectedContext(ctx)
		first = locally(whole, s.name, readTimeout, s.input(s.c.ref))
	} else {
		first = s.execute(ctx, s.c.ref, once)
	}
	future, done := workflow.NewFuture(ctx)
	s.future = future
	workflow.Go(ctx, func(ctx workflow.Context) {
		var out Out
		err := first.Get(ctx, &out)
		s.c.leaveQueue(err)
		failure, other := failureOf(s.name, err)
		if other != nil || failure == nil || !failure.Retryable() || failure.Class == training.FailureHeld {
			done.Set(out, err)
			return
		}
		if s.local && ctx.Err() != nil {
			done.SetError(ctx.Err())
			return
		}
		s.earlier = failure.Attempts
		err = s.again(ctx, retry, failure, &out)
		s.c.showTried(ctx)
		done.Set(out, err)
	})
}

// again makes the attempts that are left of the schedule.
func (s *step[Out]) again(ctx workflow.Context, retry training.Retry, failure *training.Failure, out *Out) error {
	gap, rest := afterFirst(retry, failure)
	if err := s.c.showRetrying(ctx, failure, gap, rest); err != nil {
		return err
	}
	err := workflow.NewTimerWithOptions(ctx, gap, workflow.TimerOptions{Summary: retrySummary(s.name, rest, failure)}).Get(ctx, nil)
	if err != nil {
		return err
	}
	ref := s.c.ref
	ref.Again, ref.Retry = true, rest
	return s.execute(ctx, ref, rest).Get(ctx, out)
}

func (s *step[Out]) execute(ctx workflow.Context, ref Ref, retry training.Retry) workflow.Future {
	queue, patience := s.c.queue(s.name), time.Duration(0)
	if queue != "" {
		patience = queuePatience
	}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
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
		Summary: summaries[s.name],
	}), s.name, s.input(ref))
}

// get is the step's result, or a failure for a person, or an error for nobody.
func (s *step[Out]) get(ctx workflow.Context) (Out, *training.Failure, error) {
	var out Out
	err := s.future.Get(ctx, &out)
	s.c.leaveQueue(err)
	failure, err := failureOf(s.name, err)
	if failure != nil {
		failure.Attempts = append(slices.Clip(s.earlier), failure.Attempts...)
	}
	return out, failure, err
}

// journalWrite has the journal told something that must not get lost. The journal is ours, so
// nobody is asked: it is tried until it succeeds, first as a local activity.
func journalWrite(ctx workflow.Context, name string, input, out any) error {
	err := locally(ctx, name, journalTimeout, input).Get(ctx, out)
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
		Summary: summaries[name],
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
