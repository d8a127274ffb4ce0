package workflows

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

func TestCompletionEndsCompleted_R1(t *testing.T) {
	w := &world{}
	result := carried(t, environment(t, w))

	require.Equal(t, CompletionResult{
		Outcome: training.OutcomeCompleted, RecordID: "TR-1", Status: training.RecordCompleted,
		Certificate: "CS-1", Statement: "statement-1",
	}, result)
	for _, step := range []string{resolveLearner, checkRecord, completeRecord, issueCertificate, postStatement, recordOutcome} {
		require.Len(t, w.called(step), 1, step)
	}
	require.Empty(t, w.heard())
	require.Equal(t, training.OutcomeCompleted, w.outcomes[0].Outcome)
}

// The gaps are exactly 1, 5 and 15 minutes, for a step tried first as a local activity and
// for an ordinary one alike; then a person is asked (R123, R133, R139).
func TestRetriesComeAfter1And5And15Minutes_R123(t *testing.T) {
	exactly := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	down := func(int) error { return failing(training.FailureUnreachable) }
	for step, w := range map[string]*world{
		resolveLearner:   {resolve: down},
		checkRecord:      {check: func(int) (RecordPlan, error) { return RecordPlan{}, failing(training.FailureUnreachable) }},
		completeRecord:   {complete: func(int) (VerifiedRecord, error) { return VerifiedRecord{}, failing(training.FailureCredentials) }},
		issueCertificate: {certificate: func(int) (Issued, error) { return Issued{}, failing(training.FailureUnreachable) }},
		postStatement:    {statement: func(int) (Issued, error) { return Issued{}, failing(training.FailureRateLimited) }},
	} {
		t.Run(step, func(t *testing.T) {
			env := environment(t, w)
			w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
			result := carried(t, env)

			require.Equal(t, exactly, w.gaps(step))
			require.Equal(t, training.OutcomeClosed, result.Outcome)
			require.Equal(t, "m.keller", result.DecidedBy)
			require.Len(t, w.heard(), 1, "one notice after the third failed retry")
			require.Equal(t, training.StateInReview, w.waits[0].State)
		})
	}
}

func TestThirdRetrySucceeds_R123(t *testing.T) {
	w := &world{complete: func(n int) (VerifiedRecord, error) {
		if n < 4 {
			return VerifiedRecord{}, failing(training.FailureUnreachable)
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}}
	require.Equal(t, training.OutcomeCompleted, carried(t, environment(t, w)).Outcome)
	require.Len(t, w.called(completeRecord), 4)
	require.Empty(t, w.heard())
}

func TestRetryAfterLengthensTheFirstGapOfALocalStep(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n > 1 {
			return nil
		}
		f := training.Fail(training.FailureRateLimited, "test", "", "429")
		f.RetryAfter = 3 * time.Minute
		return failureError(f)
	}}
	carried(t, environment(t, w))
	require.Equal(t, []time.Duration{3 * time.Minute}, w.gaps(resolveLearner))
}

// What no retry mends goes to review at once (R186, R187, R108).
func TestPermanentFailureIsReviewedAtOnce(t *testing.T) {
	for _, class := range []training.FailureClass{
		training.FailureEmployeeUnknown, training.FailureRecordMissing, training.FailureRecordAmbiguous,
		training.FailureCompletedElse, training.FailureRecordExpired, training.FailureRecordCancelled,
		training.FailureRecordLocked, training.FailureUnchanged, training.FailureNotPassed,
	} {
		t.Run(string(class), func(t *testing.T) {
			w := &world{check: func(n int) (RecordPlan, error) {
				if n == 1 {
					return RecordPlan{}, failing(class)
				}
				return RecordPlan{RecordID: "TR-2", Target: training.RecordCompleted}, nil
			}}
			env := environment(t, w)
			w.onTold = func(item InboxItem) {
				require.Equal(t, class, item.Class)
				env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
			}
			result := carried(t, env)
			require.Equal(t, training.OutcomeCompleted, result.Outcome, "retry carries on")
			require.Equal(t, "TR-2", result.RecordID)
			require.Equal(t, class, w.heard()[0].Item.Class)
			require.Equal(t, []RecordDecision{{
				Ref:      Ref{Tenant: "acme", Fingerprint: input().Fingerprint, Holds: true, Retry: input().Policy.Retry},
				Decision: decision(training.ActionRetry), Round: 1, Via: "signal",
			}}, w.decisions)
		})
	}
}

func pending(w *world) {
	w.check = func(int) (RecordPlan, error) {
		return RecordPlan{RecordID: "TR-1", Status: training.RecordInProgress, Target: training.RecordPendingApproval}, nil
	}
}

func TestApprovalIsWaitedFor_R120(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		require.Empty(t, w.called(issueCertificate), "nothing is issued before the approval")
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 72*time.Hour)
	result := carried(t, env)

	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, training.RecordCompleted, result.Status)
	require.Equal(t, training.StateWaitingApproval, w.waits[0].State)
	require.Len(t, w.called(issueCertificate), 1)
}

