package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/google/uuid"
)

// LookAtTarget says where a target stands, and probes it if it is held and may be asked.
func (a *Activities) LookAtTarget(ctx context.Context, in workflows.LookAtTarget) (workflows.TargetStanding, error) {
	target, err := a.cfg.Targets.Target(ctx, in.Tenant, in.Target)
	if err != nil {
		return workflows.TargetStanding{}, err
	}
	// Before its time a spent budget would only be spent further.
	if !in.Probe || target.State != training.TargetHeld || target.Until.After(time.Now()) {
		return standingOf(target), nil
	}
	log := a.cfg.Log.With("tenant", in.Tenant, "target", in.Target, "incident", target.Incident)
	tenant, ok := a.cfg.Tenant(in.Tenant)
	if !ok { // nobody can ask for it any more: what is queued goes on, and ends in review
		log.Warn("target released: the tenant is not in the settings any more")
		if err := a.cfg.Targets.Answers(ctx, in.Tenant, in.Target); err != nil {
			return workflows.TargetStanding{}, err
		}
		target, err = a.cfg.Targets.Target(ctx, in.Tenant, in.Target)
		return standingOf(target), err
	}
	example, err := a.example(ctx, target, in.Look)
	if err != nil {
		return workflows.TargetStanding{}, err
	}
	answered, retryAfter, err := a.probe(ctx, tenant, target, example, in.Look)
	if err != nil {
		return workflows.TargetStanding{}, err
	}
	if !answered {
		log.Info("target does not answer yet")
		standing := standingOf(target)
		standing.RetryAfter = retryAfter
		return standing, nil
	}
	if err := a.cfg.Targets.Answers(ctx, in.Tenant, in.Target); err != nil {
		return workflows.TargetStanding{}, err
	}
	log.Info("target answers again")
	target, err = a.cfg.Targets.Target(ctx, in.Tenant, in.Target)
	return standingOf(target), err
}

// examples is how many of those that wait the probes take turns with.
const examples = 20

// example is the completion that a probe repeats: with every other look the one that has failed, else one of
// those that wait. A single record that the target never reads must not hold the tenant for ever.
func (a *Activities) example(ctx context.Context, target journal.Target, look int) (training.Fingerprint, error) {
	if look%2 != 0 || look == 0 {
		return target.Example, nil
	}
	waiting, err := a.cfg.Targets.WaitingFor(ctx, target.Tenant, target.Name, target.BeganAt, journal.Waiting{}, examples)
	if err != nil {
		return "", err
	}
	waiting = slices.DeleteFunc(waiting, func(w journal.Waiting) bool { return w.Fingerprint == target.Example })
	if len(waiting) == 0 {
		return target.Example, nil
	}
	return waiting[(look/2-1)%len(waiting)].Fingerprint, nil
}

// probe repeats the reads of a completion. What one cannot read would fail again, whatever else the target
// answers: a permission may be missing for just that.
func (a *Activities) probe(ctx context.Context, tenant Tenant, target journal.Target, example training.Fingerprint, look int) (answered bool, retryAfter time.Duration, err error) {
	counts := tenant.Breaker
	if counts == nil { // the settings have changed since
		counts = breaker.New(breaker.Config{Failures: 1, Patience: tenant.Policy.Retry.Maximum})
	}
	watch := counts.Watch(tenant.QMS, example)
	tenant.QMS = watch.Client()
	stored, err := a.cfg.Journal.Completion(ctx, target.Tenant, example)
	switch {
	case err == nil:
		s, broken := subjectOf(a.cfg.Journal, tenant, stored)
		if broken == nil {
			broken = s.identify(ctx)
		}
		if broken != nil { // which says nothing about the target
			break
		}
		if err = s.resolveLearner(ctx); err == nil {
			_, err = s.findRecord(ctx)
		}
	case !errors.Is(err, journal.ErrNotFound):
		return false, 0, err
	default:
		e, found, broken := a.exampleEnrollment(ctx, tenant, target.Tenant, training.EnrollmentKey(example))
		if broken != nil {
			return false, 0, broken
		}
		// Every other look asks for something else: completions wait for the end of this too, and are not started, so that
		// none of theirs could be asked for.
		if found && (look == 0 || look%2 != 0) {
			err = e.probe(ctx)
		}
	}
	if !watch.Asked() { // the completion is gone, or its settings do not lead to the QMS any more
		_, err = watch.ExternalUpdatesAllowed(ctx)
	}
	if errors.Is(err, context.Canceled) {
		return false, 0, err
	}
	if failure, ok := errors.AsType[*training.Failure](err); ok && failure.Class.Transient() {
		return false, failure.RetryAfter, nil
	}
	return !watch.Silent(), 0, nil
}

