package rig

import (
	"context"
	"errors"

	"countersign/bench/faults/disk"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/wire"
)

// points are where a process is killed.
func (r *Rig) points() map[string]action {
	start := []string{`"platform":"` + traffic.Platform + `"`}
	write := []string{"/complete HTTP/1.1"}
	put := []string{"PUT /xapi/statements"}
	all := map[string]action{
		"before-ack":       r.onTheWire(r.ingress, []string{"POST /webhooks/"}, true, r.theStarter),
		"before-start":     r.onTheWire(r.starterTemporal, start, false, r.theStarter),
		"after-start":      r.onTheWire(r.starterTemporal, start, true, r.theStarter),
		"before-send":      r.onTheWire(r.qms, write, false, r.worker),
		"after-send":       r.onTheWire(r.qms, write, true, r.worker),
		"before-statement": r.onTheWire(r.lrs, put, false, r.worker),
		"after-statement":  r.onTheWire(r.lrs, put, true, r.worker),
	}
	if r.options.Plan.Database == plan.Postgres {
		insert := []string{"INSERT INTO deliveries", "sync"} // one statement, which its Sync commits
		effect := []string{"INSERT INTO effects"}
		all["before-insert"] = r.onTheWire(r.store.starter, insert[:1], false, r.theStarter)
		all["before-commit"] = r.onTheWire(r.store.starter, insert, false, r.theStarter)
		all["after-commit"] = r.onTheWire(r.store.starter, insert, true, r.theStarter)
		all["before-record"] = r.onTheWire(r.store.worker, effect, false, r.worker)
		all["after-record"] = r.onTheWire(r.store.worker, effect, true, r.worker)
		return all
	}
	all["before-insert"] = r.onDisk(commit(disk.BeforeWrite), r.theStarter)
	all["before-commit"] = r.onDisk(commit(disk.BeforeFlush), r.theStarter)
	all["after-commit"] = r.onDisk(commit(disk.Committed), r.theStarter)
	all["before-record"] = r.onDisk(commit(disk.BeforeWrite), r.worker)
	all["after-record"] = r.onDisk(commit(disk.Committed), r.worker)
	all["in-checkpoint"] = r.onDisk(checkpoint(), r.theStarter, r.worker)
	return all
}

func (r *Rig) theStarter() *member { return r.starter }

// onTheWire kills who holds one end of a conversation.
func (r *Rig) onTheWire(link *wire.Link, steps []string, after bool, who func() *member) action {
	return action{begin: func(_ context.Context, s plan.Step) error {
		expected := r.expect(s, nil)
		link.Arm(wire.Point{Steps: steps, After: after}, func() {
			r.reached(expected)
			if err := who().kill(s.Back); err != nil {
				r.options.Say("%s: %v", s, err)
			}
		})
		return nil
	}}
}

// commit is one that changes the table of deliveries, of the starter's, or that of effects, of the worker's: of what each of them
// writes, nothing else names a media type. SQLite's commit writes the pages that it changes into the write-ahead
// log and flushes that; in the end it says in the memory that both share that they are there.
func commit(place disk.Place) disk.Point {
	return disk.Point{Place: place, File: "-wal", Mark: "application/json"}
}

// checkpoint is where some pages of the write-ahead log were copied into the database, and others not yet.
func checkpoint() disk.Point { return disk.Point{Place: disk.BeforeWrite, File: ".db", Skip: 100} }

// onDisk lets processes fall while they commit. It was come to when one of them fell.
func (r *Rig) onDisk(p disk.Point, who ...func() *member) action {
	return action{begin: func(_ context.Context, s plan.Step) error {
		expected := r.expect(s, nil)
		var errs []error
		for _, who := range who {
			m := who()
			errs = append(errs, m.trap.Arm(p, func() {
				r.reached(expected)
				m.stay(s.Back)
			}))
		}
		return errors.Join(errs...)
	}}
}