func TestRejectionIssuesNothing_R120(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, decision(training.ActionReject)) }, time.Hour)
	result := carried(t, env)

	require.Equal(t, training.OutcomeRejected, result.Outcome)
	require.Equal(t, training.RecordInProgress, result.Status)
	require.Equal(t, "practical test seen", result.Reason)
	require.Empty(t, w.called(issueCertificate))
	require.Empty(t, w.called(postStatement))
}

// Anything but a complete, allowed decision is ignored, and the completion still waits.
func TestUnfitSignalsAreIgnored(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	for i, unfit := range []any{
		map[string]any{"aprove": true},
		map[string]any{"action": "approved", "by": "m.keller", "reason": "x"},
		map[string]any{"action": "approve", "by": "m.keller"},
		map[string]any{"action": "approve", "reason": "x"},
		map[string]any{"action": "retry", "by": "m.keller", "reason": "x"},
		"approve", 1, nil,
	} {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, unfit) }, time.Duration(i+1)*time.Hour)
	}
	env.RegisterDelayedCallback(func() {
		require.False(t, env.IsWorkflowCompleted())
		require.Empty(t, w.called(carryDecision))
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 24*time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
}

// Two decide at once; the first wins. The second's word is about this wait, and must not decide
// the next one.
func TestLosingAnswerDecidesNothingLater(t *testing.T) {
	w := &world{}
	pending(w)
	carried1 := false
	w.carry = func(in CarryDecision) (VerifiedRecord, error) {
		if !carried1 {
			carried1 = true
			return VerifiedRecord{}, failing(training.FailureApprovalForbidden)
		}
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordCompleted}, nil
	}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionReject))
	}, time.Hour)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, 2*time.Hour)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove)) }, 3*time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.decisions, 3)
}

// A completion that is started again after Temporal has lost it counts its decisions on, and its
// failures are told anew.
func TestDecisionsAreCountedOverRuns(t *testing.T) {
	w := &world{earlier: 2, check: func(n int) (RecordPlan, error) {
		if n == 1 {
			return RecordPlan{}, failing(training.FailureRecordMissing)
		}
		return RecordPlan{RecordID: "TR-1", Target: training.RecordCompleted}, nil
	}}
	env := environment(t, w)
	w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }
	carried(t, env)
	require.Equal(t, 3, w.decisions[0].Round)
	require.Equal(t, string(input().Fingerprint)+"/default-test-run-id/3", w.heard()[0].Item.ID)
}

func TestEarlyApprovalCounts(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	w.complete = func(int) (VerifiedRecord, error) {
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
		return VerifiedRecord{RecordID: "TR-1", Status: training.RecordPendingApproval}, nil
	}
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
}

func TestReviewSentBeforeTheFailureDoesNotCount(t *testing.T) {
	w := &world{resolve: func(n int) error {
		if n == 1 {
			return failing(training.FailureEmployeeUnknown)
		}
		return nil
	}}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }, 0)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, time.Hour)
	result := carried(t, env)
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
}

// The console's update meets the same handler; what does not fit is refused with the reason and
// leaves nothing behind.
func TestUpdateIsValidated(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	var refusals []string
	update := func(d training.Decision) *testsuite.TestUpdateCallback {
		return &testsuite.TestUpdateCallback{
			OnReject:   func(err error) { refusals = append(refusals, err.Error()) },
			OnAccept:   func() { require.Equal(t, training.ActionApprove, d.Action) },
			OnComplete: func(_ any, err error) { require.NoError(t, err) },
		}
	}
	send := func(id string, d training.Decision) { env.UpdateWorkflow(DecideUpdate, id, update(d), d) }
	env.RegisterDelayedCallback(func() {
		send("1", training.Decision{Action: "approved", By: "a", Reason: "b"})
		send("2", training.Decision{Action: training.ActionApprove, Reason: "b"})
		send("3", training.Decision{Action: training.ActionClose, By: "a", Reason: "b"})
		send("4", decision(training.ActionApprove))
	}, time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, refusals, 3)
	require.Contains(t, refusals[0], `action must be "approve" or "reject"`)
	require.Contains(t, refusals[1], "by must name")
	require.Equal(t, "update", w.decisions[0].Via)
}

// A failed document leaves the verified record alone: retry issues what is missing.
func TestFailedStatementIsRetriedAlone(t *testing.T) {
	w := &world{statement: func(n int) (Issued, error) {
		if n == 1 {
			return Issued{}, failing(training.FailureStatementRefused)
		}
		return Issued{ID: "statement-1"}, nil
	}}
	env := environment(t, w)
	w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
}

func TestJournalWritesAreTriedUntilTheySucceed(t *testing.T) {
	w := &world{outcomeErr: func(n int) error {
		if n < 6 {
			return errNetwork
		}
		return nil
	}}
	require.Equal(t, training.OutcomeCompleted, carried(t, environment(t, w)).Outcome)
	require.Len(t, w.outcomes, 1)
}

func TestPolicyThatTemporalWouldRefuseIsADefect(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	in := input()
	in.Policy.Retry.Attempts = 0
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.ErrorContains(t, env.GetWorkflowError(), "attempts must lie in 1 to 100")
}
