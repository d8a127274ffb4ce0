package workflows

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

// failsOnce is a check of the record that fails the first time.
func failsOnce(class training.FailureClass) func(int) (RecordPlan, error) {
	return func(n int) (RecordPlan, error) {
		if n == 1 {
			return RecordPlan{}, failing(class)
		}
		return RecordPlan{RecordID: "TR-9", Target: training.RecordCompleted}, nil
	}
}

func useRecord() training.Decision {
	d := decision(training.ActionUseRecord)
	d.RecordID = "TR-9"
	return d
}

func useEmployee() training.Decision {
	d := decision(training.ActionUseEmployee)
	d.EmployeeID = "HR-2"
	return d
}

// A decision that carries on is kept before the way begins anew: the activities read it in the journal.
func TestReviewDecisionsCarryOn_R139(t *testing.T) {
	for _, test := range []struct {
		class    training.FailureClass
		decision training.Decision
	}{
		{training.FailureRecordAmbiguous, useRecord()},
		{training.FailureRecordMissing, useRecord()},
		{training.FailureEmployeeUnknown, useEmployee()},
		{training.FailureApprovalNeeded, decision(training.ActionSubmit)},
		{training.FailureRecordLocked, decision(training.ActionRetry)},
	} {
		t.Run(string(test.class), func(t *testing.T) {
			w := &world{check: failsOnce(test.class)}
			env := environment(t, w)
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, test.decision) }, time.Hour)
			result := carried(t, env)
			require.Equal(t, training.OutcomeCompleted, result.Outcome)
			require.Equal(t, test.decision, w.decisions[0].Decision)
			require.Len(t, w.called(checkRecord), 2)
			require.False(t, w.called(checkRecord)[1].Before(w.called(recordDecision)[0]))
		})
	}
}

// Only what the failure allows is taken: everything else is ignored as a signal, refused as an update, and said.
func TestDecisionThatTheFailureDoesNotAllow_R139(t *testing.T) {
	for name, test := range map[string]struct {
		class    training.FailureClass
		verified bool
		decision training.Decision
		says     string
	}{
		"another record after a lost answer": {training.FailureUnverified, false, useRecord(), `action must be "retry" or "close"`},
		"another record once it is verified": {training.FailureRecordMissing, true, useRecord(), `action must be "retry" or "close"`},
		"skipping what has not failed":       {training.FailureRecordMissing, false, decision(training.ActionSkipCertificate), "action must be"},
		"approving a review":                 {training.FailureRecordMissing, false, decision(training.ActionApprove), "action must be"},
		"replaying a review":                 {training.FailureRecordMissing, false, decision(training.ActionReplay), "action must be"},
		"no record":                          {training.FailureRecordMissing, false, decision(training.ActionUseRecord), "recordId must name"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{verified: test.verified, complete: func(n int) (VerifiedRecord, error) {
				return VerifiedRecord{}, failing(test.class)
			}}
			env := environment(t, w)
			var refusal error
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, test.decision) }, time.Hour)
			env.RegisterDelayedCallback(func() {
				require.Contains(t, details(t, env), escapeLong(test.says))
				env.UpdateWorkflow(DecideUpdate, "1", &testsuite.TestUpdateCallback{
					OnReject: func(err error) { refusal = err }, OnAccept: func() {}, OnComplete: func(any, error) {},
				}, test.decision)
			}, 2*time.Hour)
			env.RegisterDelayedCallback(func() {
				require.ErrorContains(t, refusal, test.says)
				require.Empty(t, w.decisions)
				env.SignalWorkflow(ReviewSignal, decision(training.ActionClose))
			}, 3*time.Hour)
			require.Equal(t, training.OutcomeClosed, carried(t, env).Outcome)
		})
	}
}

