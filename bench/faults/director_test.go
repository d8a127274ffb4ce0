package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign/bench/faults/plan"

	"github.com/stretchr/testify/require"
)

// noted is what was done, in its order.
type noted struct {
	mu   sync.Mutex
	done []string
}

func (n *noted) note(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.done = append(n.done, what)
}

func (n *noted) Begin(_ context.Context, s plan.Step) error {
	n.note("begin " + s.Fault.Name)
	return nil
}
func (n *noted) End(_ context.Context, s plan.Step) error { n.note("end " + s.Fault.Name); return nil }

func (n *noted) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.done)
}

func directed(t *testing.T, steps ...plan.Step) (*director, *noted, chan error) {
	t.Helper()
	n := &noted{}
	d := newDirector(plan.Plan{Steps: steps}, n, func(string, ...any) {})
	ended := make(chan error, 1)
	go func() { ended <- d.run(t.Context()) }()
	return d, n, ended
}

// No delivery is sent before what was to end before it has ended, however long that has to last; others are.
func TestADeliveryWaitsForWhatEndsBeforeIt(t *testing.T) {
	lasts := plan.Step{Fault: plan.Fault{Name: "half-open", Lasting: true, AtLeast: 50 * time.Millisecond}, At: 1, Until: 3}
	next := plan.Step{Fault: plan.Fault{Name: "killed"}, At: 3}
	d, n, ended := directed(t, lasts, next)
	begun := time.Now()
	for delivery := range 3 {
		d.reach(delivery)
	}
	require.NotContains(t, n.all(), "end half-open")
	d.reach(3)
	require.GreaterOrEqual(t, time.Since(begun), lasts.Fault.AtLeast)
	require.Contains(t, n.all(), "end half-open")
	d.reach(4)
	d.finish()
	require.NoError(t, <-ended)
	require.Equal(t, []string{"begin half-open", "end half-open", "begin killed"}, n.all())
}

// Where the sender ends early everything still happens; and nobody waits for a run that is given up.
func TestNobodyWaitsForADirectorThatIsGone(t *testing.T) {
	lasts := plan.Step{Fault: plan.Fault{Name: "half-open", Lasting: true}, At: 1, Until: 3}
	d, n, ended := directed(t, lasts)
	d.finish()
	require.NoError(t, <-ended)
	d.reach(3)
	require.Equal(t, []string{"begin half-open", "end half-open"}, n.all())

	ctx, cancel := context.WithCancel(t.Context())
	given := newDirector(plan.Plan{Steps: []plan.Step{lasts}}, n, func(string, ...any) {})
	cancel()
	require.ErrorIs(t, given.run(ctx), context.Canceled)
	given.reach(3)
}
