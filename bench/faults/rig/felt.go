package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"countersign/bench/faults/plan"
	"countersign/internal/journal"
	"countersign/internal/simulator/fault"

	"go.temporal.io/api/workflowservice/v1"
)

// A fault that nobody felt proves nothing. So whatever does not show by itself is expected when it begins and is felt when somebody
// comes to its point, waits for a swallowed answer, is given a scripted one. What is still expected at the end makes the run wrong.

// expectation is what a fault is felt by: count has grown over from. A nil count says nothing: it is felt when somebody says so.
type expectation struct {
	step  string
	count func() int
	from  int
	felt  bool
}

// expect waits for a fault to be felt; by count, if there is one, from now on.
func (r *Rig) expect(s plan.Step, count func() int) *expectation {
	e := &expectation{step: s.String(), count: count}
	if count != nil {
		e.from = count()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected = append(r.expected, e)
	return e
}

// feel says that a fault is felt.
func (r *Rig) feel(e *expectation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.felt = true
}

// reached says that somebody came to a point.
func (r *Rig) reached(e *expectation) {
	r.feel(e)
	r.options.Say("reached %s", e.step)
}

// Unfelt are the faults that have begun and that nobody has felt yet.
func (r *Rig) Unfelt() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var unfelt []string
	for _, e := range r.expected {
		e.felt = e.felt || e.count != nil && e.count() > e.from
		if !e.felt {
			unfelt = append(unfelt, e.step)
		}
	}
	return unfelt
}

// over ends the time in which what lasts can be felt.
func (r *Rig) over(s plan.Step) {
	r.Unfelt()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.expected {
		if e.step == s.String() {
			e.count = nil
		}
	}
}

// felt is an action that is felt when the count grows: while it lasts, or at some time if it does not last. What the action itself
// does to the count at its beginning does not count.
func (r *Rig) felt(a action, count func() int) action {
	begin, end := a.begin, a.end
	a.begin = func(ctx context.Context, s plan.Step) error {
		err := begin(ctx, s)
		r.expect(s, count)
		return err
	}
	if end != nil {
		a.end = func(ctx context.Context, s plan.Step) error {
			r.over(s)
			return end(ctx, s)
		}
	}
	return a
}

// gate is what every request to a simulated system passes.
type gate interface {
	Faults() map[fault.Endpoint][]fault.Fault
	Calls(fault.Endpoint) int
	Log(n int) []fault.Entry
}

// answered counts how many of the scripted answers of this kind were given, up to a constant.
func answered(g gate, endpoint fault.Endpoint, kind fault.Fault) func() int {
	kind = kind.Normal()
	return func() int {
		left := 0
		for _, f := range g.Faults()[endpoint] {
			if f.Answer == kind.Answer && f.Apply == kind.Apply && f.Status == kind.Status && f.RetryAfter == kind.RetryAfter {
				left += f.Times
			}
		}
		return -left
	}
}

// asked counts the requests.
func asked(g gate, endpoint fault.Endpoint) func() int {
	return func() int { return g.Calls(endpoint) }
}

// unauthorized counts the requests whose token was refused.
func unauthorized(g gate) func() int {
	return func() int {
		n := 0
		for _, e := range g.Log(0) {
			if e.Status == http.StatusUnauthorized {
				n++
			}
		}
		return n
	}
}

// dated is how far from the run's own time something was dated by a clock that was set by an hour.
const dated = 30 * time.Minute

// UnfeltClocks are the faults of the plan that set a clock of ours or of Temporal's, and after which nothing was dated at a time that never
// was: completions by the starter, runs by Temporal, whose lists are a little behind, so that it is to be asked when all has come to
// rest.
func (r *Rig) UnfeltClocks(ctx context.Context) (unfelt []string, err error) {
	for _, s := range r.options.Plan.Steps {
		ahead := !strings.HasSuffix(s.Fault.Name, "-behind")
		felt := true
		switch s.Fault.Clock {
		case plan.OurClock:
			felt, err = r.receivedWrongly(ctx, ahead)
		case plan.TemporalClock:
			felt, err = r.begunWrongly(ctx, ahead)
		case plan.PostgresClock: // who sets it asks it
		}
		if err != nil {
			return nil, fmt.Errorf("ask for the clock of %s: %w", s, err)
		}
		if !felt {
			unfelt = append(unfelt, s.String())
		}
	}
	return unfelt, nil
}

// begunWrongly reports whether Temporal has begun a run after everything, or before.
func (r *Rig) begunWrongly(ctx context.Context, ahead bool) (bool, error) {
	query := fmt.Sprintf("StartTime < '%s'", r.begun.Add(-dated).Format(time.RFC3339))
	if ahead {
		query = fmt.Sprintf("StartTime > '%s'", time.Now().Add(dated).Format(time.RFC3339))
	}
	found, err := r.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: r.temporal.Namespace(), Query: query})
	if err != nil {
		return false, err
	}
	return found.GetCount() > 0, nil
}

// receivedWrongly reports whether the journal has a completion that was received after everything, or before.
func (r *Rig) receivedWrongly(ctx context.Context, ahead bool) (bool, error) {
	j, err := journal.Open(ctx, r.store.direct(), journal.Options{})
	if err != nil {
		return false, err
	}
	defer j.Close()
	for _, k := range r.options.Traffic.Keys {
		stored, err := j.Completion(ctx, tenant, k.Fingerprint)
		switch {
		case errors.Is(err, journal.ErrNotFound):
		case err != nil:
			return false, err
		case ahead && stored.ReceivedAt.After(time.Now().Add(dated)), !ahead && stored.ReceivedAt.Before(r.begun.Add(-dated)):
			return true, nil
		}
	}
	return false, nil
}
