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
	"go.temporal.io/sdk/testsuite"
)

// signing is the input of a completion whose QMS the trainee's signature completes.
func signing(change ...func(*CompletionInput)) CompletionInput {
	in := input()
	s := training.DefaultSigning()
	in.Policy.Signing = &s
	for _, c := range change {
		c(&in)
	}
	return in
}

// signedAt answers the reads of the record: open until the n-th, then what it says.
func signedAt(n int, last func() (Signed, error)) func(int) (Signed, error) {
	return func(read int) (Signed, error) {
		if read < n {
			return Signed{Status: training.RecordAssigned}, nil
		}
		return last()
	}
}

func signedNow() (Signed, error) { return Signed{Status: training.RecordCompleted}, nil }

func (w *world) signs(n int) *world {
	w.sign = signedAt(n, signedNow)
	return w
}

func carriedSigning(t *testing.T, env *testsuite.TestWorkflowEnvironment, in CompletionInput) CompletionResult {
	t.Helper()
	env.ExecuteWorkflow(CompletionWorkflow, in)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var result CompletionResult
	require.NoError(t, env.GetWorkflowResult(&result))
	return result
}

// Enrolled, the report kept, waited, signed, the certificate issued and kept; and nothing that writes a
// status is ever asked for.
func TestSignatureCompletes(t *testing.T) {
	w := (&world{}).signs(5)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		require.Equal(t, training.StateWaitingSignature, w.waits[0].State)
		require.Empty(t, w.called(issueCertificate), "no certificate before the signature (law 3)")
		require.Empty(t, w.called(postStatement))
		require.Equal(t, []training.EffectKind{training.EffectEvidence}, kinded(w.kept))
		require.Contains(t, details(t, env), "Waits for the trainee's signature")
		require.Contains(t, details(t, env), "`TRP-1@5f1c0be49a7d2e63`")
	}, time.Minute)
	result := carriedSigning(t, env, signing())

	require.Equal(t, CompletionResult{
		Outcome: training.OutcomeCompleted, RecordID: "TRP-1@5f1c0be49a7d2e63", Status: training.RecordCompleted,
		Certificate: "CS-1", Statement: "statement-1",
	}, result)
	require.Equal(t, []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}, w.gaps(readSignature))
	require.Equal(t, []training.EffectKind{training.EffectEvidence, training.EffectCertificate}, kinded(w.kept))
	require.Empty(t, w.decisions, "the trainee's signature is no decision of ours")
	for _, never := range []string{checkRecord, completeRecord, carryDecision, readRecord} {
		require.Empty(t, w.called(never), never)
	}
	require.Empty(t, w.heard(), "signed within a day: nobody is bothered")
}

func kinded(kept []KeepDocument) (kinds []training.EffectKind) {
	for _, k := range kept {
		kinds = append(kinds, k.Kind)
	}
	return kinds
}

func TestSignatureThatIsThereAlready(t *testing.T) {
	w := (&world{}).signs(1)
	require.Equal(t, training.OutcomeCompleted, carriedSigning(t, environment(t, w), signing()).Outcome)
	require.Empty(t, w.waits)
	require.Len(t, w.called(readSignature), 1)
}

func TestEvidenceIsKeptWhereTheTenantWantsIt(t *testing.T) {
	w := (&world{}).signs(1)
	result := carriedSigning(t, environment(t, w), signing(func(in *CompletionInput) { in.Policy.Signing.Evidence = false }))
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Empty(t, w.kept)
	require.Empty(t, result.Skipped, "nobody has skipped it")
}

