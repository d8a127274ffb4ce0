package workflows

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

func TestEnrollmentWaitsOutAHold(t *testing.T) {
	w := &world{link: func(n int) (LinkedEnrollment, error) {
		switch {
		case n <= 2:
			return LinkedEnrollment{}, temporal.NewApplicationErrorWithOptions("held", string(training.FailureHeld), temporal.ApplicationErrorOptions{
				NonRetryable: true, Details: []any{*training.Fail(training.FailureHeld, "ask the QMS", "", "paused by ops: upgrade")},
			})
		case n <= 5:
			return LinkedEnrollment{}, failing(training.FailureUnreachable)
		}
		return LinkedEnrollment{RecordID: "TR-1"}, nil
	}}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { require.Contains(t, details(t, env), "paused by ops") }, 5*time.Minute)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Equal(t, []time.Duration{15 * time.Minute, 30 * time.Minute, time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(linkEnrollment))
	require.Empty(t, w.heard())
}

func holdsEnrollment(times int) func(int) (LinkedEnrollment, error) {
	return func(n int) (LinkedEnrollment, error) {
		if n <= times {
			return LinkedEnrollment{}, heldFailure()
		}
		return LinkedEnrollment{RecordID: "TR-1", Status: training.RecordAssigned}, nil
	}
}

func TestEnrollmentGoesOnWhenTheOutageIsOver_R98_R133(t *testing.T) {
	w := &world{link: holdsEnrollment(3)}
	env := environment(t, w)
	held := w.link
	w.link = func(n int) (LinkedEnrollment, error) {
		if n == 3 {
			env.SignalWorkflow(ResumeSignal, nil)
		}
		return held(n)
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ResumeSignal, nil) }, 2*time.Minute)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ResumeSignal, nil) }, 7*time.Minute)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Equal(t, []time.Duration{2 * time.Minute, 5 * time.Minute, 0}, w.gaps(linkEnrollment))
	require.Equal(t, []training.EnrollmentState{training.EnrollmentLinked}, w.states(), "nobody has decided anything")
	require.Equal(t, []bool{false, true, true, true}, w.again)

	// One of an earlier time does not hear it.
	w = &world{link: holdsEnrollment(1)}
	env = environment(t, w)
	env.RegisterDelayedCallback(func() {
		require.NotContains(t, details(t, env), "retry")
		env.SignalWorkflow(ResumeSignal, nil)
	}, 2*time.Minute)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env, func(in *EnrollmentInput) { in.Steps = budgetAwaited }).State)
	require.Equal(t, []time.Duration{15 * time.Minute}, w.gaps(linkEnrollment))
}

func TestEnrollmentHeldForWeeksKeepsItsHistoryShort(t *testing.T) {
	w := &world{link: holdsEnrollment(2)}
	env := environment(t, w)
	env.SetContinueAsNewSuggested(true)
	for n := range 24 {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ResumeSignal, nil) }, time.Duration(n)*5*time.Minute)
	}
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Equal(t, []time.Duration{time.Hour, time.Hour}, w.gaps(linkEnrollment))
}

func TestParkedEnrollmentGoesOnWhenTheOutageIsOver_R139(t *testing.T) {
	w := &world{link: fails(training.FailureUnreachable, 4)}
	env := environment(t, w)
	own := training.Decision{Action: training.ActionRetry, By: training.ByCountersign, Reason: "the qms answers again"}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, own) }, 2*time.Hour)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Equal(t, own, *w.recorded[1].Decision)
	require.Equal(t, viaOutage, w.recorded[1].Via)
}
