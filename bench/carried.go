package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"countersign/bench/figure"
	"countersign/bench/steps"
	"countersign/bench/table"
)

// carried is what one of those compared did, round by round. Times are per completion, in
// milliseconds.
type carried struct {
	rate, events  series
	cpu, temporal series
	// starter, worker and database are 0 for a stub; ours is this process: the stub's worker, or
	// sender and simulators.
	starter, worker, database, ours series
}

// stub runs workflows of a kind, with a worker in this process.
func (c *carrying) stub(k steps.Kind) func(context.Context, int, *carried, bool) error {
	return func(ctx context.Context, round int, into *carried, measured bool) error {
		n := c.bench.size.completions
		ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/slowest)
		defer cancel()
		before, err := c.times()
		if err != nil {
			return err
		}
		result, err := steps.Drive(ctx, c.site.Client, k, strconv.Itoa(round), n, inFlight)
		if err != nil {
			return err
		}
		after, err := c.times()
		if err != nil {
			return err
		}
		rate, err := figure.Throughput(result.Begun, result.Ends)
		if err != nil {
			return err
		}
		used := after.since(before, n)
		used.starter, used.worker, used.database = 0, 0, 0 // they idle meanwhile
		c.note("the stub "+k.Name, into, measured, rate, used, used.temporal+used.ours, result.Events)
		return nil
	}
}

// note keeps what a round came to.
func (c *carrying) note(name string, into *carried, measured bool, rate float64, used times, cpu, events float64) {
	c.bench.say("%s: %.1f/s, %.1f events; CPU %.1f ms: Temporal %.1f, starter %.1f, worker %.1f, database %.1f; this process %.1f",
		name, rate, events, cpu, used.temporal, used.starter, used.worker, used.database, used.ours)
	if !measured {
		return
	}
	for series, value := range map[*series]float64{
		&into.rate: rate, &into.events: events, &into.cpu: cpu, &into.temporal: used.temporal,
		&into.starter: used.starter, &into.worker: used.worker, &into.database: used.database, &into.ours: used.ours,
	} {
		series.add(value)
	}
}

func (c *carrying) bestRows(best *carried) ([]table.Row, error) {
	database, ours := c.kind.String(), &c.ours
	toBest, err := ours.rate.over(&best.rate)
	if err != nil {
		return nil, err
	}
	events, err := figure.Over(ours.events.values)
	if err != nil {
		return nil, err
	}
	cpu, err := ours.cpu.over(&best.cpu)
	return []table.Row{{
		Name: rowBest, Database: database, Figure: toBest, Bound: table.Bound{AtLeast: 0.75},
		Measure: "completions/s over the best stub of the same shape: three steps as local activities, certificate beside statement, " +
			"eager activities, autoscaled pollers, one task-queue partition, " + strconv.Itoa(inFlight) + " in flight",
		Record: fmt.Sprintf("%s of %s/s", ours.rate.show("%.1f"), best.rate.show("%.1f")),
	}, {
		Name: rowEvents, Database: database, Figure: events, Bound: table.Bound{AtMost: 29},
		Measure: "history events per completion",
		Record:  "the best stub " + best.events.show("%.1f"),
	}, {
		Name: rowCPU, Database: database, Figure: cpu, Bound: table.Bound{AtMost: 1.3},
		Measure: "CPU per completion over that stub: Temporal, starter, worker, database; QMS and LRS not counted",
		Record: fmt.Sprintf("%s of %s ms: Temporal %s, worker %s, starter %s, database %s (the stub: Temporal %s, worker %s); simulators and sender %s",
			ours.cpu.show("%.1f"), best.cpu.show("%.1f"), ours.temporal.show("%.1f"), ours.worker.show("%.1f"), ours.starter.show("%.1f"),
			ours.database.show("%.1f"), best.temporal.show("%.1f"), best.ours.show("%.1f"), ours.ours.show("%.1f")),
	}}, err
}

func (c *carrying) plainRows(plain *carried) ([]table.Row, error) {
	toPlain, err := c.ours.rate.over(&plain.rate)
	return []table.Row{{
		Name: rowPlain, Database: c.kind.String(), Figure: toPlain, Bound: table.Bound{AtLeast: 2},
		Measure: "completions/s over six plain sequential stub activities on the same Temporal, default worker",
		Record:  fmt.Sprintf("%s of %s/s; the stub has %s events", c.ours.rate.show("%.1f"), plain.rate.show("%.1f"), plain.events.show("%.1f")),
	}}, err
}

// alikeRows are for the record: Best is the stub that was held against us, Alike does what we do now.
func (c *carrying) alikeRows(alike *carried) ([]table.Row, error) {
	toAlike, err := c.ours.rate.over(&alike.rate)
	return []table.Row{{
		Name: rowAlike, Database: c.kind.String(), Figure: toAlike,
		Measure: "completions/s over that stub in our own order of steps: certificate and statement are local activities too",
		Record: fmt.Sprintf("%s of %s/s; the stub has %s events and takes %s ms of CPU, ours %s ms", c.ours.rate.show("%.1f"),
			alike.rate.show("%.1f"), alike.events.show("%.1f"), alike.cpu.show("%.1f"), c.ours.cpu.show("%.1f")),
	}}, err
}