// Reminded after a day, escalated after three, and never signed by itself.
func TestMissingSignatureIsRemindedAndEscalated(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	at := map[NoticeKind]time.Duration{}
	start := env.Now()
	w.onTold = func(item InboxItem) { at[item.Kind] = env.Now().Sub(start).Round(time.Minute) }
	env.RegisterDelayedCallback(func() {
		require.False(t, env.IsWorkflowCompleted())
		require.Empty(t, w.called(issueCertificate))
		w.signs(1)
	}, 60*24*time.Hour)
	require.Equal(t, training.OutcomeCompleted, carriedSigning(t, env, signing()).Outcome)
	require.Equal(t, map[NoticeKind]time.Duration{
		NoticeSignatureReminder: 24 * time.Hour, NoticeSignatureEscalation: 72 * time.Hour,
	}, at)
	gaps := w.gaps(readSignature)
	require.Equal(t, 6*time.Hour, gaps[10])
	require.Equal(t, 24*time.Hour, gaps[20], "a look costs of the QMS's budget, and nobody expects it this minute any more")
	require.Less(t, len(gaps), 80)
	require.Len(t, w.heard(), 2)
}

// A completion that was started before there was such a choice reads as often as it always did.
func TestOlderWaitForASignatureKeepsItsPace(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { w.signs(1) }, 30*24*time.Hour)
	carriedSigning(t, env, signing(func(in *CompletionInput) { in.Policy.Signing.Patient = false }))
	gaps := w.gaps(readSignature)
	require.Equal(t, 6*time.Hour, gaps[len(gaps)-1])
}

// The QMS's budget is taken out of the settings while a completion waits: no worker polls its queue any more, and
// the poll goes on through the workflow's own.
func TestWaitForASignatureLeavesADeadQueue(t *testing.T) {
	w := &world{sign: func(n int) (Signed, error) {
		if n == 2 {
			return Signed{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
		}
		return signedAt(4, signedNow)(n)
	}}
	env := environment(t, w)
	var queues []string
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == readSignature {
			queues = append(queues, info.TaskQueue)
		}
	})
	in := signing(func(in *CompletionInput) { in.QMSQueue = QMSQueue("countersign", "acme") })
	require.Equal(t, training.OutcomeCompleted, carriedSigning(t, env, in).Outcome)
	require.Equal(t, []string{in.QMSQueue, in.QMSQueue}, queues[:2])
	require.NotContains(t, queues[2:], in.QMSQueue)
	require.Len(t, w.called(readSignature), 4)
}

// A history that has grown long is polled once a day.
func TestLongWaitForASignatureIsPolledDaily(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 24*time.Hour)
	env.RegisterDelayedCallback(func() { w.signs(1) }, 30*24*time.Hour)
	carriedSigning(t, env, signing())
	gaps := w.gaps(readSignature)
	require.Equal(t, 24*time.Hour, gaps[len(gaps)-1])
}

// "retry" looks now; "close" ends it, by a named person with a reason; an approval is none of it.
func TestDecisionsWhileASignatureIsWaitedFor(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	refused := map[string]error{}
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
		for _, action := range []training.Action{training.ActionApprove, training.ActionSubmit, training.ActionSkipCertificate} {
			env.UpdateWorkflow(DecideUpdate, string(action), &testsuite.TestUpdateCallback{
				OnReject: func(err error) { refused[string(action)] = err }, OnAccept: func() {}, OnComplete: func(any, error) {},
			}, decision(action))
		}
	}, time.Minute)
	env.RegisterDelayedCallback(func() {
		require.Len(t, refused, 3, "nobody signs, approves or submits for the trainee")
		require.ErrorContains(t, refused["approve"], `action must be "retry" or "close"`)
		require.Contains(t, details(t, env), "this wait takes the signal review")
		require.Len(t, w.called(readSignature), 1)
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
	}, 2*time.Minute)
	env.RegisterDelayedCallback(func() {
		require.Len(t, w.called(readSignature), 2, "looked at once")
		require.Equal(t, []bool{false, true}, w.fresh, "and not into what is remembered")
		require.Len(t, w.waits, 2)
		env.SignalWorkflow(ReviewSignal, decision(training.ActionClose))
	}, 3*time.Minute)
	result := carriedSigning(t, env, signing())
	require.Equal(t, training.OutcomeClosed, result.Outcome)
	require.Equal(t, "m.keller", result.DecidedBy)
	require.Empty(t, w.called(issueCertificate))
	require.Equal(t, []int{1, 2}, []int{w.decisions[0].Round, w.decisions[1].Round})
}

