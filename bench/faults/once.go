package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/load"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/rig"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/verdict"
	"countersign/internal/stack/build"
	"countersign/internal/training"
)

// binaries are what was built.
type binaries struct {
	// product builds starter and worker, and temporal the server, when they are first asked for, as the plan needs them.
	product  func(ctx context.Context, p plan.Plan) (dir string, err error)
	temporal func(ctx context.Context, p plan.Plan) (build.TemporalServer, error)
}

const (
	secret = "s3cret-of-the-faulty-lms"
	// pace is the pause between two deliveries: 30 a second, about what two cores carry.
	pace = 33 * time.Millisecond
	// drainLimit is how long everything may take to come to rest.
	drainLimit = 4 * time.Minute
	// herdSize is the size of the herd.
	herdSize = 1000
)

// epoch is before what every completion of a run was completed. It is fixed, so that the same
// seed sends the same bytes.
func epoch() time.Time { return time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC) }

// once makes one run and judges it. An error says what is wrong; the row is "" when the run did not
// come to an end.
func once(ctx context.Context, b binaries, s spec, keep bool, out io.Writer) (row string, err error) {
	all, err := traffic.New(s.seed, s.n, secret, epoch())
	if err != nil {
		return "", err
	}
	p, err := plan.New(s.plan, s.database, s.seed, len(all.Deliveries))
	if err != nil {
		return "", err
	}
	product, err := b.product(ctx, p)
	if err != nil {
		return "", err
	}
	temporal, err := b.temporal(ctx, p)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the run: %w", err)
	}
	say := teller(out)
	say("plan %s, seed %d, %s: %s", p.Name, p.Seed, p.Database, p.Faults())
	defer func() {
		if err == nil && !keep {
			err = os.RemoveAll(dir)
			return
		}
		say("kept: %s", dir)
	}()
	refused := &atomic.Int64{}
	r, err := bringUp(ctx, rig.Options{
		Dir: dir, Product: product, Temporal: temporal, Plan: p, Traffic: all, LMSSecret: secret, Say: say,
		Refused: func() int { return int(refused.Load()) },
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	t := &treatment{rig: r, plan: p, traffic: all, say: say, refused: refused, ledgerFile: filepath.Join(dir, "ledger")}
	if err := t.apply(ctx); err != nil {
		return "", err
	}
	return t.judge(ctx)
}

// bringUps is how often an installation is tried to be brought up: ports that were free are taken by
// somebody else in between now and then.
const bringUps = 3

func bringUp(ctx context.Context, o rig.Options) (*rig.Rig, error) {
	dir := o.Dir
	for attempt := 1; ; attempt++ {
		o.Dir = filepath.Join(dir, fmt.Sprintf("attempt-%d", attempt))
		if err := os.Mkdir(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for the run: %w", err)
		}
		r, err := rig.New(ctx, o)
		if err == nil || attempt == bringUps || ctx.Err() != nil {
			return r, err
		}
		o.Say("it does not come up, once more: %v", err)
	}
}

// teller prints lines with the time since its making.
func teller(out io.Writer) func(string, ...any) {
	begun := time.Now()
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "%6.1f s  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
}

// treatment is one run under way.
type treatment struct {
	rig        *rig.Rig
	plan       plan.Plan
	traffic    traffic.Traffic
	say        func(string, ...any)
	ledgerFile string
	// refused counts what was answered and is to come again.
	refused *atomic.Int64

	drained time.Duration
	// missed are the faults that nobody felt, a line each.
	missed []string
}

// apply sends everything while the plan happens, heals, and waits until nothing moves.
func (t *treatment) apply(ctx context.Context) (err error) {
	book, err := ledger.Create(t.ledgerFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	director := newDirector(t.plan, t.rig, t.say)
	sender := load.New(load.Options{URL: t.rig.URL(), Traffic: t.traffic, Ledger: book, Pace: pace, Before: director.reach, Refused: t.refused})
	director.herd = func() error { return sender.Herd(ctx, t.firstSound(), herdSize) }
	directed := make(chan error, 1)
	go func() { directed <- director.run(ctx) }()
	sendErr := sender.Run(ctx)
	director.finish()
	if err := errors.Join(sendErr, <-directed); err != nil {
		return err
	}
	if err := t.feel(ctx, sender); err != nil {
		return err
	}
	healed := time.Now()
	draining, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if err := t.rig.Heal(draining); err != nil {
		return err
	}
	if t.plan.Restores() {
		t.say("the LMS sends everything again")
		if err := sender.Again(draining); err != nil {
			return err
		}
	}
	if err := t.rig.Drain(draining); err != nil {
		t.say("%v", err) // what has not come to rest is judged as it stands
	}
	t.drained = time.Since(healed)
	clocks, err := t.rig.UnfeltClocks(ctx)
	for _, clock := range clocks {
		t.miss(clock)
	}
	return err
}

// How long faults that nobody has felt are waited for, and how often the sender sends something again meanwhile.
const (
	feelLimit = 20 * time.Second
	feelPause = 500 * time.Millisecond
)

// feel waits until every fault was felt and every point come to: what was killed is still making up for it, and duplicates keep the
// starter busy.
func (t *treatment) feel(ctx context.Context, sender *load.Sender) error {
	for deadline := time.Now().Add(feelLimit); len(t.rig.Unfelt()) > 0 && time.Now().Before(deadline); {
		if err := sender.Herd(ctx, t.firstSound(), 1); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(feelPause):
		}
	}
	for _, fault := range t.rig.Unfelt() {
		t.miss(fault)
	}
	return nil
}

func (t *treatment) miss(fault string) {
	t.missed = append(t.missed, fault+" was never felt: this run says nothing about it")
}

// firstSound is a delivery that is not poison.
func (t *treatment) firstSound() traffic.Delivery {
	for _, d := range t.traffic.Deliveries[len(t.traffic.Deliveries)/2:] {
		if d.Poison == traffic.Sound {
			return d
		}
	}
	return t.traffic.Deliveries[0]
}

// judge reads the ledger, collects the evidence and counts.
func (t *treatment) judge(ctx context.Context) (row string, err error) {
	entries, err := ledger.Read(t.ledgerFile)
	if err != nil {
		return "", err
	}
	sums, err := ledger.Sum(entries)
	if err != nil {
		return "", err
	}
	evidence, err := t.rig.Evidence(ctx, sums, sent(entries))
	if err != nil {
		return "", err
	}
	evidence.Missing = append(evidence.Missing, t.misjudged(sums)...)
	count := verdict.Judge(evidence)
	panics, err := t.rig.Panics()
	if err != nil {
		return "", err
	}
	findings := slices.Concat(count.Findings, panics, t.missed)
	row = line(t.plan, sums, count, t.drained)
	if len(findings) > 0 {
		return row, fmt.Errorf("%w: %s", errWrong, strings.Join(findings, "\n  "))
	}
	return row, nil
}

// sent are the keys some delivery of which left the sender.
func sent(entries []ledger.Entry) map[int]bool {
	keys := map[int]bool{}
	for _, e := range entries {
		if e.Key >= 0 {
			keys[e.Key] = true
		}
	}
	return keys
}

// misjudged are the deliveries that were answered with what is not true: rejected and authentic, or
// forged and acknowledged, or acknowledged as another completion.
func (t *treatment) misjudged(sums ledger.Summary) []string {
	var wrong []string
	for _, d := range t.traffic.Deliveries {
		entry, acked := sums.Delivered[d.Number]
		status, turned := sums.Turned[d.Number]
		switch {
		case turned && d.Poison != traffic.Forged:
			wrong = append(wrong, fmt.Sprintf("delivery %d is authentic and was answered %d", d.Number, status))
		case acked && d.Poison == traffic.Forged:
			wrong = append(wrong, fmt.Sprintf("delivery %d is forged and was acknowledged", d.Number))
		case acked && d.Poison == traffic.Sound && !slices.Equal(entry.Fingerprints, []training.Fingerprint{t.traffic.Keys[d.Key].Fingerprint}):
			wrong = append(wrong, fmt.Sprintf("delivery %d was acknowledged as something else", d.Number))
		}
	}
	return wrong
}
