package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"countersign/internal/dispatch"
	"countersign/internal/journal"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// impatient shortens what an outage takes; the retries are the test system's.
func impatient(p *plan) {
	policy("digest_every: 1s, outage: {probe: {first: 500ms, maximum: 1s}, resume_per_second: 20}")(p)
}

func (s *system) qmsTarget(j *journal.Journal) journal.Target {
	target, err := j.Target(s.t.Context(), tenant, training.TargetQMS)
	require.NoError(s.t, err)
	return target
}

// outage is what the Outage workflow of the test's tenant is called, as a history to record.
func outage() training.Fingerprint {
	return training.Fingerprint(workflows.OutageID(tenant, training.TargetQMS))
}

// signals counts the signals of a name that a workflow has got.
func (s *system) signals(f training.Fingerprint, name string) (n int) {
	all := s.client.GetWorkflowHistory(s.t.Context(), string(f), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(s.t, err)
		if event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == name {
			n++
		}
	}
	return n
}

// The QMS is away while twelve completions arrive and more come later: one incident, one all-clear, nobody is
// asked anything, no attempt is used up, and each record changes once.
func TestOutageHealsItself_R123_R133(t *testing.T) {
	const early, late = 12, 3
	s := newSystem(t, impatient)
	j := s.journal()
	records := make([]string, early+late)
	bodies := make([][]byte, early+late)
	for n := range records {
		records[n], bodies[n] = s.learner(n), body(n)
	}
	s.qms.Fault(fault.Any, fault.Status(503, fault.Forever))
	var all []training.Fingerprint
	for _, answer := range s.burst(bodies[:early]) {
		require.Equal(t, http.StatusOK, answer.Status)
		all = append(all, answer.Completions[0].Fingerprint)
	}
	s.eventually(func() bool { return s.qmsTarget(j).State == training.TargetHeld }, "held")
	for _, answer := range s.burst(bodies[early:]) {
		require.Equal(t, http.StatusOK, answer.Status, "we keep receiving")
		all = append(all, answer.Completions[0].Fingerprint)
	}
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, "503")
	var held training.Fingerprint
	s.eventually(func() bool {
		counts, err := j.Counts(t.Context())
		require.NoError(t, err)
		for _, f := range all {
			if stored, err := j.Completion(t.Context(), tenant, f); err == nil && stored.FailureClass == training.FailureHeld {
				held = f
			}
		}
		return held != "" && counts[training.StateRunning]+counts[training.StateStarting] == 0 && counts[training.StateQueued] >= late
	}, "everything waits, what came later in the queue")

	// A word with the same id counts once, however often it is said: a page of the resumption may be repeated.
	for range 3 {
		gone, err := dispatch.Outages{Temporal: s.client, Namespace: s.temporal.Namespace()}.Resume(t.Context(),
			journal.Waiting{Fingerprint: held, Held: true}, "6f0d7c6e-8a5b-5c1e-9d43-1f2e3d4c5b6a", training.Decision{})
		require.NoError(t, err)
		require.False(t, gone)
	}

	s.qms.ClearFaults()
	s.eventually(func() bool {
		counts, err := j.Counts(t.Context())
		return err == nil && counts[training.StateCompleted] == early+late
	}, "all end without a person")
	require.Less(t, s.signals(held, workflows.ResumeSignal), 4, "the three of the test are one")
	s.requireOneEffectOfEachKind(records, all)
	for _, f := range all {
		decisions, err := j.Decisions(t.Context(), tenant, f)
		require.NoError(t, err)
		require.Empty(t, decisions, "nobody was asked")
	}
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(outage()), "").Get(t.Context(), nil))
	_, err = s.mail.Wait(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, s.mail.Messages(), 2, "one incident, one all-clear")
	require.Contains(t, s.mail.Messages()[1].Text, "answers again after")
	require.Empty(t, s.qmsTarget(j).Incident)
	incidents, err := j.Incidents(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, incidents[journal.Target{Tenant: tenant, Name: training.TargetQMS}])
	s.record("held", held)
	s.record("outage", outage())
}

