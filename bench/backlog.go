package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/bench/database"
	"countersign/bench/figure"
	"countersign/bench/load"
	"countersign/bench/site"
	"countersign/bench/table"
	"countersign/internal/training"
)

// pause is that between two deliveries of the LMS whose acknowledgements are timed: 25 a second,
// fewer than are completed.
const pause = 40 * time.Millisecond

// ramp is how many completions a worker that was just started does before it is measured: as many as
// are under way at once, twice.
const ramp = 2 * inFlight

// place is an installation and its LMS.
type place struct {
	*site.Installation
	client *load.Client
	// first is the number of its next learner: the places do not share them.
	first int
	sent  int
}

func (p *place) deliveries(n int) []load.Delivery {
	p.first += n
	return load.Deliveries(p.first-n, n, load.Course)
}

// backlog measures two installations in turns: one that has little to do, and one in whose journal
// very many wait. The workers run only while they are measured.
func (b *bench) backlog(ctx context.Context, kind database.Kind) (_ []table.Row, err error) {
	s, err := b.open(ctx, "backlog", kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	client := load.NewClient()
	defer client.Close()
	steady, full := &place{client: client}, &place{client: client, first: 10_000_000}
	for name, p := range map[string]*place{"steady": steady, "full": full} {
		if p.Installation, err = s.Install(ctx, name); err != nil {
			return nil, err
		}
		if err := p.StartStarter(ctx); err != nil {
			return nil, err
		}
	}
	// More than are to wait, by what the windows will take.
	waiting := b.size.backlog + (b.options.rounds+1)*(b.size.window+ramp+inFlight)
	if _, err := full.client.Burst(ctx, full.URL(), full.deliveries(waiting)); err != nil {
		return nil, err
	}
	b.say("%d wait", waiting)
	m := &backlogged{bench: b, site: s}
	for round := range b.options.rounds + 1 {
		if err := m.round(ctx, steady, full, round > 0); err != nil { // the first one warms everything up
			return nil, err
		}
	}
	counts, err := full.Journal.Counts(ctx)
	if err != nil {
		return nil, err
	}
	b.say("%d still wait", counts[training.StateQueued])
	if counts[training.StateQueued] < b.size.backlog {
		return nil, fmt.Errorf("only %d waited at the end", counts[training.StateQueued])
	}
	return m.rows(kind)
}

type backlogged struct {
	bench *bench
	site  *site.Site

	rate, fullRate, idle, busy, fullBusy series
}

func (m *backlogged) round(ctx context.Context, steady, full *place, measured bool) error {
	window := m.bench.size.window
	// Nobody works: what comes now is what the steady one has to do afterwards.
	idle, err := steady.client.Paced(ctx, steady.URL(), steady.deliveries(window), pause, nil)
	if err != nil {
		return err
	}
	// And a little more, so that it is not running dry when the window ends.
	if _, err := steady.client.Burst(ctx, steady.URL(), steady.deliveries(ramp)); err != nil {
		return err
	}
	steady.sent += window + ramp
	rate, busy, err := m.window(ctx, steady)
	if err != nil {
		return err
	}
	if err := m.drain(ctx, steady); err != nil {
		return err
	}
	fullRate, fullBusy, err := m.window(ctx, full)
	if err != nil {
		return err
	}
	if err := full.StopWorker(ctx); err != nil {
		return err
	}
	m.bench.say("steady %.1f/s, with a backlog %.1f/s; ack p99 idle %.1f ms, busy %.1f ms, with a backlog %.1f ms",
		rate, fullRate, percentile(idle, p99), percentile(busy, p99), percentile(fullBusy, p99))
	if measured {
		m.rate.add(rate)
		m.fullRate.add(fullRate)
		m.idle.add(percentile(idle, p99))
		m.busy.add(percentile(busy, p99))
		m.fullBusy.add(percentile(fullBusy, p99))
	}
	return nil
}

// window starts the worker and sees how fast it works while the LMS goes on.
func (m *backlogged) window(ctx context.Context, p *place) (rate float64, acks load.Result, err error) {
	n := m.bench.size.window
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/slowest)
	defer cancel()
	from := m.site.World.Count()
	if err := p.StartWorker(ctx); err != nil {
		return 0, acks, err
	}
	type paced struct {
		result load.Result
		err    error
	}
	stop, sent := make(chan struct{}), make(chan paced, 1)
	deliveries := p.deliveries(2 * n)
	go func() {
		result, err := p.client.Paced(ctx, p.URL(), deliveries, pause, stop)
		sent <- paced{result, err}
	}()
	err = m.site.World.Await(ctx, from+ramp+n)
	close(stop)
	meanwhile := <-sent
	p.sent += len(meanwhile.result.Latencies)
	if err := errors.Join(err, meanwhile.err); err != nil {
		return 0, acks, err
	}
	rate, err = figure.Rate(m.site.World.Posted(from)[:ramp+n], ramp)
	return rate, meanwhile.result, err
}

// drain waits until the place has nothing left to do, and stops its worker.
func (m *backlogged) drain(ctx context.Context, p *place) error {
	waiting, cancel := context.WithTimeout(ctx, time.Duration(m.bench.size.window)*time.Second/slowest)
	defer cancel()
	return errors.Join(p.Await(waiting, p.sent, training.StateCompleted), p.StopWorker(ctx))
}

func (m *backlogged) rows(kind database.Kind) ([]table.Row, error) {
	rates, err := m.fullRate.over(&m.rate)
	if err != nil {
		return nil, err
	}
	acks, err := m.fullBusy.over(&m.idle)
	return []table.Row{{
		Name: rowBacklog, Database: kind.String(), Figure: rates, Bound: table.Bound{AtLeast: 0.9},
		Measure: fmt.Sprintf("rate with %d waiting over steady rate", m.bench.size.backlog),
		Record:  fmt.Sprintf("%s of %s completions/s", m.fullRate.show("%.1f"), m.rate.show("%.1f")),
	}, {
		Name: rowMeanwhile, Database: kind.String(), Figure: acks, Bound: table.Bound{AtMost: 3},
		Measure: "ack p99 meanwhile over idle",
		Record: fmt.Sprintf("%s of %s ms; %s ms at the steady rate without a backlog",
			m.fullBusy.show("%.1f"), m.idle.show("%.1f"), m.busy.show("%.1f")),
	}}, err
}
