package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"countersign/bench/faults/plan"
	"countersign/bench/faults/rig"
)

// cue is the beginning or the end of a step.
type cue struct {
	step plan.Step
	end  bool
	at   int
}

// director lets the steps of a plan happen, one after the other, as the deliveries reach them.
type director struct {
	cues []cue
	rig  *rig.Rig
	say  func(string, ...any)
	herd func() error

	reached  chan int
	finished chan struct{}
	begun    map[string]time.Time
}

func newDirector(p plan.Plan, r *rig.Rig, say func(string, ...any)) *director {
	d := &director{rig: r, say: say, reached: make(chan int, 1), finished: make(chan struct{}), begun: map[string]time.Time{}}
	for _, s := range p.Steps {
		d.cues = append(d.cues, cue{s, false, s.At})
		if s.Fault.Lasting {
			d.cues = append(d.cues, cue{s, true, s.Until})
		}
	}
	slices.SortStableFunc(d.cues, func(a, b cue) int { return a.at - b.at })
	return d
}

// reach says that a delivery is next. It does not wait.
func (d *director) reach(delivery int) {
	select {
	case <-d.reached: // the later one counts
	default:
	}
	d.reached <- delivery
}

// finish says that all deliveries were sent.
func (d *director) finish() { close(d.finished) }

// run works through the cues; when the deliveries end, what is left happens at once, but what
// lasts still lasts as long as it has to.
func (d *director) run(ctx context.Context) error {
	next, over := -1, false
	var errs []error
	for _, c := range d.cues {
		for next < c.at && !over {
			select {
			case <-ctx.Done():
				return errors.Join(append(errs, ctx.Err())...)
			case next = <-d.reached:
			case <-d.finished:
				over = true
			}
		}
		errs = append(errs, d.do(ctx, c))
	}
	return errors.Join(errs...)
}

func (d *director) do(ctx context.Context, c cue) error {
	name := c.step.String()
	if !c.end {
		d.say("begin %s", name)
		d.begun[name] = time.Now()
		if c.step.Fault.Name == "herd" {
			return d.herd()
		}
		return d.rig.Begin(ctx, c.step)
	}
	select {
	case <-ctx.Done():
	case <-time.After(c.step.Fault.AtLeast - time.Since(d.begun[name])):
	}
	d.say("end %s", name)
	// What has begun ends, also when everything is to stop.
	return d.rig.End(context.WithoutCancel(ctx), c.step)
}
