package steps

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// Result is what n runs of a kind did.
type Result struct {
	// Begun is when the first was to be started.
	Begun time.Time
	// Ends are when each reached its last step, in that order.
	Ends []time.Time
	// Events is how many history events a run has, on average over a sample.
	Events float64
}

const (
	// startsAtOnce bounds the start calls under way, as in dispatch.
	startsAtOnce = 8
	// sampled is how many histories are looked at.
	sampled = 20
	// closing is how long a run may take from its last step until it has ended.
	closing = 30 * time.Second
)

// Drive runs n workflows of the kind, at most inFlight of them at once, with a worker in this
// process, and returns when all have reached their last step. round makes their ids unique.
func Drive(ctx context.Context, c client.Client, k Kind, round string, n, inFlight int) (_ Result, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := &drive{client: c, kind: k, round: round, free: make(chan struct{}, inFlight), left: n, done: make(chan struct{})}
	w := worker.New(c, k.taskQueue(), k.options)
	k.register(w, d.ended)
	if err := w.Start(); err != nil {
		return Result{}, fmt.Errorf("start the worker of %s: %w", k.Name, err)
	}
	defer w.Stop()
	begun := time.Now()
	var starters sync.WaitGroup
	defer starters.Wait()
	numbers := make(chan int)
	for range startsAtOnce {
		starters.Go(func() {
			for i := range numbers {
				if err := d.start(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	defer close(numbers)
	for i := range n {
		select {
		case d.free <- struct{}{}:
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
		select {
		case numbers <- i:
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return Result{}, fmt.Errorf("drive %s: %w", k.Name, context.Cause(ctx))
	}
	events, err := d.events(ctx, n)
	return Result{Begun: begun, Ends: d.ends, Events: events}, err
}

// drive is one Drive under way.
type drive struct {
	client client.Client
	kind   Kind
	round  string
	free   chan struct{} // one for each in flight

	mu   sync.Mutex
	ends []time.Time
	left int
	done chan struct{}
}

func (d *drive) id(i int) string { return fmt.Sprintf("bench-%s-%s-%d", d.kind.Name, d.round, i) }

func (d *drive) start(ctx context.Context, i int) error {
	id := d.id(i)
	_, err := d.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: d.kind.taskQueue()}, d.kind.workflow(), id)
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	return nil
}

// ended is called in each run's last step.
func (d *drive) ended() {
	<-d.free
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends = append(d.ends, time.Now())
	if d.left--; d.left == 0 {
		close(d.done)
	}
}

// events averages the lengths of the last histories, once they have ended.
func (d *drive) events(ctx context.Context, n int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	var ids []string
	for i := max(0, n-sampled); i < n; i++ {
		ids = append(ids, d.id(i))
		if err := d.client.GetWorkflow(ctx, d.id(i), "").Get(ctx, nil); err != nil {
			return 0, fmt.Errorf("%s: %w", d.id(i), err)
		}
	}
	return Events(ctx, d.client, ids)
}

// Events is the average number of events in the histories of the workflows.
func Events(ctx context.Context, c client.Client, ids []string) (float64, error) {
	if len(ids) == 0 {
		return 0, errors.New("count history events: no workflow")
	}
	var sum int64
	for _, id := range ids {
		described, err := c.DescribeWorkflowExecution(ctx, id, "")
		if err != nil {
			return 0, fmt.Errorf("count history events of %s: %w", id, err)
		}
		sum += described.GetWorkflowExecutionInfo().GetHistoryLength()
	}
	return float64(sum) / float64(len(ids)), nil
}
