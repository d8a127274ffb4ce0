package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"countersign/bench/database"
	"countersign/bench/figure"
	"countersign/bench/site"
	"countersign/bench/table"
	"countersign/internal/stack/build"
)

// The rows.
const (
	rowAcks      = "acks"
	rowCommits   = "commits"
	rowFlushes   = "flushes"
	rowSpike     = "spike"
	rowPlain     = "plain"
	rowBest      = "best"
	rowAlike     = "alike"
	rowEvents    = "events"
	rowCPU       = "cpu"
	rowBacklog   = "backlog"
	rowMeanwhile = "meanwhile"
	rowEngines   = "engines"
	rowWaiting   = "waiting"
)

// rowNames are in the order of the table.
func rowNames() []string {
	return []string{rowAcks, rowCommits, rowFlushes, rowSpike, rowPlain, rowBest, rowAlike, rowEvents, rowCPU,
		rowBacklog, rowMeanwhile, rowEngines, rowWaiting}
}

// sizes are how much is done in a round.
type sizes struct {
	// acks is how many deliveries each of those compared takes, in slices that take turns: what
	// disturbs the machine for a second then meets all of them.
	acks, slice int
	spike       int
	completions int
	// backlog is how many wait, window how many are completed meanwhile.
	backlog, window int
	waiting         int
}

func sizesOf(o options) sizes {
	s := sizes{acks: 20_000, slice: 1000, spike: 2000, completions: 300, backlog: 20_000, window: 1000, waiting: 10_000}
	if o.short {
		s = sizes{acks: 1000, slice: 500, spike: 500, completions: 60, backlog: 1000, window: 60, waiting: 60}
	}
	s.backlog, s.waiting = cmp.Or(o.backlog, s.backlog), cmp.Or(o.waiting, s.waiting)
	return s
}

// bench is one run of the command.
type bench struct {
	options   options
	size      sizes
	dir       string
	databases *database.Maker
	err       io.Writer
	begun     time.Time
	said      moment // when something was said last

	// binaries are built when the first row asks for them.
	product  string
	temporal build.TemporalServer
}

// say prints a line, with what other machines took since the line before.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.err, "%6.1f s  %s%s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...), b.said.stolen())
	b.said = nowOn()
}

func (b *bench) wants(rows ...string) bool {
	return slices.ContainsFunc(rows, func(row string) bool { return slices.Contains(b.options.only, row) })
}

// measure makes every row that is wanted, on one database.
func (b *bench) measure(ctx context.Context, kind database.Kind) ([]table.Row, error) {
	var all []table.Row
	for _, experiment := range []struct {
		rows []string
		make func(context.Context, database.Kind) ([]table.Row, error)
	}{
		{[]string{rowAcks, rowCommits, rowFlushes}, b.acks},
		{[]string{rowSpike}, b.spike},
		{carriedRows(kind), b.carry},
		{[]string{rowBacklog, rowMeanwhile}, b.backlog},
		{[]string{rowWaiting}, b.waiting},
	} {
		if !b.wants(experiment.rows...) {
			continue
		}
		b.say("%s: %v", kind, experiment.rows)
		rows, err := experiment.make(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", experiment.rows, err)
		}
		all = append(all, rows...)
	}
	if !onEngines(kind) {
		all = append(all, notOnEngines(kind)...)
	}
	return all, nil
}

// carriedRows are those of carry.
func carriedRows(kind database.Kind) []string {
	rows := []string{rowPlain, rowBest, rowAlike, rowEvents, rowCPU}
	if onEngines(kind) {
		rows = append(rows, rowEngines)
	}
	return rows
}

// folder makes a folder for one experiment.
func (b *bench) folder(name string, kind database.Kind) (string, error) {
	dir := filepath.Join(b.dir, name+"-"+string(kind))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	return dir, nil
}

// open opens a site of its own for an experiment.
func (b *bench) open(ctx context.Context, name string, kind database.Kind) (*site.Site, error) {
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	dir, err := b.folder(name, kind)
	if err != nil {
		return nil, err
	}
	return site.Open(ctx, site.Options{Dir: dir, Product: b.product, Temporal: b.temporal, Databases: b.databases, Database: kind})
}

// build builds what is measured: with the compiler's optimisations, not as `go run ./dev` does.
func (b *bench) build(ctx context.Context) error {
	if b.product != "" {
		return nil
	}
	root, err := build.Root("")
	if err != nil {
		return err
	}
	if b.temporal, err = build.Temporal(ctx, root, build.Shared, b.err); err != nil {
		return err
	}
	b.product, err = build.Product(ctx, root, build.Shared, b.err, "starter", "worker")
	return err
}

// series is one value of each round.
type series struct{ values []float64 }

func (s *series) add(v float64) { s.values = append(s.values, v) }

// show is the median alone, for the record.
func (s *series) show(format string) string {
	spread, err := figure.Over(s.values)
	if err != nil {
		return "?"
	}
	return fmt.Sprintf(format, spread.Median)
}

// over is the spread of this series divided by another, round by round.
func (s *series) over(other *series) (figure.Spread, error) {
	return figure.Over(figure.Ratios(s.values, other.values))
}