// What was parked in review before the hold began goes on by itself as well; what waits for another reason stays.
func TestWhatTheOutageHasParkedGoesOn_R139(t *testing.T) {
	s := newSystem(t, func(p *plan) {
		p.retry = "{initial: 100ms, coefficient: 1, maximum: 100ms, attempts: 2}, digest_every: 1s, outage: {failures: 3, probe: {first: 500ms, maximum: 1s}}"
	})
	j := s.journal()
	other := s.complete(9) // nobody the QMS knows
	s.becomes(j, other, training.StateInReview)
	records := []string{s.learner(1), s.learner(2), s.learner(3)}
	s.qms.Fault(fault.Any, fault.Status(503, fault.Forever))
	parked := []training.Fingerprint{s.complete(1)}
	s.becomes(j, parked[0], training.StateInReview)
	parked = append(parked, s.complete(2))
	s.becomes(j, parked[1], training.StateInReview)
	third := s.complete(3)
	s.eventually(func() bool { return s.qmsTarget(j).State == training.TargetHeld }, "held")

	s.qms.ClearFaults()
	all := slices.Concat(parked, []training.Fingerprint{third})
	for _, f := range all {
		s.becomes(j, f, training.StateCompleted)
	}
	s.requireOneEffectOfEachKind(records, all)
	for _, f := range parked {
		decisions, err := j.Decisions(t.Context(), tenant, f)
		require.NoError(t, err)
		require.Len(t, decisions, 1)
		require.Equal(t, "outage", decisions[0].Via)
		require.Equal(t, training.ByCountersign, decisions[0].Decision.By)
		require.Contains(t, decisions[0].Decision.Reason, "incident acme/qms/")
	}
	require.Equal(t, training.StateInReview, state(s, j, other))
	s.record("review-outage", parked[0])
}

// A person pauses the QMS by command: nothing is asked of it, whatever is restarted meanwhile, until it is resumed.
func TestTargetIsPausedByCommand(t *testing.T) {
	s := newSystem(t, impatient)
	j := s.journal()
	records := []string{s.learner(1), s.learner(2)}
	out, err := s.starterCommand("pause", "-tenant", tenant, "-by", "m.keller")
	require.Error(t, err)
	require.Contains(t, out, "reason must say why")
	out, err = s.starterCommand("pause", "-tenant", tenant, "-by", "m.keller", "-reason", "QMS migration")
	require.NoError(t, err, out)
	all := []training.Fingerprint{s.complete(1)}
	require.NoError(t, s.starter.Kill())
	require.NoError(t, s.worker.Kill())
	s.startWorker()
	s.startStarter()
	all = append(all, s.complete(2))
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, "paused by m.keller: QMS migration")
	out, err = s.starterCommand("targets")
	require.NoError(t, err, out)
	require.Regexp(t, `acme\s+qms\s+PAUSED\s+\S+\s+paused by m.keller: QMS migration`, out)
	require.Zero(t, s.qms.Calls(fault.Any), "nothing is asked")
	for _, f := range all {
		require.Equal(t, training.StateQueued, state(s, j, f))
	}

	out, err = s.starterCommand("resume", "-tenant", tenant, "-by", "a.roth", "-reason", "migrated")
	require.NoError(t, err, out)
	for _, f := range all {
		s.becomes(j, f, training.StateCompleted)
	}
	s.requireOneEffectOfEachKind(records, all)
	changes, err := j.TargetChanges(t.Context(), tenant, training.TargetQMS)
	require.NoError(t, err)
	require.Equal(t, []string{"m.keller", "a.roth"}, []string{changes[0].By, changes[1].By})
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(outage()), "").Get(t.Context(), nil))
	require.NotContains(t, strings.ToUpper(out), "ERROR")
	s.record("outage-paused", outage())
}

// A QMS with a budget is asked through a queue of the tenant's own, and all ends as without one.
func TestBudgetIsKept(t *testing.T) {
	s := newSystem(t, func(p *plan) { p.budget = "budget: {per_second: 40, burst: 5, per_day: 10000}" })
	j := s.journal()
	records := []string{s.learner(1), s.learner(2, approval)}
	all := []training.Fingerprint{s.complete(1), s.complete(2)}
	s.becomes(j, all[0], training.StateCompleted)
	s.becomes(j, all[1], training.StateWaitingApproval)
	s.decide(all[1], workflows.ApprovalSignal, training.ActionApprove)
	s.becomes(j, all[1], training.StateCompleted)
	require.Len(t, s.qms.Changes(records[0]), 1)
	uses, err := j.BudgetUses(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, uses[0].Used, s.qms.Calls(fault.Any), "every request is counted")
	s.record("budget", all[0])
}
