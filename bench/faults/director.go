package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"countersign/bench/faults/plan"
)

// cue is the beginning or the end of a step.
type cue struct {
	step plan.Step
	end  bool
	at   int
	// done is closed when an end has been carried out; a beginning has none.
	done chan struct{}
}

// faulty is what faults are done to: a rig.Rig.
type faulty interface {
	Begin(ctx context.Context, s plan.Step) error
	End(ctx context.Context, s plan.Step) error
}

// director lets the steps of a plan happen, one after the other, as the deliveries reach them.
type director struct {
	cues []cue
	rig  faulty
	say  func(string, ...any)
	herd func() error

	reached  chan int
	finished chan struct{}
	begun    map[string]time.Time
	// over is closed when there is nothing more to wait for.
	over chan struct{}
}

func newDirector(p plan.Plan, r faulty, say func(string, ...any)) *director {
	d := &director{rig: r, say: say, reached: make(chan int, 1), finished: make(chan struct{}), begun: map[string]time.Time{}, over: make(chan struct{})}
	for _, s := range p.Steps {
		d.cues = append(d.cues, cue{s, false, s.At, nil})
		if s.Fault.Lasting {
			d.cues = append(d.cues, cue{s, true, s.Until, make(chan struct{})})
		}
	}
	slices.SortStableFunc(d.cues, func(a, b cue) int { return a.at - b.at })
	return d
}

// reach says that a delivery is next. It waits until what is to end before that delivery has ended: there is to be something under way
// when the next fault begins.
func (d *director) reach(delivery int) {
	select {
	case <-d.reached: // the later one counts
	default:
	}
	d.reached <- delivery
	for _, c := range d.cues {
		if c.end && c.at == delivery {
			select {
			case <-c.done:
			case <-d.over:
			}
		}
	}
}

// finish says that all deliveries were sent.
func (d *director) finish() { close(d.finished) }

// run works through the cues; when the deliveries end, what is left happens at once, but what
// lasts still lasts as long as it has to.
func (d *director) run(ctx context.Context) error {
	defer close(d.over)
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
		if c.end {
			close(c.done)
		}
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
