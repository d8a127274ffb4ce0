package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"countersign/bench/database"
	"countersign/bench/door"
	"countersign/bench/figure"
	"countersign/bench/load"
	"countersign/bench/stub"
	"countersign/bench/table"
	"countersign/bench/usage"
	"countersign/internal/journal"
)

// doors are what takes deliveries side by side.
type doors struct {
	bare, committing, ingress *door.Server
	store                     *stub.Store
	journal                   *journal.Journal
	client                    *load.Client
	// next is the number of the next learner: no delivery comes twice.
	next int
}

func (b *bench) openDoors(ctx context.Context, name string, kind database.Kind) (_ *doors, err error) {
	dir, err := b.folder(name, kind)
	if err != nil {
		return nil, err
	}
	d := &doors{client: load.NewClient()}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.bare, err = door.Bare(ctx); err != nil {
		return nil, err
	}
	dsn, err := b.databases.New(kind)
	if err != nil {
		return nil, err
	}
	if d.committing, d.store, err = door.Committing(ctx, dsn); err != nil {
		return nil, err
	}
	if dsn, err = b.databases.New(kind); err != nil {
		return nil, err
	}
	d.ingress, d.journal, err = door.Ingress(ctx, dsn, dir)
	return d, err
}

func (d *doors) close() error {
	d.client.Close()
	var errs []error
	for _, s := range []*door.Server{d.bare, d.committing, d.ingress} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// deliveries makes the next n.
func (d *doors) deliveries(n int) []load.Delivery {
	d.next += n
	return load.Deliveries(d.next-n, n, load.Course)
}

// taken is what a server did in a round.
type taken struct {
	load.Result
	// cpu is the processor time of this process meanwhile: the server's, and the sender's, which
	// is the same for all.
	cpu time.Duration
}

// perAck is the processor time of one acknowledgement in microseconds.
func (t taken) perAck() float64 {
	return float64(t.cpu) / float64(time.Microsecond) / float64(len(t.Latencies))
}

// round sends n deliveries to each of the servers, in slices that take turns.
func (d *doors) round(ctx context.Context, servers []*door.Server, n, slice int) ([]taken, error) {
	results := make([]taken, len(servers))
	runtime.GC() // what the round before left behind is not to be collected at somebody's expense
	for sent := 0; sent < n; sent += slice {
		deliveries := d.deliveries(slice)
		for i, server := range servers {
			before, err := usage.Own()
			if err != nil {
				return nil, err
			}
			result, err := d.client.Burst(ctx, server.URL, deliveries)
			if err != nil {
				return nil, err
			}
			after, err := usage.Own()
			if err != nil {
				return nil, err
			}
			results[i].Add(result)
			results[i].cpu += after - before
		}
	}
	return results, nil
}

// warm opens connections and fills caches.
const warm = 500

// acks measures acknowledgements a second against both stubs.
func (b *bench) acks(ctx context.Context, kind database.Kind) (_ []table.Row, err error) {
	d, err := b.openDoors(ctx, "acks", kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	servers := []*door.Server{d.bare, d.committing, d.ingress}
	if _, err := d.round(ctx, servers, warm, warm); err != nil {
		return nil, err
	}
	var bare, committing, ours, flushes, stubFlushes, bareCPU, committingCPU, cpu series
	for range b.options.rounds {
		before := d.journal.Stats()
		stubAppends, stubCommits := d.store.Stats()
		results, err := d.round(ctx, servers, b.size.acks, b.size.slice)
		if err != nil {
			return nil, err
		}
		bare.add(results[0].PerSecond())
		committing.add(results[1].PerSecond())
		ours.add(results[2].PerSecond())
		bareCPU.add(results[0].perAck())
		committingCPU.add(results[1].perAck())
		cpu.add(results[2].perAck())
		after := d.journal.Stats()
		flushes.add(float64(after.Commits-before.Commits) / float64(after.Appends-before.Appends))
		appends, commits := d.store.Stats()
		stubFlushes.add(float64(commits-stubCommits) / float64(appends-stubAppends))
		b.say("bare %.0f/s, committing %.0f/s, ingress %.0f/s; CPU per ack %.0f, %.0f, %.0f us",
			results[0].PerSecond(), results[1].PerSecond(), results[2].PerSecond(),
			results[0].perAck(), results[1].perAck(), results[2].perAck())
	}
	toBare, err := ours.over(&bare)
	if err != nil {
		return nil, err
	}
	toCommitting, err := ours.over(&committing)
	if err != nil {
		return nil, err
	}
	perAck, err := figure.Over(flushes.values)
	return []table.Row{{
		Name: rowAcks, Database: kind.String(), Figure: toBare, Bound: table.Bound{AtLeast: 0.25},
		Measure: "acks/s, 64 connections, 1 KiB signed events, over a bare Gin handler that only verifies the HMAC",
		Record: fmt.Sprintf("%s of %s acks/s; CPU per ack, sender included, %s of %s us",
			ours.show("%.0f"), bare.show("%.0f"), cpu.show("%.0f"), bareCPU.show("%.0f")),
	}, {
		Name: rowCommits, Database: kind.String(), Figure: toCommitting, Bound: table.Bound{AtLeast: 0.70},
		Measure: "acks/s over a stub that only group-commits the body",
		Record: fmt.Sprintf("%s of %s acks/s; CPU per ack %s of %s us",
			ours.show("%.0f"), committing.show("%.0f"), cpu.show("%.0f"), committingCPU.show("%.0f")),
	}, {
		Name: rowFlushes, Database: kind.String(), Figure: perAck, Bound: table.Bound{AtMost: 0.1},
		Measure: "flushes per ack",
		Record:  "the stub " + stubFlushes.show("%.3f"),
	}}, err
}