// A record that was chosen wrongly is refused by the QMS's own word and asked about again, never written.
func TestRefusedChoiceIsAskedAgain_R139(t *testing.T) {
	w := &world{check: func(n int) (RecordPlan, error) {
		switch n {
		case 1:
			return RecordPlan{}, failing(training.FailureRecordAmbiguous)
		case 2:
			return RecordPlan{}, failing(training.FailureTrainingMismatch)
		}
		return RecordPlan{RecordID: "TR-9", Target: training.RecordCompleted}, nil
	}}
	env := environment(t, w)
	w.onTold = func(item InboxItem) {
		if item.Class == training.FailureTrainingMismatch {
			require.Empty(t, w.called(completeRecord))
		}
		env.SignalWorkflow(ReviewSignal, useRecord())
	}
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.heard(), 2)
	require.Len(t, w.called(completeRecord), 1)
}

// A document that cannot be made is skipped by decision: the completion is completed, and result and
// journal name the skip. The record is not touched again.
func TestSkippedDocumentIsNamed_R139(t *testing.T) {
	refused := func(int) (Issued, error) { return Issued{}, failing(training.FailureStatementRefused) }
	for name, test := range map[string]struct {
		world   *world
		actions []training.Action
		skipped []training.EffectKind
	}{
		"certificate": {&world{certificate: refused}, []training.Action{training.ActionSkipCertificate},
			[]training.EffectKind{training.EffectCertificate}},
		"statement": {&world{statement: refused}, []training.Action{training.ActionSkipStatement},
			[]training.EffectKind{training.EffectStatement}},
		"both": {&world{certificate: refused, statement: refused},
			[]training.Action{training.ActionSkipCertificate, training.ActionSkipStatement},
			[]training.EffectKind{training.EffectCertificate, training.EffectStatement}},
	} {
		t.Run(name, func(t *testing.T) {
			w := test.world
			w.verified = true
			env := environment(t, w)
			next := 0
			w.onTold = func(InboxItem) {
				env.SignalWorkflow(ReviewSignal, decision(test.actions[next]))
				next++
			}
			result := carried(t, env)
			require.Equal(t, training.OutcomeCompleted, result.Outcome)
			require.Equal(t, training.RecordCompleted, result.Status)
			require.Equal(t, test.skipped, result.Skipped)
			require.Equal(t, test.skipped, w.outcomes[0].Skipped)
			require.Len(t, w.called(completeRecord), 1)
			require.Len(t, w.decisions, len(test.actions))
			require.Nil(t, w.outcomes[0].Failure)
		})
	}
}

// A retry after a skip begins from the start, and still does without what was skipped.
func TestRetryAfterASkip(t *testing.T) {
	w := &world{
		certificate: func(int) (Issued, error) { return Issued{}, failing(training.FailureCertificate) },
		statement: func(n int) (Issued, error) {
			if n < 3 {
				return Issued{}, failing(training.FailureStatementRefused)
			}
			return Issued{ID: "statement-1"}, nil
		},
	}
	env := environment(t, w)
	actions := []training.Action{training.ActionSkipCertificate, training.ActionRetry}
	w.onTold = func(InboxItem) {
		env.SignalWorkflow(ReviewSignal, decision(actions[0]))
		actions = actions[1:]
	}
	result := carried(t, env)
	require.Equal(t, []training.EffectKind{training.EffectCertificate}, result.Skipped)
	require.Equal(t, "statement-1", result.Statement)
	require.Len(t, w.called(issueCertificate), 1)
	require.Len(t, w.called(completeRecord), 2)
}

