package workflows

import (
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// underway is something that is waited for and that a person may cut short with "retry": an activity
// with its retries, or the pause before them.
type underway interface {
	ready() bool
	// stop ends it before its time. It may end by itself all the same.
	stop()
	// restart begins it anew if stop has ended it.
	restart(ctx workflow.Context)
}

// together waits until all are done. A "retry" of a person ends the wait for the next attempt: what is
// not done is cancelled and begins anew, with a whole schedule before it (R123). Cutting a write short
// is safe: whatever it did is found by reading (law 3).
func (c *completion) together(ctx workflow.Context, all ...underway) error {
	c.desk.begin(ctx)
	defer c.desk.rest()
	done := func() bool {
		for _, u := range all {
			if !u.ready() {
				return false
			}
		}
		return true
	}
	for {
		if err := workflow.Await(ctx, func() bool { return done() || c.desk.hurried(ctx) }); err != nil {
			return err
		}
		if done() {
			return nil
		}
		hurry := c.desk.takeHurry(ctx)
		if hurry == nil {
			continue
		}
		for _, u := range all {
			u.stop()
		}
		if err := workflow.Await(ctx, done); err != nil {
			return err
		}
		if err := c.recordHurry(ctx, hurry); err != nil {
			return err
		}
		for _, u := range all {
			u.restart(ctx)
		}
	}
}

// recordHurry keeps the decision, as any other.
func (c *completion) recordHurry(ctx workflow.Context, h *hurry) error {
	var recorded RecordedWait
	err := journalWrite(ctx, recordWait, RecordWait{Ref: c.ref, State: training.StateRetrying, RecordID: c.result.RecordID}, &recorded)
	if err != nil {
		return err
	}
	err = journalWrite(ctx, recordDecision, RecordDecision{
		Ref: c.ref, Decision: h.decision, Round: recorded.Decisions + 1, Via: h.via,
	}, nil)
	if err != nil {
		return err
	}
	return c.showRunning(ctx)
}

// begin lets "retry" be said about the steps that begin now. What was said before was about others.
func (d *desk) begin(ctx workflow.Context) {
	ignoreAll(ctx, ReviewSignal)
	d.underway, d.hurry = true, nil
}

// rest ends that.
func (d *desk) rest() {
	d.underway = false
	if d.hurry != nil {
		d.hurry.passed = true
	}
}

func (d *desk) hurried(ctx workflow.Context) bool {
	return d.hurry != nil || workflow.GetSignalChannel(ctx, ReviewSignal).Len() > 0
}

// takeHurry takes a "retry", nil if what has come is none.
func (d *desk) takeHurry(ctx workflow.Context) *hurry {
	if h := d.hurry; h != nil {
		d.hurry = nil
		h.taken = true
		return h
	}
	var a answer
	if !workflow.GetSignalChannel(ctx, ReviewSignal).ReceiveAsync(&a) {
		a.problem = "it cannot be read"
	}
	if err := d.check(a); err != nil {
		d.ignore(ctx, ReviewSignal, why(err))
		return nil
	}
	if !since(ctx, hurryChange) {
		return nil
	}
	return &hurry{decision: a.Decision, via: viaOf(a.Decision)}
}

func (s *step[Out]) ready() bool { return s.future.IsReady() }

func (s *step[Out]) stop() { s.cancel() }

func (s *step[Out]) restart(ctx workflow.Context) {
	if temporal.IsCanceledError(s.future.Get(ctx, nil)) {
		s.earlier = nil
		if s.once {
			s.beginOnce(ctx, s.c.in.Policy.Retry)
			return
		}
		s.begin(ctx, s.c.in.Policy.Retry)
	}
}

// pause is the wait before a step that was tried once as a local activity is tried again.
type pause struct {
	future workflow.Future
	cancel workflow.CancelFunc
	// cut is true when a person has ended it.
	cut bool
}

func newPause(ctx workflow.Context, gap time.Duration, summary string) *pause {
	ctx, cancel := workflow.WithCancel(ctx)
	return &pause{future: workflow.NewTimerWithOptions(ctx, gap, workflow.TimerOptions{Summary: summary}), cancel: cancel}
}

func (p *pause) ready() bool { return p.future.IsReady() }

func (p *pause) stop() { p.cancel() }

func (p *pause) restart(ctx workflow.Context) {
	p.cut = temporal.IsCanceledError(p.future.Get(ctx, nil))
}
