package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/journal"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/api/serviceerror"
)

func freezeGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGSTOP) }
func thawGroup(pid int) error   { return syscall.Kill(-pid, syscall.SIGCONT) }

// Heal takes back whatever is still wrong and waits until every process answers. Lasting faults
// have been ended.
func (r *Rig) Heal(ctx context.Context) error {
	var errs []error
	for _, l := range r.links() {
		l.Disarm()
		errs = append(errs, l.Mend())
	}
	r.sayUnused("QMS", r.world.qms.Faults())
	r.sayUnused("LRS", r.world.lrs.Faults())
	r.world.qms.ClearFaults()
	r.world.lrs.ClearFaults()
	errs = append(errs, r.world.lrs.SetCompare(lrs.CompareSpec))
	for _, m := range r.members() {
		errs = append(errs, m.trap.Disarm())
		m.release()
		errs = append(errs, m.ready(ctx))
	}
	return errors.Join(errs...)
}

// sayUnused says which scripted answers nobody has asked for.
func (r *Rig) sayUnused(who string, left map[fault.Endpoint][]fault.Fault) {
	for endpoint, faults := range left {
		for _, f := range faults {
			r.options.Say("not used: the %s still has %d x %s/%s for %s", who, f.Times, f.Answer, f.Apply, endpoint)
		}
	}
}

// The patience of Drain.
const (
	drainPoll = 200 * time.Millisecond
	// sweepAfter is when a sweeper that asks after everything at once joins the starter, whose
	// own waits five minutes before it asks.
	sweepAfter = 45 * time.Second
	// decideAgain is when a person who saw nothing happen decides once more.
	decideAgain = 5 * time.Second
)

// Drain waits until nothing moves any more, with a person who approves what waits for approval
// and says "retry" to every healthy completion in review. It gives up with ctx.
func (r *Rig) Drain(ctx context.Context) error {
	j, err := journal.Open(ctx, r.store.direct(), journal.Options{})
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	defer j.Close()
	wait := sweepAfter
	if r.options.Plan.Has("temporal-lost") || r.options.Plan.Restores() {
		wait = 0
	}
	sweeping, stop := context.WithCancel(ctx)
	defer stop()
	sweep := time.AfterFunc(wait, func() { r.sweep(sweeping, j) })
	defer sweep.Stop()

	p := &person{rig: r, journal: j, decided: map[training.Fingerprint]time.Time{}}
	for quiet := 0; quiet < 3; { // three times, for a signal may be on its way
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %w; the journal says %s", ctx.Err(), r.counts(j))
		case <-time.After(drainPoll):
		}
		moving, err := p.look(ctx)
		if err != nil && ctx.Err() == nil {
			r.options.Say("drain: %v", err)
		}
		if quiet++; moving || err != nil {
			quiet = 0
		}
	}
	r.world.qms.CommitLate()
	return nil
}

func (r *Rig) counts(j *journal.Journal) string {
	counts, err := j.Counts(context.Background())
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(counts)
}

// sweep is one more dispatcher, as a second starter has it, that asks after everything at once.
func (r *Rig) sweep(ctx context.Context, j *journal.Journal) {
	r.options.Say("an impatient sweeper joins the starter")
	if err := r.dispatcher(j).Run(ctx); err != nil && ctx.Err() == nil {
		r.options.Say("sweep: %v", err)
	}
}

func (r *Rig) dispatcher(j *journal.Journal) *dispatch.Dispatcher {
	return dispatch.New(dispatch.Config{
		Journal: j, Temporal: r.client, Namespace: r.temporal.Namespace(), TaskQueue: workflows.TaskQueue,
		InFlight: 32, Lease: 5 * time.Second, Policy: func(string) training.Policy { return policy() },
		Log: slog.New(slog.DiscardHandler), StaleAfter: 2 * time.Second, SweepEvery: time.Second,
	})
}

// policy is what the tenants' file says.
func policy() training.Policy {
	p := training.DefaultPolicy()
	p.Retry = training.Retry{Initial: 400 * time.Millisecond, Coefficient: 2, Maximum: 1500 * time.Millisecond, Attempts: 4}
	p.DigestEvery = time.Second
	p.Outage.Probe = training.Poll{First: 500 * time.Millisecond, Maximum: 2 * time.Second}
	p.Outage.ResumePerSecond = 50
	return p
}

// person decides.
type person struct {
	rig     *Rig
	journal *journal.Journal
	decided map[training.Fingerprint]time.Time
}

// look reports whether anything moves, and decides what waits for a decision.
func (p *person) look(ctx context.Context) (moving bool, err error) {
	counts, err := p.journal.Counts(ctx)
	if err != nil {
		return true, err
	}
	for state, n := range counts {
		waits := state == training.StateInReview || state == training.StateWaitingApproval
		if n > 0 && !state.Ended() && !waits {
			return true, nil
		}
	}
	for _, k := range p.rig.options.Traffic.Keys {
		if !k.Kind.Healthy() || p.rig.world.isForeign(k.Fingerprint) {
			continue
		}
		stored, err := p.journal.Completion(ctx, tenant, k.Fingerprint)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			continue
		case err != nil:
			return true, err
		case stored.State.Ended():
			continue
		}
		moving = true
		if err := p.decide(ctx, stored); err != nil {
			return true, err
		}
	}
	return moving, nil
}

func (p *person) decide(ctx context.Context, stored journal.Stored) error {
	signal, action := workflows.ReviewSignal, training.ActionRetry
	switch stored.State {
	case training.StateInReview:
	case training.StateWaitingApproval:
		signal, action = workflows.ApprovalSignal, training.ActionApprove
	default:
		return nil // it moves by itself
	}
	f := stored.Fingerprint
	if time.Since(p.decided[f]) < decideAgain {
		return nil
	}
	p.decided[f] = time.Now()
	if stored.State == training.StateInReview {
		p.rig.options.Say("retry of %s, in review for %s %s", f.Short(), stored.FailureClass, stored.FailureDetail)
	}
	err := p.rig.client.SignalWorkflow(ctx, workflows.CompletionID(f), "", signal,
		training.Decision{Action: action, By: "m.keller", Reason: "the fault is mended"})
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		// No workflow carries it: an operator's `starter replay`.
		if err = p.rig.dispatcher(p.journal).Replay(ctx, tenant, stored); errors.Is(err, dispatch.ErrNotReplayable) {
			return nil // it has moved meanwhile
		}
	}
	return err
}