// exampleEnrollment is the enrollment whose key the example is, where it was one that has failed. found is false for one
// that is not there, or does not lead to the QMS as it stands: that says nothing about the target.
func (a *Activities) exampleEnrollment(ctx context.Context, tenant Tenant, id string, key training.EnrollmentKey) (e enrollee, found bool, err error) {
	stored, err := a.cfg.Journal.Enrollment(ctx, id, key)
	if errors.Is(err, journal.ErrNotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	e = enrollee{journal: a.cfg.Journal, tenant: tenant, enrollment: stored.Enrollment}
	lacks, broken := e.identify(ctx, e.enrollment.Learner, e.enrollment.Course)
	return e, lacks == nil && broken == nil, nil
}

// probe repeats the reads of an enrollment.
func (e enrollee) probe(ctx context.Context) error {
	if err := e.tenant.QMS.Employee(ctx, e.employee); err != nil {
		return err
	}
	_, err := e.tenant.QMS.Records(ctx, e.employee, e.trainingID)
	return err
}

// ChangeTarget pauses or resumes a target because a named person says so.
func (a *Activities) ChangeTarget(ctx context.Context, in workflows.ChangeTarget) (workflows.TargetStanding, error) {
	var changed bool
	var err error
	if in.Decision.Action == training.ActionPause {
		changed, err = a.cfg.Targets.Pause(ctx, in.Tenant, in.Target, in.Incident, in.Decision)
	} else {
		changed, err = a.cfg.Targets.Resume(ctx, in.Tenant, in.Target, in.Decision)
	}
	if err != nil {
		return workflows.TargetStanding{}, err
	}
	a.gate.set(in.Tenant, time.Time{})
	a.cfg.Log.Info("target changed by a person", "tenant", in.Tenant, "target", in.Target, "action", in.Decision.Action, "changed", changed)
	target, err := a.cfg.Targets.Target(ctx, in.Tenant, in.Target)
	return standingOf(target), err
}

// ResumeWaiting lets a page of what waits for the target go on, the enrollments behind the completions. A page that is
// repeated tells nobody twice: the id of each word is made of the incident and of when what waits has failed.
func (a *Activities) ResumeWaiting(ctx context.Context, in workflows.ResumeWaiting) (workflows.ResumedPage, error) {
	target, err := a.cfg.Targets.Target(ctx, in.Tenant, in.Target)
	if err != nil {
		return workflows.ResumedPage{}, err
	}
	page := workflows.ResumedPage{State: target.State, Next: in.After}
	if target.State.Holds() {
		return page, nil
	}
	waiting, err := a.waitingPage(ctx, in)
	if err != nil {
		return page, err
	}
	for _, w := range waiting {
		page.Next = workflows.Place{ReceivedAt: w.ReceivedAt, Fingerprint: w.Fingerprint, Enrollment: w.Enrollment}
		if !w.FailedAt.After(in.FailedAfter) {
			continue
		}
		id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s/%s/%d", in.Incident, cmp.Or(string(w.Fingerprint), workflows.EnrollmentID(w.Enrollment)), w.FailedAt.UnixMicro()))
		gone, err := a.cfg.Outages.Resume(ctx, w, id.String(), training.Decision{
			Action: training.ActionRetry, By: training.ByCountersign, Reason: in.Reason,
		})
		if err != nil {
			return page, err
		}
		switch {
		case gone: // the sweep sees to it
		case w.Enrollment != "":
			page.Enrollments++
		default:
			page.Resumed++
		}
	}
	page.More = len(waiting) == in.Limit
	return page, nil
}

// waitingPage lists the completions that wait behind in.After, and fills the page up with enrollments.
func (a *Activities) waitingPage(ctx context.Context, in workflows.ResumeWaiting) ([]journal.Waiting, error) {
	after := journal.Waiting{ReceivedAt: in.After.ReceivedAt, Fingerprint: in.After.Fingerprint, Enrollment: in.After.Enrollment}
	var waiting []journal.Waiting
	if after.Enrollment == "" {
		var err error
		waiting, err = a.cfg.Targets.WaitingFor(ctx, in.Tenant, in.Target, in.ParkedSince, after, in.Limit)
		if err != nil || len(waiting) == in.Limit {
			return waiting, err
		}
	}
	enrollments, err := a.cfg.Targets.WaitingEnrollments(ctx, in.Tenant, in.Target, in.ParkedSince, after, in.Limit-len(waiting))
	return append(waiting, enrollments...), err
}

// SettleTarget ends the incident of a target that answers.
func (a *Activities) SettleTarget(ctx context.Context, in workflows.TargetRef) (workflows.SettledTarget, error) {
	settled, err := a.cfg.Targets.Settle(ctx, in.Tenant, in.Target)
	return workflows.SettledTarget{Settled: settled}, err
}
