package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"countersign/bench/database"
	"countersign/bench/door"
	"countersign/bench/figure"
	"countersign/bench/load"
	"countersign/bench/table"
	"countersign/internal/dispatch"
	"countersign/internal/stack"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// p99 is the percentile that is held.
const p99 = 99

// spike measures the time to an acknowledgement when many deliveries come at once while Temporal
// is away: the dispatcher runs beside the ingress, as in the starter, and finds nobody.
func (b *bench) spike(ctx context.Context, kind database.Kind) (_ []table.Row, err error) {
	d, err := b.openDoors(ctx, "spike", kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	stopDispatch, err := d.dispatchToNobody(ctx)
	if err != nil {
		return nil, err
	}
	defer stopDispatch()
	servers := []*door.Server{d.committing, d.ingress}
	if _, err := d.round(ctx, servers, warm, warm); err != nil {
		return nil, err
	}
	var stub, ours, stubMedian, median series
	for range b.options.rounds {
		results, err := d.round(ctx, servers, b.size.spike, b.size.spike)
		if err != nil {
			return nil, err
		}
		stub.add(percentile(results[0].Result, p99))
		ours.add(percentile(results[1].Result, p99))
		stubMedian.add(percentile(results[0].Result, 50))
		median.add(percentile(results[1].Result, 50))
		b.say("p99: stub %.1f ms, ingress %.1f ms", percentile(results[0].Result, p99), percentile(results[1].Result, p99))
	}
	ratio, err := ours.over(&stub)
	return []table.Row{{
		Name: rowSpike, Database: kind.String(), Figure: ratio, Bound: table.Bound{AtMost: 2},
		Measure: fmt.Sprintf("p99 of a spike of %d events with Temporal down, over the same stub's", b.size.spike),
		Record: fmt.Sprintf("p99 %s of %s ms, median %s of %s ms", ours.show("%.1f"), stub.show("%.1f"),
			median.show("%.1f"), stubMedian.show("%.1f")),
	}}, err
}

// percentile is in milliseconds.
func percentile(r load.Result, p float64) float64 {
	return milliseconds(figure.Percentile(r.Latencies, p))
}

// dispatchToNobody runs a dispatcher whose Temporal does not listen, until stop is called.
func (d *doors) dispatchToNobody(ctx context.Context) (stop func(), err error) {
	port, err := stack.FreePort()
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	nobody, err := client.NewLazyClient(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", port), Logger: sdklog.NewStructuredLogger(quiet)})
	if err != nil {
		return nil, fmt.Errorf("make a Temporal client: %w", err)
	}
	dispatcher := dispatch.New(dispatch.Config{
		Journal: d.journal, Temporal: nobody, Namespace: client.DefaultNamespace, TaskQueue: workflows.TaskQueue,
		InFlight: inFlight, Lease: time.Minute, Log: quiet,
		Policy: func(string) training.Policy { return training.DefaultPolicy() },
	})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = dispatcher.Run(ctx) // it ends with ctx only
	}()
	return func() { cancel(); <-ended; nobody.Close() }, nil
}
