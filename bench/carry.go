package main

import (
	"context"
	"errors"
	"time"

	"countersign/bench/database"
	"countersign/bench/figure"
	"countersign/bench/load"
	"countersign/bench/site"
	"countersign/bench/steps"
	"countersign/bench/table"
	"countersign/internal/training"
)

const (
	// inFlight is how many completions run at once, in the product (its default) and in the stubs.
	inFlight = 32
	// slowest is the slowest rate, per second, at which a round is waited for.
	slowest = 1
)

// carry measures whole completions against what runs six steps that do nothing: workflows on the same
// Temporal, and other engines.
func (b *bench) carry(ctx context.Context, kind database.Kind) (_ []table.Row, err error) {
	s, err := b.open(ctx, "carry", kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	installation, err := s.Install(ctx, "carry")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(installation.StartStarter(ctx), installation.StartWorker(ctx)); err != nil {
		return nil, err
	}
	c := &carrying{bench: b, kind: kind, site: s, installation: installation, client: load.NewClient()}
	defer c.client.Close()
	rivals, err := c.rivals(ctx)
	if err != nil {
		return nil, err
	}
	for round := range b.options.rounds + 1 {
		measured := round > 0 // the first one warms everything up
		if err := c.product(ctx, measured); err != nil {
			return nil, err
		}
		for _, r := range rivals {
			if err := r.run(ctx, round, &r.carried, measured); err != nil {
				return nil, err
			}
		}
	}
	var rows []table.Row
	for _, r := range rivals {
		compared, err := r.rows(&r.carried)
		if err != nil {
			return nil, err
		}
		rows = append(rows, compared...)
	}
	return rows, nil
}

// rival is what completions are compared with, in turns with them.
type rival struct {
	// run runs as many as there are completions in a round, and notes what that came to.
	run func(ctx context.Context, round int, into *carried, measured bool) error
	// rows compares.
	rows func(*carried) ([]table.Row, error)
	carried
}

// rivals are those that the wanted rows need.
func (c *carrying) rivals(ctx context.Context) ([]*rival, error) {
	var all []*rival
	if c.bench.wants(rowBest, rowEvents, rowCPU) {
		all = append(all, &rival{run: c.stub(steps.Best()), rows: c.bestRows})
	}
	if c.bench.wants(rowAlike) {
		all = append(all, &rival{run: c.stub(steps.Alike()), rows: c.alikeRows})
	}
	if c.bench.wants(rowPlain) {
		all = append(all, &rival{run: c.stub(steps.Plain()), rows: c.plainRows})
	}
	if c.bench.wants(rowEngines) && onEngines(c.kind) {
		engines, err := c.engines(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, engines...)
	}
	return all, nil
}

// carrying is one carry under way.
type carrying struct {
	bench        *bench
	kind         database.Kind
	site         *site.Site
	installation *site.Installation
	client       *load.Client
	sent         int
	// ours is what the product did.
	ours carried
}

// product sends a burst to the starter and waits until every completion of it has ended.
func (c *carrying) product(ctx context.Context, measured bool) error {
	n := c.bench.size.completions
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/slowest)
	defer cancel()
	before, err := c.times()
	if err != nil {
		return err
	}
	from, begun := c.site.World.Count(), time.Now()
	if _, err := c.client.Burst(ctx, c.installation.URL(), load.Deliveries(c.sent, n, load.Course)); err != nil {
		return err
	}
	c.sent += n
	if err := c.site.World.Await(ctx, from+n); err != nil {
		return err
	}
	if err := c.installation.Await(ctx, c.sent, training.StateCompleted); err != nil {
		return err
	}
	after, err := c.times()
	if err != nil {
		return err
	}
	rate, err := figure.Throughput(begun, c.site.World.Posted(from))
	if err != nil {
		return err
	}
	events, err := c.site.Events(ctx)
	if err != nil {
		return err
	}
	used := after.since(before, n)
	c.note("completions", &c.ours, measured, rate, used, used.temporal+used.starter+used.worker+used.database, events)
	return nil
}
