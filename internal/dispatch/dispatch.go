// Package dispatch brings what the journal holds to Temporal: it starts a workflow for every
// queued completion and enrollment, asks after those that have not been heard of, and tells the training
// admins of deliveries that could not be understood. The journal is the queue; nothing here
// keeps state, so any number of starters may run and a crash loses nothing.
package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
)

// Journal is what dispatch needs of the journal.
type Journal interface {
	// Claim hands out queued completions, so that no more than limit are in flight in all.
	Claim(ctx context.Context, limit int, lease time.Duration) ([]journal.Claimed, error)
	Started(ctx context.Context, tenant string, f training.Fingerprint) error
	Release(ctx context.Context, tenant string, f training.Fingerprint) error
	Requeue(ctx context.Context, tenant string, f training.Fingerprint, updatedAt time.Time) error
	Project(ctx context.Context, tenant string, f training.Fingerprint, p journal.Projection) error
	Touch(ctx context.Context, tenant string, f training.Fingerprint) error
	Stale(ctx context.Context, states []training.State, before time.Time, limit int) ([]journal.Unheard, error)
	Effect(ctx context.Context, tenant string, f training.Fingerprint, kind training.EffectKind) (journal.Effect, error)
	Reopen(ctx context.Context, e journal.DecisionEntry) error
	Decisions(ctx context.Context, tenant string, f training.Fingerprint) ([]journal.DecisionEntry, error)
	Unannounced(ctx context.Context, limit int) ([]journal.Delivery, error)
	Announced(ctx context.Context, tenant, id string) error
	// Targets lists what something was ever the matter with.
	Targets(ctx context.Context) ([]journal.Target, error)
	// Wake is signalled when this process has queued something.
	Wake() <-chan struct{}

	EnrollmentJournal
}

// Config is what New needs.
type Config struct {
	Journal   Journal
	Temporal  client.Client
	Namespace string
	TaskQueue string
	// InFlight bounds the runnable completions over all starters; waiting ones do not count.
	InFlight int
	// Lease is how long a claim holds before another starter may take it.
	Lease time.Duration
	// Policy is a tenant's policy; a tenant that is no longer in the settings has the default
	// one, and its completions end up in review.
	Policy func(tenant string) training.Policy
	// LooksUp says that a source's LMS can be asked for what its events lack; nil for none (R15).
	LooksUp func(tenant, source string) bool
	Log     *slog.Logger

	// StaleAfter is how long a completion may go unheard of before Temporal is asked; 0
	// means five minutes.
	StaleAfter time.Duration
	// QMSQueue is the task queue of the steps that reach a tenant's QMS; "" for a QMS without a budget.
	// nil is none for all.
	QMSQueue func(tenant string) string

	// SweepEvery is the pause between two sweeps; 0 means one minute.
	SweepEvery time.Duration
}

// Dispatcher runs the loops.
type Dispatcher struct {
	cfg   Config
	inbox Inbox
	// enrollmentsRefused is since when Temporal refuses starts of enrollments, zero while it does not. Only the loop that
	// starts them knows it.
	enrollmentsRefused time.Time
}

// New builds a Dispatcher; Run starts it.
func New(cfg Config) *Dispatcher {
	if cfg.StaleAfter == 0 {
		cfg.StaleAfter = 5 * time.Minute
	}
	if cfg.SweepEvery == 0 {
		cfg.SweepEvery = time.Minute
	}
	if cfg.QMSQueue == nil {
		cfg.QMSQueue = func(string) string { return "" }
	}
	return &Dispatcher{cfg: cfg, inbox: NewInbox(cfg.Temporal, cfg.TaskQueue)}
}

// The pauses between two looks at the queue. The journal wakes this process for its own
// deliveries; the pauses matter for other starters' deliveries and for slots that free up.
const (
	busyPause = 50 * time.Millisecond
	idlePause = time.Second
	// stayBusy is how long it looks often after it last started something.
	stayBusy = 5 * time.Second
	// announceEvery is the pause between two looks for deliveries to announce.
	announceEvery = 5 * time.Second
	// refusalPatience is how long Temporal may refuse starts before a completion is put up for
	// review: its frontends learn of new search attributes within a minute.
	refusalPatience = 2 * time.Minute
	// longestPause is the longest wait while Temporal or the database is away.
	longestPause = 5 * time.Second
)

// Run works until ctx ends; it never gives up before.
func (d *Dispatcher) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.startQueued(ctx) })
	g.Go(func() error { return d.every(ctx, d.cfg.SweepEvery, "sweep", d.sweep) })
	g.Go(func() error { return d.every(ctx, d.cfg.SweepEvery, "watch targets", d.watchTargets) })
	g.Go(func() error { return d.every(ctx, enrollmentsEvery, "start enrollments", d.startEnrollments) })
	g.Go(func() error { return d.every(ctx, d.cfg.SweepEvery, "sweep enrollments", d.sweepStaleEnrollments) })
	g.Go(func() error { return d.every(ctx, announceEvery, "announce", d.announce) })
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// startQueued starts what is queued, as it comes.
func (d *Dispatcher) startQueued(ctx context.Context) error {
	var busyUntil, refusedSince time.Time
	failed := time.Duration(0)
	for prepared := false; ; {
		started, err := 0, error(nil)
		if !prepared {
			err = registerAttributes(ctx, d.cfg.Temporal, d.cfg.Namespace)
		}
		if err == nil {
			started, err = d.startClaimed(ctx, refusedFor(refusedSince) > refusalPatience)
			// A Temporal that has come back empty knows the search attributes no more.
			switch prepared = !errors.Is(err, errRefused); {
			case prepared:
				refusedSince = time.Time{}
			case refusedSince.IsZero():
				refusedSince = time.Now()
			}
		}
		pause := idlePause
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = min(max(2*failed, idlePause), longestPause)
			pause = failed
			d.cfg.Log.Warn("dispatch waits: completions stay queued in the journal", "error", err, "pause", pause)
		default:
			failed = 0
			if started > 0 {
				busyUntil = time.Now().Add(stayBusy)
			}
			if time.Now().Before(busyUntil) {
				pause = busyPause
			}
		}
		wake := d.cfg.Journal.Wake()
		if err != nil {
			wake = nil // a spike must not turn an outage into a busy loop
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-time.After(pause):
		}
	}
}

func refusedFor(since time.Time) time.Duration {
	if since.IsZero() {
		return 0
	}
	return time.Since(since)
}

// every runs work now and then; an error waits for the next time.
func (d *Dispatcher) every(ctx context.Context, pause time.Duration, name string, work func(context.Context) error) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Warn("will be tried again", "work", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
