package activities

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"
)

// Targets is what the activities need of the journal about what completions need from outside.
type Targets interface {
	Target(ctx context.Context, tenant, name string) (journal.Target, error)
	Hold(ctx context.Context, t journal.Target) (held bool, err error)
	Pause(ctx context.Context, tenant, name, incident string, d training.Decision) (paused bool, err error)
	Resume(ctx context.Context, tenant, name string, d training.Decision) (resumed bool, err error)
	Answers(ctx context.Context, tenant, name string) error
	Settle(ctx context.Context, tenant, name string) (settled bool, err error)
	WaitingFor(ctx context.Context, tenant, target string, parkedSince time.Time, after journal.Waiting, limit int) ([]journal.Waiting, error)
	WaitingEnrollments(ctx context.Context, tenant, target string, parkedSince time.Time, after journal.Waiting, limit int) ([]journal.Waiting, error)
}

// Outages reaches the workflows that an outage is about. Each call may be repeated.
type Outages interface {
	// Watch starts the Outage of a target unless there is one.
	Watch(ctx context.Context, in workflows.Outage) error
	// Resume tells a completion or an enrollment once per id to go on; gone is true where no workflow carries it.
	Resume(ctx context.Context, w journal.Waiting, id string, d training.Decision) (gone bool, err error)
}

// trusted is how long a target that answers is not asked for again in the journal. One that holds always is,
// because the workflow that goes on must not be held once more by what was true a moment ago.
const trusted = time.Second

// gate is whether anything may be asked of a target now.
type gate struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (g *gate) open(tenant string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.until[tenant])
}

func (g *gate) set(tenant string, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	g.until[tenant] = until
}

// atQMS makes a step one that reaches the QMS: it ends at once, and has asked nothing, while the QMS is held
// or paused; and what its calls come to is counted.
func atQMS[Out any](a *Activities, ref workflows.Ref, step func(context.Context, subject) (Out, error)) func(context.Context, subject) (Out, error) {
	return func(ctx context.Context, s subject) (Out, error) {
		if err := a.held(ctx, ref); err != nil {
			var none Out
			return none, err
		}
		if s.tenant.Breaker == nil {
			return step(ctx, s)
		}
		watch := s.tenant.Breaker.Watch(s.tenant.QMS, ref.Fingerprint)
		s.tenant.QMS = watch.Client()
		out, err := step(ctx, s)
		if failure, ok := errors.AsType[*training.Failure](err); ok && watch.Silent() && failure.Class.Outage() {
			failure.Target = training.TargetQMS
		}
		if trip, tripped := watch.Tripped(); tripped {
			a.hold(ctx, ref.Tenant, s.tenant, trip, a.log(ref))
		}
		return out, err
	}
}

// held is the failure of a step whose target is held or paused; nil if it may ask, or if its workflow
// would not know what to do about it.
func (a *Activities) held(ctx context.Context, ref workflows.Ref) error {
	if !ref.Holds || a.cfg.Targets == nil || a.gate.open(ref.Tenant) {
		return nil
	}
	target, err := a.cfg.Targets.Target(ctx, ref.Tenant, training.TargetQMS)
	if err != nil {
		return journalFailure("read target", err)
	}
	if !target.State.Holds() {
		a.gate.set(ref.Tenant, time.Now().Add(trusted))
		return nil
	}
	failure := training.Fail(training.FailureHeld, "ask the QMS", "", standingOf(target).Why())
	failure.Target = training.TargetQMS
	if !target.Until.IsZero() {
		failure.RetryAfter = max(0, time.Until(target.Until))
	}
	return failure
}

// hold writes to the journal that the target is held, and has it watched. The first worker to see it does;
// if that goes wrong, the next failure or the starter's sweep makes up for it.
func (a *Activities) hold(ctx context.Context, id string, tenant Tenant, trip breaker.Trip, log *slog.Logger) {
	if a.cfg.Targets == nil || !tenant.Policy.Outage.Hold {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeToSay/2) // the step may have run out of time
	defer cancel()
	log = log.With("target", training.TargetQMS)
	held, err := a.cfg.Targets.Hold(ctx, journal.Target{
		Tenant: id, Name: training.TargetQMS, Incident: incidentName(id, training.TargetQMS),
		BeganAt: trip.Since, Until: trip.Until, Class: trip.Failure.Class, Detail: trip.Failure.Detail, Example: trip.Completion,
	})
	if err != nil {
		log.Error("target not held", "error", err)
		return
	}
	a.gate.set(id, time.Time{})
	if !held {
		return
	}
	log.Warn("target held: it does not answer", "class", trip.Failure.Class, "failure", trip.Failure.Error(), "since", trip.Since, "until", trip.Until)
	if err := a.cfg.Outages.Watch(ctx, workflows.NewOutage(id, training.TargetQMS, tenant.Policy)); err != nil {
		log.Error("outage is not watched, left for the sweep", "error", err)
	}
}

// incidentName names an incident of a target by when it was opened.
func incidentName(tenant, target string) string {
	return tenant + "/" + target + "/" + time.Now().UTC().Format("20060102T150405.000Z")
}

func standingOf(t journal.Target) workflows.TargetStanding {
	return workflows.TargetStanding{
		State: t.State, Incident: t.Incident, BeganAt: t.BeganAt, Since: t.Since, Until: t.Until,
		Class: t.Class, Detail: t.Detail, By: t.By, Reason: t.Reason,
	}
}
