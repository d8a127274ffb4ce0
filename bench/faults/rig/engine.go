package rig

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"countersign/bench/faults/plan"
)

func (r *Rig) temporals() map[string]action {
	return map[string]action{
		"temporal-killed": {begin: func(ctx context.Context, _ plan.Step) error {
			return r.withTemporal(func() error { return errors.Join(r.temporal.Kill(), r.temporal.Start(ctx)) })
		}},
		"temporal-stopped": {
			begin: func(ctx context.Context, _ plan.Step) error {
				return r.withTemporal(func() error { return stopOrKill(ctx, r.temporal.Stop) })
			},
			end: func(ctx context.Context, _ plan.Step) error {
				return r.withTemporal(func() error { return r.temporal.Start(ctx) })
			},
		},
		"temporal-frozen": lasting(
			func() error { return freezeGroup(r.temporal.PID()) },
			func() error { return thawGroup(r.temporal.PID()) },
		),
		"temporal-lost": {begin: func(ctx context.Context, _ plan.Step) error {
			return r.withTemporal(func() error {
				if err := r.temporal.Kill(); err != nil {
					return err
				}
				for _, suffix := range []string{"", "-wal", "-shm", ".version"} {
					if err := os.Remove(r.temporalFile() + suffix); err != nil && !os.IsNotExist(err) {
						return err
					}
				}
				return r.temporal.Start(ctx)
			})
		}},
	}
}

func (r *Rig) clocks() map[string]action {
	set := func(clock func(by time.Duration) error, by time.Duration) action {
		return lasting(func() error { return clock(by) }, func() error { return clock(0) })
	}
	all := map[string]action{
		"clock-ahead": set(r.clock.Set, time.Hour), "clock-behind": set(r.clock.Set, -time.Hour),
		"temporal-clock-behind": set(r.temporalClock.Set, -time.Hour),
		"temporal-clock-ahead":  once(func() error { return r.temporalClock.Set(time.Hour) }),
	}
	if r.store.kind == plan.Postgres {
		all["pg-clock-ahead"], all["pg-clock-behind"] = set(r.store.setClock, time.Hour), set(r.store.setClock, -time.Hour)
	}
	return all
}

func (r *Rig) withTemporal(do func() error) error {
	r.temporalMu.Lock()
	defer r.temporalMu.Unlock()
	return do()
}

// stopLimit is how long Temporal may take to stop before it is killed, which is a fault too.
const stopLimit = 5 * time.Second

func stopOrKill(ctx context.Context, stop func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	if err := stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "signal") {
		return err
	}
	return nil
}

func (r *Rig) databases() map[string]action {
	s := r.store
	all := map[string]action{
		"disk-full":        r.felt(lasting(s.fill, s.empty), r.options.Refused),
		"journal-restored": {begin: r.copyJournal, end: r.restoreJournal},
		"journal-restored-hour": {begin: r.copyJournal, end: func(ctx context.Context, s plan.Step) error {
			return errors.Join(r.clock.Set(time.Hour), r.restoreJournal(ctx, s))
		}},
	}
	if s.kind == plan.Postgres {
		all["pg-restarted"] = r.felt(lasting(s.server.Stop, s.server.Start), r.options.Refused)
		all["pg-backends-killed"] = once(func() error { return s.server.Exec(terminate) })
		all["pg-read-only"] = r.felt(lasting(
			func() error { return s.server.Exec(readOnly, terminate) },
			func() error { return s.server.Exec(writable, terminate) },
		), r.options.Refused)
	}
	return all
}

// copyJournal takes a copy while nobody writes.
func (r *Rig) copyJournal(ctx context.Context, _ plan.Step) error {
	return r.undisturbed(ctx, r.store.copy)
}

// restoreJournal puts the copy back, and remembers which certificates are forgotten by that.
func (r *Rig) restoreJournal(ctx context.Context, _ plan.Step) error {
	return r.undisturbed(ctx, func() error { return errors.Join(r.rememberCertificates(ctx), r.store.restore()) })
}

// undisturbed does something to the journal while none of our processes runs.
func (r *Rig) undisturbed(_ context.Context, do func() error) error {
	var errs []error
	for _, m := range r.members() {
		errs = append(errs, m.hold())
	}
	errs = append(errs, do())
	for _, m := range r.members() {
		m.release()
	}
	return errors.Join(errs...)
}