// Nobody decides: reminded after 7 days and one day before the end, then it ends with everything kept.
func TestReviewExpiresAfter14Days_R141(t *testing.T) {
	w := &world{check: func(int) (RecordPlan, error) { return RecordPlan{}, failing(training.FailureRecordMissing) }}
	env := environment(t, w)
	start := env.Now()
	var at []time.Duration
	w.onTold = func(item InboxItem) {
		at = append(at, env.Now().Sub(start).Round(time.Hour))
		if item.Kind == NoticeReviewReminder {
			require.WithinDuration(t, start.Add(14*24*time.Hour), item.Until, time.Minute)
		}
	}
	result := carried(t, env)
	const day = 24 * time.Hour
	require.Equal(t, []time.Duration{0, 7 * day, 13 * day}, at)
	require.Equal(t, []NoticeKind{NoticeReview, NoticeReviewReminder, NoticeReviewReminder}, kinds(w.heard()))
	require.NotEqual(t, w.heard()[1].Item.ID, w.heard()[2].Item.ID)
	require.WithinDuration(t, start.Add(14*day), env.Now(), time.Minute)

	require.Equal(t, training.OutcomeExpiredInReview, result.Outcome)
	require.Equal(t, "nobody decided within 336h0m0s: record_missing", result.Reason)
	require.Empty(t, result.DecidedBy)
	require.Empty(t, w.decisions, "to expire is no decision")
	require.Equal(t, training.FailureRecordMissing, w.outcomes[0].Failure.Class)
	require.Contains(t, details(t, env), "expired_in_review")
}

// A decision in the last minute counts, and each review has its own fortnight.
func TestDecisionInTheLastMinuteCounts_R141(t *testing.T) {
	w := &world{check: func(n int) (RecordPlan, error) { return RecordPlan{}, failing(training.FailureRecordMissing) }}
	env := environment(t, w)
	start := env.Now()
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
	}, 14*24*time.Hour-time.Minute)
	require.Equal(t, training.OutcomeExpiredInReview, carried(t, env).Outcome)
	require.Len(t, w.decisions, 1)
	require.WithinDuration(t, start.Add(28*24*time.Hour), env.Now(), time.Hour)
}

// The details are the whole question: three sentences, the QMS's words, the attempts with their times,
// and every decision that is taken, to paste.
func TestDetailsOfAReviewAreTheWholeQuestion_R139(t *testing.T) {
	w := &world{check: func(n int) (RecordPlan, error) {
		f := training.Fail(training.FailureRecordAmbiguous, "find record", "", "2 records")
		f.Attempts = []training.Attempt{
			{At: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Class: training.FailureUnreachable, Detail: "503"},
			{At: time.Date(2026, 4, 8, 14, 31, 0, 0, time.UTC), Class: training.FailureRecordAmbiguous, Detail: "2 records"},
		}
		return RecordPlan{}, failureError(f)
	}}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		text := details(t, env)
		e := training.FailureRecordAmbiguous.Explain()
		for _, part := range []string{
			e.Happened, e.Means, e.Do, "`record_ambiguous: find record: 2 records`",
			"- 2026-04-08 14:30:00 UTC unreachable `503`", "- 2026-04-08 14:31:00 UTC record_ambiguous `2 records`",
			training.ActionRetry.Example(), training.ActionUseRecord.Example(), training.ActionClose.Example(),
			"ends as expired in review at 2026-04-22",
		} {
			require.Contains(t, text, part)
		}
		require.NotContains(t, text, "skip_certificate")
		env.SignalWorkflow(ReviewSignal, decision(training.ActionClose))
	}, time.Hour)
	carried(t, env)
}

// The attempts of a step that is tried first as a local activity and then as an ordinary one are one list.
func TestAttemptsAreOneList_R123(t *testing.T) {
	w := &world{resolve: func(n int) error {
		f := training.Fail(training.FailureUnreachable, "read employee", "", "503")
		f.Attempts = []training.Attempt{{At: time.Date(2026, 4, 8, 14, 30, n, 0, time.UTC), Class: f.Class, Detail: f.Detail}}
		return failureError(f)
	}}
	env := environment(t, w)
	w.onTold = func(InboxItem) { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
	carried(t, env)
	attempts := w.waits[0].Failure.Attempts
	require.Len(t, attempts, 2, "the fake tells of its last attempt only")
	require.Equal(t, 1, attempts[0].At.Second())
	require.Equal(t, 4, attempts[1].At.Second())
}
