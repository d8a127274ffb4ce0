package rig

import (
	"errors"
	"net/http"
	"time"

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
		mend := each((*wire.Link).Mend)
		all["cut-"+to] = lasting(each(func(l *wire.Link) error { l.Cut(); return nil }), mend)
		all["half-open-"+to] = lasting(each(func(l *wire.Link) error { return l.Swallow(true) }), mend)
		all["unreachable-"+to] = lasting(each(func(l *wire.Link) error { return l.Swallow(false) }), mend)
		all["slow-"+to] = lasting(each(func(l *wire.Link) error { return l.Slow(300, 200) }), mend)
	}
	return all
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
		return once(func() error { q.Fault(endpoint, faults...); return nil })
	}
	both := func(write, read fault.Fault) action {
		return once(func() error { q.Fault(arena.EndpointComplete, write); q.Fault(arena.EndpointRecord, read); return nil })
	}
	clock := func(by time.Duration) action {
		return lasting(func() error { q.SetClockOffset(by); return nil }, func() error { q.SetClockOffset(0); return nil })
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
		"qms-token-expired":   once(func() error { q.ExpireTokens(); return nil }),
		"qms-token-revoked":   once(func() error { q.RevokeTokens(); return nil }),
		"qms-huge":            both(fault.Huge(0, 2), fault.Huge(0, 2)),
		"qms-truncated":       both(fault.Truncated(3), fault.Truncated(3)),
		"qms-malformed":       both(fault.Malformed(3), fault.Malformed(3)),
		"qms-down": lasting(
			func() error {
				q.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
				return nil
			},
			func() error { q.ClearFaults(fault.Any); return nil },
		),
		"qms-clock-ahead":  clock(time.Hour),
		"qms-clock-behind": clock(-time.Hour),
	}
}

// conflicts is how many completions the LRS holds another statement of.
const conflicts = 3

func (r *Rig) lrsFaults() map[string]action {
	l := r.world.lrs
	return map[string]action{
		"lrs-down": lasting(
			func() error {
				l.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, fault.Forever))
				return nil
			},
			func() error { l.ClearFaults(fault.Any); return nil },
		),
		"lrs-commit-500": once(func() error {
			l.Fault(lrs.EndpointPut, fault.CommitThenStatus(http.StatusInternalServerError, 3))
			return nil
		}),
		"lrs-409-same": once(func() error {
			l.Fault(lrs.EndpointPut, fault.DropAfter(3))
			return l.SetCompare(lrs.CompareRefuse)
		}),
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
