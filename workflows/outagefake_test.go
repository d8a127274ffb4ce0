package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

type target struct {
	row TargetStanding
	// answers says what a probe finds, the n-th from 1; nil is a target that answers.
	answers func(n int) bool
	waiting []training.Fingerprint
	// enrollments wait behind them.
	enrollments int
	// onResume is called before a page is resumed.
	onResume func(page int)
	// onSettled is called when the n-th incident is settled.
	onSettled func(n int)

	probes  []time.Time
	resumed map[training.Fingerprint]time.Time
	changes []training.Decision
	pages   []ResumeWaiting
	looks   int
}

func (w *world) LookAtTarget(_ context.Context, in LookAtTarget) (TargetStanding, error) {
	w.call(lookAtTarget)
	w.target.looks++
	if in.Probe && w.target.row.State == training.TargetHeld && !w.target.row.Until.After(w.now()) {
		w.target.probes = append(w.target.probes, w.now())
		if w.target.answers == nil || w.target.answers(len(w.target.probes)) {
			w.target.row.State = training.TargetAnswering
		}
	}
	return w.target.row, nil
}

func (w *world) ChangeTarget(_ context.Context, in ChangeTarget) (TargetStanding, error) {
	w.call(changeTarget)
	w.target.changes = append(w.target.changes, in.Decision)
	row := &w.target.row
	row.State, row.Since = training.TargetPaused, w.now()
	if in.Decision.Action == training.ActionResume {
		row.State = training.TargetAnswering
	}
	if row.Incident == "" {
		row.Incident, row.BeganAt = in.Incident, w.now()
	}
	row.By, row.Reason = in.Decision.By, in.Decision.Reason
	return *row, nil
}

func (w *world) ResumeWaiting(_ context.Context, in ResumeWaiting) (ResumedPage, error) {
	w.call(resumeWaiting)
	w.target.pages = append(w.target.pages, in)
	if w.target.onResume != nil {
		w.target.onResume(len(w.target.pages))
	}
	page := ResumedPage{State: w.target.row.State}
	if page.State.Holds() || !in.FailedAfter.IsZero() {
		return page, nil
	}
	if w.target.resumed == nil {
		w.target.resumed = map[training.Fingerprint]time.Time{}
	}
	for _, f := range w.target.waiting {
		if f <= in.After.Fingerprint {
			continue
		}
		if page.Resumed == in.Limit {
			page.More = true
			break
		}
		w.target.resumed[f] = w.now()
		page.Resumed++
		page.Next.Fingerprint = f
	}
	if !page.More && w.target.enrollments > 0 {
		page.Enrollments = min(w.target.enrollments, in.Limit-page.Resumed)
		w.target.enrollments -= page.Enrollments
		page.More = w.target.enrollments > 0
		page.Next = Place{Fingerprint: "g", Enrollment: "e"}
	}
	return page, nil
}

func (w *world) SettleTarget(context.Context, TargetRef) (SettledTarget, error) {
	w.call(settleTarget)
	if w.target.row.State != training.TargetAnswering {
		return SettledTarget{}, nil
	}
	w.target.row.Incident = ""
	if w.target.onSettled != nil {
		w.target.onSettled(len(w.called(settleTarget)))
	}
	return SettledTarget{Settled: true}, nil
}

func heldSince(env *testsuite.TestWorkflowEnvironment) TargetStanding {
	return TargetStanding{
		State: training.TargetHeld, Incident: "acme/qms/1", BeganAt: env.Now().Add(-time.Minute), Since: env.Now(),
		Class: training.FailureUnreachable, Detail: "503",
	}
}

func waiting(n int) []training.Fingerprint {
	all := make([]training.Fingerprint, n)
	for i := range all {
		all[i] = training.Fingerprint(fmt.Sprintf("%064d", i))
	}
	return all
}

func watched(t *testing.T, env *testsuite.TestWorkflowEnvironment, in Outage) {
	t.Helper()
	env.ExecuteWorkflow(OutageWorkflow, in)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
}

func outageOfAcme() Outage { return NewOutage("acme", training.TargetQMS, training.DefaultPolicy()) }
