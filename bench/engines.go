package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"countersign/bench/database"
	"countersign/bench/table"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
)

// otherEngine is one on which the nested module bench/engines runs the pipeline.
type otherEngine struct {
	// flag is what the module calls it, name what people do.
	flag, name string
	// how is how the six steps are made durable on it.
	how string
	// issue is the ratio that was found by whoever set the bounds.
	issue string
}

func otherEngines() []otherEngine {
	return []otherEngine{
		{"river", "River", "one resumable job, each step committed by itself", "0.085"},
		{"dbos", "DBOS", "one workflow of six steps, started directly", "0.066"},
	}
}

// onEngines reports whether the row is measured on a database.
func onEngines(kind database.Kind) bool { return kind == database.Postgres }

// notOnEngines are the rows where it is not.
func notOnEngines(kind database.Kind) []table.Row {
	var rows []table.Row
	for _, e := range otherEngines() {
		rows = append(rows, table.Row{
			Name: rowEngines, Database: kind.String(), Measure: e.measure(), Record: "-",
			NotMeasured: "compared on PostgreSQL, where such engines are run; both know SQLite too, DBOS for local development",
		})
	}
	return rows
}

func (e otherEngine) measure() string {
	return fmt.Sprintf("completions/s over the same pipeline on %s with steps that do nothing, durability on: %s, %d in flight", e.name, e.how, inFlight)
}

// engines builds the module. Each round has a database of its own on the journal's server: what was
// left behind by the one before, dead rows and old statistics, is not to be measured.
func (c *carrying) engines(ctx context.Context) ([]*rival, error) {
	root, err := build.Root("")
	if err != nil {
		return nil, err
	}
	binary, err := build.Engines(ctx, root, c.bench.err)
	if err != nil {
		return nil, err
	}
	var all []*rival
	for _, e := range otherEngines() {
		run := func(ctx context.Context, round int, into *carried, measured bool) error {
			n := c.bench.size.completions
			ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/slowest)
			defer cancel()
			dsn, err := c.bench.databases.New(c.kind)
			if err != nil {
				return err
			}
			rate, err := e.run(ctx, binary, dsn, round, n)
			if err != nil {
				return err
			}
			c.bench.say("the pipeline on %s: %.1f/s", e.name, rate)
			if measured {
				into.rate.add(rate)
			}
			return nil
		}
		rows := func(theirs *carried) ([]table.Row, error) {
			ratio, err := c.ours.rate.over(&theirs.rate)
			return []table.Row{{
				Name: rowEngines, Database: c.kind.String(), Figure: ratio, Measure: e.measure(),
				Record: fmt.Sprintf("%s of %s/s; %s in the issue that set the bounds", c.ours.rate.show("%.1f"), theirs.rate.show("%.1f"), e.issue),
			}}, err
		}
		all = append(all, &rival{run: run, rows: rows})
	}
	return all, nil
}

// engineRound is the line of JSON that bench/engines writes for a round.
type engineRound struct {
	Engine  string         `json:"engine"`
	Round   int            `json:"round"`
	N       int            `json:"n"`
	Seconds float64        `json:"seconds"`
	Steps   map[string]int `json:"steps"`
}

// stepsOfACompletion is how many steps a pipeline has.
const stepsOfACompletion = 6

// run runs a round of n pipelines in a process of its own and returns how many it ended a second.
func (e otherEngine) run(ctx context.Context, binary, dsn string, round, n int) (perSecond float64, err error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "-engine", e.flag, "-database", dsn,
		"-round", strconv.Itoa(round), "-n", strconv.Itoa(n), "-in-flight", strconv.Itoa(inFlight))
	cmd.Env, cmd.Stdout, cmd.Stderr = stack.Environment(nil), &out, &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run the pipeline on %s: %w: %s", e.name, err, bytes.TrimSpace(said.Bytes()))
	}
	var r engineRound
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return 0, fmt.Errorf("run the pipeline on %s: %w", e.name, err)
	}
	if r.Engine != e.flag || r.Round != round || r.N != n || r.Seconds <= 0 || len(r.Steps) != stepsOfACompletion {
		return 0, fmt.Errorf("run the pipeline on %s: %d of round %d were asked for, not %s", e.name, n, round, bytes.TrimSpace(out.Bytes()))
	}
	return float64(n) / r.Seconds, nil
}
