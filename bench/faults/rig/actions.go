package rig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/bench/faults/plan"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
)

// action is how a fault is done; end undoes a lasting one.
type action struct {
	begin func(ctx context.Context, s plan.Step) error
	end   func(ctx context.Context, s plan.Step) error
}

// actions are all of them, by the names of plan.Catalogue.
func (r *Rig) actions() map[string]action {
	all := map[string]action{}
	for _, some := range []map[string]action{r.kills(), r.points(), r.temporals(), r.databases(), r.networks(), r.clocks(), r.qmsFaults(), r.lrsFaults()} {
		for name, a := range some {
			all[name] = a
		}
	}
	// The sender does it, with what Herd returns.
	all["herd"] = action{begin: func(context.Context, plan.Step) error { return nil }}
	return all
}

// Begin lets a fault happen, or begin.
func (r *Rig) Begin(ctx context.Context, s plan.Step) error {
	a, ok := r.actions()[s.Fault.Name]
	if !ok {
		return fmt.Errorf("fault %s cannot be done", s.Fault.Name)
	}
	if err := a.begin(ctx, s); err != nil {
		return fmt.Errorf("begin %s: %w", s, err)
	}
	return nil
}

// End ends a lasting fault.
func (r *Rig) End(ctx context.Context, s plan.Step) error {
	if a := r.actions()[s.Fault.Name]; a.end != nil {
		if err := a.end(ctx, s); err != nil {
			return fmt.Errorf("end %s: %w", s, err)
		}
	}
	return nil
}

// once makes an action of something that needs neither context nor step.
func once(do func() error) action {
	return action{begin: func(context.Context, plan.Step) error { return do() }}
}

// lasting makes an action of two such things.
func lasting(begin, end func() error) action {
	a := once(begin)
	a.end = func(context.Context, plan.Step) error { return end() }
	return a
}

func (r *Rig) worker() *member { return r.workers[0] }

func (r *Rig) kills() map[string]action {
	return map[string]action{
		"kill-starter": {begin: func(ctx context.Context, s plan.Step) error {
			return errors.Join(r.starter.runs(ctx), r.starter.kill(s.Back))
		}},
		"kill-worker": {begin: func(ctx context.Context, s plan.Step) error {
			return errors.Join(r.worker().runs(ctx), r.worker().kill(s.Back))
		}},
		"kill-both": {begin: func(ctx context.Context, s plan.Step) error {
			return errors.Join(r.worker().runs(ctx), r.starter.runs(ctx), r.worker().kill(s.Back), r.starter.kill(s.Back/2))
		}},
		"freeze-starter": {
			begin: func(ctx context.Context, _ plan.Step) error {
				return errors.Join(r.starter.runs(ctx), r.starter.freeze())
			},
			end: func(context.Context, plan.Step) error { return r.starter.thaw() },
		},
		"freeze-worker": {
			begin: func(ctx context.Context, _ plan.Step) error { return r.freezeInTheMiddle(ctx) },
			end:   func(context.Context, plan.Step) error { return r.worker().thaw() },
		},
	}
}

// frozenWrites is how many writes are slow when a worker is frozen.
const frozenWrites = 20

// freezeInTheMiddle makes writes slow and freezes one of two workers with some of them under way:
// requests that have left it and whose answers it does not read, and others that leave when it wakes.
func (r *Rig) freezeInTheMiddle(ctx context.Context) error {
	r.world.qms.Fault(arena.EndpointComplete, fault.Slow(2*time.Second, frozenWrites))
	if err := await(ctx, func() bool { return r.slowWrites() < frozenWrites }); err != nil {
		return err
	}
	return r.worker().freeze()
}

// awaitLimit is how long something is waited for that a run may have none of: a write, or a connection to who comes last when another
// outage has just ended.
const awaitLimit = 20 * time.Second

// await waits until something is so, for a while. The error is that of ctx and nothing else.
func await(ctx context.Context, so func() bool) error {
	for deadline := time.Now().Add(awaitLimit); !so() && time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(awaitPoll):
		}
	}
	return nil
}

const awaitPoll = 20 * time.Millisecond

// slowWrites is how many of the slow writes have not begun yet.
func (r *Rig) slowWrites() int {
	left := 0
	for _, f := range r.world.qms.Faults()[arena.EndpointComplete] {
		left += f.Times
	}
	return left
}
