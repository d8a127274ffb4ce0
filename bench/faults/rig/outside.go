package rig

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"countersign/bench/faults/plan"
	"countersign/bench/faults/wire"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lrs"
)

func (r *Rig) networks() map[string]action {
	all := map[string]action{}
	for to, links := range map[string][]*wire.Link{
		"temporal": {r.starterTemporal, r.workerTemporal}, "postgres": r.store.links(), "qms": {r.qms}, "lrs": {r.lrs},
	} {
		each := func(do func(*wire.Link) error) func() error {
			return func() error {
				var errs []error
				for _, l := range links {
					errs = append(errs, do(l))
				}
				return errors.Join(errs...)
			}
		}
		suffered := func() int {
			n := 0
			for _, l := range links {
				n += l.Suffered()
			}
			return n
		}
		mend := each((*wire.Link).Mend)
		all["cut-"+to] = action{
			begin: func(ctx context.Context, s plan.Step) error {
				expected := r.expect(s, nil)
				if err := await(ctx, func() bool { return connected(links) }); err != nil { // who was just killed has none
					return err
				}
				for _, l := range links {
					if l.Cut() > 0 {
						r.feel(expected)
					}
				}
				return nil
			},
			end: func(context.Context, plan.Step) error { return mend() },
		}
		for kind, begin := range map[string]func(*wire.Link) error{
			"half-open":   func(l *wire.Link) error { return l.Swallow(true) },
			"unreachable": func(l *wire.Link) error { return l.Swallow(false) },
			"slow":        func(l *wire.Link) error { return l.Slow(300, 200) },
		} {
			all[kind+"-"+to] = r.felt(lasting(each(begin), mend), suffered)
		}
	}
	return all
}

// connected reports whether there is a connection that could be cut.
func connected(links []*wire.Link) bool {
	return slices.ContainsFunc(links, func(l *wire.Link) bool { return l.Connections() > 0 })
}

// How late a late commit is. The last one is usually made when everything has come to rest.
const (
	soon   = 5 * time.Second
	later  = 15 * time.Second
	latest = 2 * time.Minute
)

func (r *Rig) qmsFaults() map[string]action {
	q := r.world.qms
	script := func(endpoint fault.Endpoint, faults ...fault.Fault) action {
		return r.felt(once(func() error { q.Fault(endpoint, faults...); return nil }), answered(q, endpoint, faults[0]))
	}
	both := func(write, read fault.Fault) action {
		action := once(func() error { q.Fault(arena.EndpointComplete, write); q.Fault(arena.EndpointRecord, read); return nil })
		return r.felt(action, answered(q, arena.EndpointComplete, write))
	}
	asking := func(endpoint fault.Endpoint, a action) action { return r.felt(a, asked(q, endpoint)) }
	clock := func(by time.Duration) action {
		return asking(fault.Any, lasting(func() error { q.SetClockOffset(by); return nil }, func() error { q.SetClockOffset(0); return nil }))
	}
	return map[string]action{
		"qms-silent":          script(arena.EndpointComplete, fault.Silent(3)),
		"qms-commit-500":      script(arena.EndpointComplete, fault.CommitThenStatus(http.StatusInternalServerError, 3)),
		"qms-commit-reset":    script(arena.EndpointComplete, fault.DropAfter(3)),
		"qms-reset":           script(arena.EndpointComplete, fault.DropBefore(3)),
		"qms-late":            script(arena.EndpointComplete, fault.LateCommit(soon, 1), fault.LateCommit(later, 1), fault.LateCommit(latest, 1)),
		"qms-late-lost":       script(arena.EndpointComplete, fault.LateCommitLost(soon, 1), fault.LateCommitLost(later, 1), fault.LateCommitLost(latest, 1)),
		"qms-429":             script(fault.Any, fault.RateLimited("", 5)),
		"qms-429-retry-after": script(fault.Any, fault.RateLimited("1", 5)),
		"qms-token-expired":   r.felt(once(func() error { q.ExpireTokens(); return nil }), unauthorized(q)),
		"qms-token-revoked":   r.felt(once(func() error { q.RevokeTokens(); return nil }), unauthorized(q)),
		"qms-huge":            both(fault.Huge(0, 2), fault.Huge(0, 2)),
		"qms-truncated":       both(fault.Truncated(3), fault.Truncated(3)),
		"qms-malformed":       both(fault.Malformed(3), fault.Malformed(3)),
		"qms-down": asking(fault.Any, lasting(
			func() error {
				q.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
				return nil
			},
			func() error { q.ClearFaults(fault.Any); return nil },
		)),
		"qms-clock-ahead":  clock(time.Hour),
		"qms-clock-behind": clock(-time.Hour),
	}
}

// conflicts is how many completions the LRS holds another statement of.
const conflicts = 3

func (r *Rig) lrsFaults() map[string]action {
	l := r.world.lrs
	failed, dropped := fault.CommitThenStatus(http.StatusInternalServerError, 3), fault.DropAfter(3)
	return map[string]action{
		"lrs-down": r.felt(lasting(
			func() error {
				l.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
				return nil
			},
			func() error { l.ClearFaults(fault.Any); return nil },
		), asked(l, fault.Any)),
		"lrs-commit-500": r.felt(once(func() error { l.Fault(lrs.EndpointPut, failed); return nil }), answered(l, lrs.EndpointPut, failed)),
		"lrs-409-same": r.felt(once(func() error {
			l.Fault(lrs.EndpointPut, dropped)
			return l.SetCompare(lrs.CompareRefuse)
		}), answered(l, lrs.EndpointPut, dropped)),
		"lrs-409-different": once(func() error {
			left := conflicts
			for _, k := range r.options.Traffic.Keys {
				if left == 0 || !k.Kind.Healthy() {
					continue
				}
				if err := r.world.occupy(k, r.secrets.lrs); err != nil {
					return err
				}
				left--
			}
			return nil
		}),
	}
}
