package workflows

import (
	"context"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// heldFailure is what a step returns whose target is held. It ends the activity: Temporal makes no attempt of it.
func heldFailure() error {
	f := training.Fail(training.FailureHeld, "ask the QMS", "", "unreachable: 503, since 2026-04-08 14:29:00 UTC")
	f.Target = training.TargetQMS
	return heldError(f)
}

// While the target is held no attempt is used up, on no step; afterwards the schedule begins anew.
func TestHeldStepBurnsNoAttempt_R123(t *testing.T) {
	failure := func(n int) error {
		switch n {
		case 1, 3, 4, 5: // one before the hold, three after it
			return failing(training.FailureUnreachable)
		case 2, 6:
			return heldFailure()
		}
		return nil
	}
	for name, w := range map[string]*world{
		"read": {resolve: failure},
		"write": {complete: func(n int) (VerifiedRecord, error) {
			return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, failure(n)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			env := environment(t, w)
			env.RegisterDelayedCallback(func() {
				text := details(t, env)
				require.Contains(t, text, "**Held: unreachable: 503, since 2026-04-08 14:29:00 UTC.**")
				require.Contains(t, text, "No attempt is used up")
				require.Contains(t, text, training.ActionRetry.Example(), "what the page speaks of stands there to paste")
				env.SignalWorkflow(ResumeSignal, nil)
			}, 10*time.Minute)
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(ResumeSignal, nil) }, 40*time.Minute)
			require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
			require.Empty(t, w.told, "nobody is asked")
			step := resolveLearner
			if name == "write" {
				step = completeRecord
			}
			require.Equal(t, []time.Duration{time.Minute, 9 * time.Minute, time.Minute, 5 * time.Minute, 15 * time.Minute, 9 * time.Minute}, w.gaps(step))
		})
	}
}

// A target that is released and held again for weeks does not fill the completion's history.
func TestHeldForWeeksKeepsItsHistoryShort(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n < 4 {
			return heldFailure()
		}
		return nil
	}}
	env := environment(t, w)
	env.SetContinueAsNewSuggested(true)
	for n := range 24 {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ResumeSignal, nil) }, time.Duration(n)*5*time.Minute)
	}
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Equal(t, []time.Duration{time.Hour, time.Hour, time.Hour}, w.gaps(resolveLearner))
}

// A signal that got lost delays the completion and does not strand it.
func TestHeldStepLooksItself(t *testing.T) {
	w := &world{check: func(n int) (RecordPlan, error) {
		if n < 4 {
			return RecordPlan{}, heldFailure()
		}
		return RecordPlan{RecordID: "TR-1", Target: training.RecordCompleted}, nil
	}}
	env := environment(t, w)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Equal(t, []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour}, w.gaps(checkRecord))
}

// A signal that comes before the wait begins, while the step is still under way, counts.
func TestResumeThatComesEarlyCounts(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.complete = func(n int) (VerifiedRecord, error) {
		if n == 1 {
			env.SignalWorkflow(ResumeSignal, nil)
			return VerifiedRecord{}, heldFailure()
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Less(t, w.gaps(completeRecord)[0], time.Minute)
}

// A person may say "retry" to what is held as to anything that waits, and that is kept (law 5).
func TestPersonRetriesWhatIsHeld_R139(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n == 1 {
			return heldFailure()
		}
		return nil
	}}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, time.Minute)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Equal(t, "signal", w.decisions[0].Via)
	require.Equal(t, []time.Duration{time.Minute}, w.gaps(resolveLearner))
}

// What an outage has parked goes on by Countersign's own word, which is kept as such; it decides nothing else.
func TestParkedCompletionGoesOnWhenTheOutageIsOver_R139(t *testing.T) {
	w := &world{check: failsOnce(training.FailureRecordLocked)}
	env := environment(t, w)
	own := func(action training.Action) training.Decision {
		return training.Decision{Action: action, By: training.ByCountersign, Reason: "the qms answers again (incident acme/qms/1)"}
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, own(training.ActionClose)) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		require.Empty(t, w.decisions)
		require.Contains(t, details(t, env), "a person has to decide this")
		env.SignalWorkflow(ReviewSignal, own(training.ActionRetry))
		env.SignalWorkflow(ReviewSignal, own(training.ActionRetry)) // a page that was repeated
	}, 2*time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.decisions, 1)
	require.Equal(t, "outage", w.decisions[0].Via)
	require.Equal(t, own(training.ActionRetry), w.decisions[0].Decision)
}

// Whoever was started before there were holds is never told of one: the steps ask as they did.
func TestOlderCompletionKnowsNoHold(t *testing.T) {
	for known, policy := range map[bool]training.Outage{false: {}, true: training.DefaultOutage()} {
		w := &world{}
		env := environment(t, w)
		env.SetOnLocalActivityStartedListener(func(info *activity.Info, _ context.Context, args []any) {
			if info.ActivityType.Name == resolveLearner {
				require.Equal(t, known, args[0].(Ref).Holds)
			}
		})
		in := input()
		in.Policy.Outage = policy
		env.ExecuteWorkflow(CompletionWorkflow, in)
		require.NoError(t, env.GetWorkflowError())
	}
}

// Where the QMS has a budget, all steps that reach it, and no others, go through the queue that keeps its rate.
func TestStepsAtTheQMSHaveAQueueOfTheirOwn(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n == 1 {
			return failing(training.FailureUnreachable)
		}
		return nil
	}}
	env := environment(t, w)
	queues := map[string]string{}
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		queues[info.ActivityType.Name] = info.TaskQueue
	})
	in := input()
	in.QMSQueue = QMSQueue("countersign", "acme")
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.NoError(t, env.GetWorkflowError())
	const own = "countersign/qms/acme"
	for _, step := range []string{resolveLearner, checkRecord, completeRecord} {
		require.Equal(t, own, queues[step], step)
	}
	require.NotEqual(t, own, queues[issueCertificate])
	require.Equal(t, []time.Duration{time.Minute}, w.gaps(resolveLearner), "the schedule is the same")
}

// A queue that no worker polls any more, because the budget has left the settings, is given up.
func TestQueueThatNobodyPollsIsLeft(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n == 1 {
			return temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
		}
		return nil
	}}
	env := environment(t, w)
	var queues []string
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == resolveLearner {
			queues = append(queues, info.TaskQueue)
		}
	})
	in := input()
	in.QMSQueue = QMSQueue("countersign", "acme")
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, queues, 2)
	require.Equal(t, in.QMSQueue, queues[0])
	require.NotEqual(t, in.QMSQueue, queues[1])
}