// The QMS is away, or its day budget is spent: that is no failure, the poll goes on, and not too soon.
func TestQMSThatIsAwayDoesNotEndTheWaitForASignature(t *testing.T) {
	for _, class := range []training.FailureClass{training.FailureUnreachable, training.FailureCredentials, training.FailureRateLimited} {
		w := &world{sign: func(n int) (Signed, error) {
			if n < 12 {
				f := training.Fail(class, "read record", "TRP-1", "429")
				if n == 1 {
					f.RetryAfter = 9 * time.Hour
				}
				return Signed{}, failureError(f)
			}
			return signedNow()
		}}
		require.Equal(t, training.OutcomeCompleted, carriedSigning(t, environment(t, w), signing()).Outcome, class)
		require.Len(t, w.waits, 1, "no review: %s", class)
		require.Equal(t, 9*time.Hour, w.gaps(readSignature)[0], class)
		require.Equal(t, 30*time.Minute, w.gaps(readSignature)[1], class)
	}
}

// What makes the wait pointless is put before a person; a signature that is too old can be let count.
func TestPointlessWaitForASignatureIsReviewed(t *testing.T) {
	for class, action := range map[training.FailureClass]training.Action{
		training.FailureRecordMissing: training.ActionRetry, training.FailureTrainingClosed: training.ActionRetry,
		training.FailureSignedBefore: training.ActionUseRecord, training.FailureCompletedElse: training.ActionUseRecord,
	} {
		w := &world{sign: func(n int) (Signed, error) {
			if n == 3 {
				return Signed{}, failing(class)
			}
			return signedAt(4, signedNow)(n)
		}}
		env := environment(t, w)
		w.onTold = func(item InboxItem) {
			require.Equal(t, class, item.Class)
			d := decision(action)
			if action == training.ActionUseRecord {
				d.RecordID = "TRP-1@5f1c0be49a7d2e63"
			}
			env.SignalWorkflow(ReviewSignal, d)
		}
		result := carriedSigning(t, env, signing())
		require.Equal(t, training.OutcomeCompleted, result.Outcome, class)
		require.Equal(t, action, w.decisions[0].Decision.Action)
		require.Len(t, w.called(enrollTrainee), 2, "from the start, which finds what is done")
	}
}

// What cannot be kept there is put before a person, who may go without it; before the signature and after.
func TestDocumentThatCannotBeKept(t *testing.T) {
	for _, kind := range []training.EffectKind{training.EffectEvidence, training.EffectCertificate} {
		w := (&world{keep: func(_ int, in KeepDocument) error {
			if in.Kind == kind {
				return failing(training.FailureRefused)
			}
			return nil
		}}).signs(1)
		w.verified = kind == training.EffectCertificate
		env := environment(t, w)
		w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionSkipEvidence)) }
		result := carriedSigning(t, env, signing())
		require.Equal(t, training.OutcomeCompleted, result.Outcome, kind)
		require.Equal(t, []training.EffectKind{training.EffectEvidence}, result.Skipped)
		require.Equal(t, "CS-1", result.Certificate)
	}
}

// Every step before the wait has the tenant's schedule, and then a person is asked.
func TestStepsTowardsASignatureAreRetried_R123(t *testing.T) {
	exactly := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	for step, w := range map[string]*world{
		enrollTrainee: {enroll: func(int) (RecordPlan, error) { return RecordPlan{}, failing(training.FailureUnreachable) }},
		keepDocument:  {keep: func(int, KeepDocument) error { return failing(training.FailureUnreachable) }},
	} {
		env := environment(t, w)
		w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
		require.Equal(t, training.OutcomeClosed, carriedSigning(t, env, signing()).Outcome)
		require.Equal(t, exactly, w.gaps(step), step)
	}
}

func TestWaitForASignatureThatWouldSpinIsADefect(t *testing.T) {
	env := environment(t, &world{})
	env.ExecuteWorkflow(CompletionWorkflow, signing(func(in *CompletionInput) { in.Policy.Signing.Poll.First = 0 }))
	require.ErrorContains(t, env.GetWorkflowError(), "poll.first must be at least 10ms")
}
