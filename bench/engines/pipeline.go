package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// stepNames are the six steps of a completion, in their order. They do nothing here, as in
// bench/steps: what is compared is what it costs to make each of them durable.
func stepNames() []string {
	return []string{"resolve", "check", "write", "certificate", "statement", "outcome"}
}

// stepFunc is what is done in a step of a pipeline, both given by name.
type stepFunc func(pipeline, step string)

// engine runs pipelines of the six steps.
type engine interface {
	// pipeline runs the one with the name, which is new to the database, and returns when its end is
	// committed.
	pipeline(ctx context.Context, name string) error
	// atOnce is how many calls of pipeline are to be under way, of n: as many as may be in flight,
	// or all where the engine keeps those that wait in a queue of its own.
	atOnce(n int) int
	// close ends what is under way and gives connections back.
	close(ctx context.Context) error
}

// tally counts how often each step was done.
type tally struct {
	mu   sync.Mutex
	done map[string]int
}

func newTally() *tally { return &tally{done: map[string]int{}} }

// step is a stepFunc.
func (t *tally) step(_, step string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done[step]++
}

// take returns the counts since the last call.
func (t *tally) take() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := maps.Clone(t.done)
	clear(t.done)
	return taken
}

// result is what a round came to: one line of JSON.
type result struct {
	Engine string `json:"engine"`
	Round  int    `json:"round"`
	N      int    `json:"n"`
	// Seconds are from before the first pipeline is begun until the end of the last is committed.
	Seconds float64 `json:"seconds"`
	// Steps is how often each step was done: N times.
	Steps map[string]int `json:"steps"`
}

// warmRounds is how many pipelines warm everything up, in fillings of what may be in flight.
const warmRounds = 2

// measure warms e up and times a round.
func measure(ctx context.Context, e engine, o options, counts *tally) (result, error) {
	if _, err := drive(ctx, e, fmt.Sprintf("warm-%d", o.round), warmRounds*o.inFlight); err != nil {
		return result{}, err
	}
	counts.take()
	took, err := drive(ctx, e, fmt.Sprintf("round-%d", o.round), o.n)
	if err != nil {
		return result{}, err
	}
	r := result{Engine: o.engine, Round: o.round, N: o.n, Seconds: took.Seconds(), Steps: counts.take()}
	for _, step := range stepNames() {
		if done := r.Steps[step]; done != o.n {
			return result{}, fmt.Errorf("round %d: %d pipelines did step %s %d times", o.round, o.n, step, done)
		}
	}
	return r, nil
}

// drive runs n pipelines and returns how long that took. label makes their names unique.
func drive(ctx context.Context, e engine, label string, n int) (time.Duration, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.atOnce(n))
	begun := time.Now()
	for i := range n {
		name := fmt.Sprintf("%s-%d", label, i)
		group.Go(func() error {
			if err := e.pipeline(ctx, name); err != nil {
				return fmt.Errorf("pipeline %s: %w", name, err)
			}
			return nil
		})
	}
	err := group.Wait()
	return time.Since(begun), err
}
