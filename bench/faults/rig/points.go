package rig

import (
	"context"

	"countersign/bench/faults/plan"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/wire"
)

// points are where a process is killed.
func (r *Rig) points() map[string]action {
	insert := []string{"INSERT INTO deliveries", "sync"} // one statement, which its Sync commits
	start := []string{`"platform":"` + traffic.Platform + `"`}
	write := []string{"/complete HTTP/1.1"}
	effect := []string{"INSERT INTO effects"}
	put := []string{"PUT /xapi/statements"}
	at := func(link *wire.Link, steps []string, after bool, who func() *member) action {
		return action{begin: func(_ context.Context, s plan.Step) error {
			r.mark(s.String())
			link.Arm(wire.Point{Steps: steps, After: after}, func() {
				r.reached(s.String())
				if err := who().kill(s.Back); err != nil {
					r.options.Say("%s: %v", s, err)
				}
			})
			return nil
		}}
	}
	starter := func() *member { return r.starter }
	all := map[string]action{
		"before-ack":       at(r.ingress, []string{"POST /webhooks/"}, true, starter),
		"before-start":     at(r.starterTemporal, start, false, starter),
		"after-start":      at(r.starterTemporal, start, true, starter),
		"before-send":      at(r.qms, write, false, r.worker),
		"after-send":       at(r.qms, write, true, r.worker),
		"before-statement": at(r.lrs, put, false, r.worker),
		"after-statement":  at(r.lrs, put, true, r.worker),
	}
	if r.options.Plan.Database == plan.Postgres {
		all["before-insert"] = at(r.store.starter, insert[:1], false, starter)
		all["before-commit"] = at(r.store.starter, insert, false, starter)
		all["after-commit"] = at(r.store.starter, insert, true, starter)
		all["before-record"] = at(r.store.worker, effect, false, r.worker)
		all["after-record"] = at(r.store.worker, effect, true, r.worker)
	}
	return all
}

// mark and reached keep the list of points that were armed and never come to.
func (r *Rig) mark(point string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unreached[point] = true
}

func (r *Rig) reached(point string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.unreached, point)
	r.options.Say("reached %s", point)
}
