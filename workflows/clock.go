package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// appointment is something that is due while a completion waits for a person.
type appointment struct {
	at time.Time
	// summary is what an operator reads beside the timer.
	summary string
	// keep does it, and reports whether that ends the wait.
	keep func(ctx workflow.Context) (ended bool, err error)
}

// clock is the appointments of one wait. There is one timer at a time, for the next of them. A nil
// clock has none.
type clock struct {
	appointments []appointment
}

// add makes an appointment.
func (k *clock) add(at time.Time, summary string, keep func(workflow.Context) (bool, error)) {
	k.appointments = append(k.appointments, appointment{at, summary, keep})
}

// next is the index of the earliest appointment, of equals the one that was made first; -1 for none.
func (k *clock) next() int {
	first := -1
	if k == nil {
		return first
	}
	for i, a := range k.appointments {
		if first < 0 || a.at.Before(k.appointments[first].at) {
			first = i
		}
	}
	return first
}

// wait waits until said or until the next appointment.
func (k *clock) wait(ctx workflow.Context, said func() bool) error {
	next := k.next()
	if next < 0 {
		return workflow.Await(ctx, said)
	}
	left := k.appointments[next].at.Sub(workflow.Now(ctx))
	if left <= 0 {
		return ctx.Err()
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: left, TimerOptions: workflow.TimerOptions{Summary: k.appointments[next].summary},
	}, said)
	return err
}

// keep does the next appointment if it is due.
func (k *clock) keep(ctx workflow.Context) (ended bool, err error) {
	next := k.next()
	if next < 0 || k.appointments[next].at.After(workflow.Now(ctx)) {
		return false, nil
	}
	due := k.appointments[next]
	k.appointments = append(k.appointments[:next], k.appointments[next+1:]...)
	return due.keep(ctx)
}
