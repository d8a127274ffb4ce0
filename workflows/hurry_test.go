package workflows

import (
	"errors"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

// The next attempt is 5 minutes away; a person says "retry now". It comes at once, and the schedule
// begins anew (R123).
func TestRetryNowEndsTheWaitForTheNextAttempt_R123_R139(t *testing.T) {
	for step, w := range map[string]*world{
		completeRecord: {complete: func(n int) (VerifiedRecord, error) {
			if n < 3 {
				return VerifiedRecord{}, failing(training.FailureUnreachable)
			}
			return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
		}},
		postStatement: {statement: func(n int) (Issued, error) {
			if n < 3 {
				return Issued{}, failing(training.FailureUnreachable)
			}
			return Issued{ID: "statement-1"}, nil
		}},
		resolveLearner: {resolve: func(n int) error {
			if n < 3 {
				return failing(training.FailureUnreachable)
			}
			return nil
		}},
	} {
		t.Run(step, func(t *testing.T) {
			env := environment(t, w)
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, 2*time.Minute)
			result := carried(t, env)
			require.Equal(t, training.OutcomeCompleted, result.Outcome)
			require.Equal(t, []time.Duration{time.Minute, time.Minute}, w.gaps(step)[:2], "at 0, 1 and 2 minutes")
			require.Empty(t, w.heard())
			require.Len(t, w.decisions, 1)
			require.Equal(t, training.ActionRetry, w.decisions[0].Decision.Action)
			require.Equal(t, "signal", w.decisions[0].Via)
			require.Equal(t, training.StateRetrying, w.waits[0].State)
		})
	}
}

// The pause after the first attempt, which is a timer of the workflow, is ended like any other.
func TestRetryNowEndsTheFirstPause_R123(t *testing.T) {
	w := &world{resolve: func(n int) error { return failing(training.FailureUnreachable) }}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		require.Contains(t, details(t, env), "Tries again at 2026-04-08 14:31:00 UTC")
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
	}, 20*time.Second)
	w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
	carried(t, env)
	require.Equal(t, []time.Duration{20 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(resolveLearner),
		"attempts count from 1 again")
	require.Equal(t, []int{1, 2}, []int{w.decisions[0].Round, w.decisions[1].Round})
}

// A document's first attempt is a local activity, which cannot be called back: "retry" waits for what it comes to,
// so that two attempts never run side by side (law 2).
func TestRetryNowWaitsForTheAttemptUnderWay(t *testing.T) {
	for _, failed := range []bool{false, true} {
		var env *testsuite.TestWorkflowEnvironment
		w := &world{statement: func(n int) (Issued, error) {
			if n > 1 {
				return Issued{ID: "second"}, nil
			}
			env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
			if failed {
				return Issued{}, failing(training.FailureUnreachable)
			}
			return Issued{ID: "first"}, nil
		}}
		env = environment(t, w)
		result := carried(t, env)
		require.Len(t, w.decisions, 1, "the word was heard while it was under way")
		if failed {
			require.Equal(t, []time.Duration{0}, w.gaps(postStatement), "again at once")
			require.Equal(t, "second", result.Statement)
			continue
		}
		require.Len(t, w.called(postStatement), 1)
		require.Equal(t, "first", result.Statement)
	}
}

// Both documents wait; one word hurries both, and what is issued is not issued again.
func TestRetryNowHurriesAllThatWaits(t *testing.T) {
	down := func(n int) (Issued, error) {
		if n == 1 {
			return Issued{}, failing(training.FailureUnreachable)
		}
		return Issued{ID: "done"}, nil
	}
	w := &world{certificate: down, statement: down}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, 30*time.Second)
	result := carried(t, env)
	require.Equal(t, "done", result.Certificate)
	require.Equal(t, "done", result.Statement)
	require.Equal(t, 30*time.Second, w.gaps(issueCertificate)[0])
	require.Equal(t, 30*time.Second, w.gaps(postStatement)[0])
	require.Len(t, w.decisions, 1)
}

func TestRetryNowAsAnUpdate(t *testing.T) {
	w := &world{complete: func(n int) (VerifiedRecord, error) {
		if n == 1 {
			return VerifiedRecord{}, failing(training.FailureUnreachable)
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}}
	env := environment(t, w)
	done := errors.New("not answered")
	var refusal error
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(DecideUpdate, "close", &testsuite.TestUpdateCallback{
			OnReject: func(err error) { refusal = err }, OnAccept: func() {}, OnComplete: func(any, error) {},
		}, decision(training.ActionClose))
		env.UpdateWorkflow(DecideUpdate, "retry", &testsuite.TestUpdateCallback{
			OnReject: func(err error) { done = err }, OnAccept: func() {}, OnComplete: func(_ any, err error) { done = err },
		}, decision(training.ActionRetry))
	}, 10*time.Second)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.ErrorContains(t, refusal, `action must be "retry"`)
	require.NoError(t, done)
	require.Equal(t, 10*time.Second, w.gaps(completeRecord)[0])
	require.Equal(t, "update", w.decisions[0].Via)
}

// While a step is under way nothing but a complete "retry" is taken, and the details say so.
func TestUnfitHurryChangesNothing(t *testing.T) {
	w := &world{complete: func(n int) (VerifiedRecord, error) {
		if n < 3 {
			return VerifiedRecord{}, failing(training.FailureUnreachable)
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}}
	env := environment(t, w)
	for i, unfit := range []any{
		decision(training.ActionClose), map[string]any{"action": "retry", "by": "m.keller"},
		map[string]any{"action": "retry", "by": "m.keller", "reason": "x", "now": true}, "retry", []byte("retry"),
	} {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, unfit) }, time.Minute+time.Duration(i+1)*10*time.Second)
	}
	env.RegisterDelayedCallback(func() { require.Contains(t, details(t, env), "it cannot be read") }, 2*time.Minute)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute}, w.gaps(completeRecord))
	require.Empty(t, w.decisions)
}

// A second "retry" of the same review is not about the attempt that the first one has begun.
func TestSecondRetryOfAReviewHurriesNothing(t *testing.T) {
	w := &world{check: failsOnce(training.FailureRecordMissing)}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
	}, time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.decisions, 1)
	require.Len(t, w.called(completeRecord), 1)
}
