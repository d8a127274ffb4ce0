package workflows

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

func standing(status training.RecordStatus) (Standing, error) { return Standing{Status: status}, nil }

// after answers the poll: pending until the n-th read, then what it says.
func after(n int, last func() (Standing, error)) func(int) (Standing, error) {
	return func(read int) (Standing, error) {
		if read < n {
			return standing(training.RecordPendingApproval)
		}
		return last()
	}
}

func kinds(told []TellAdmins) (all []NoticeKind) {
	for _, t := range told {
		all = append(all, t.Item.Kind)
	}
	return all
}

// Somebody approves in the QMS itself. The poll notices, and nobody is asked twice.
func TestApprovalInTheQMSIsNoticed_R120_R122(t *testing.T) {
	w := &world{read: after(4, func() (Standing, error) { return standing(training.RecordCompleted) })}
	pending(w)
	result := carried(t, environment(t, w))

	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, training.RecordCompleted, result.Status)
	require.Equal(t, "QMS", result.DecidedBy)
	require.Equal(t, []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute}, w.gaps(readRecord))
	require.Empty(t, w.called(carryDecision), "the QMS knows it already")
	require.Len(t, w.called(issueCertificate), 1)
	require.Len(t, w.called(postStatement), 1)
	require.Len(t, w.decisions, 1)
	require.Equal(t, "qms", w.decisions[0].Via)
	require.Equal(t, training.ActionApprove, w.decisions[0].Decision.Action)
	require.Equal(t, "approval", w.decisions[0].Decision.Meaning)
}

func TestRejectionInTheQMSIsSaid_R120_R122(t *testing.T) {
	for _, status := range []training.RecordStatus{training.RecordInProgress, training.RecordAssigned} {
		w := &world{read: after(2, func() (Standing, error) { return standing(status) })}
		pending(w)
		result := carried(t, environment(t, w))
		require.Equal(t, training.OutcomeRejected, result.Outcome)
		require.Equal(t, status, result.Status)
		require.Equal(t, "QMS", result.DecidedBy)
		require.Contains(t, result.Reason, string(status))
		require.Empty(t, w.called(carryDecision))
		require.Empty(t, w.called(issueCertificate))
		require.Equal(t, training.ActionReject, w.decisions[0].Decision.Action)
	}
}

// The first read after 5 minutes, doubling to 4 hours: 14 days are 88 reads.
func TestPollOf14DaysIsPatient_R122(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 14*24*time.Hour+time.Minute)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.called(readRecord), 88)
	require.Equal(t, 4*time.Hour, w.gaps(readRecord)[86])
}

// A history that has grown long is polled once a day.
func TestPollOfALongHistoryIsDaily(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 24*time.Hour)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 30*24*time.Hour)
	carried(t, env)
	gaps := w.gaps(readRecord)
	require.Equal(t, 24*time.Hour, gaps[len(gaps)-1])
}

// The QMS is away for days: that is no failure, the poll goes on. A Retry-After is kept.
func TestQMSThatIsAwayDoesNotEndTheWait_R122(t *testing.T) {
	for _, class := range []training.FailureClass{training.FailureUnreachable, training.FailureCredentials, training.FailureMisread, training.FailureRateLimited} {
		w := &world{read: func(n int) (Standing, error) {
			if n < 30 {
				f := training.Fail(class, "read record", "TR-1", "503")
				if n == 1 {
					f.RetryAfter = 3 * time.Hour
				}
				return Standing{}, failureError(f)
			}
			return standing(training.RecordCompleted)
		}}
		pending(w)
		result := carried(t, environment(t, w))
		require.Equal(t, training.OutcomeCompleted, result.Outcome, class)
		require.Len(t, w.waits, 1, "no review: %s", class)
		require.Equal(t, 3*time.Hour, w.gaps(readRecord)[0], class)
		require.Equal(t, 20*time.Minute, w.gaps(readRecord)[1], class)
	}
}

// What makes the wait pointless is put up for review at the next read.
func TestPointlessWaitIsReviewed_R122(t *testing.T) {
	for _, class := range []training.FailureClass{
		training.FailureRecordExpired, training.FailureRecordCancelled, training.FailureCompletedElse,
		training.FailureOtherContent, training.FailureRecordMissing, training.FailureEmployeeMismatch,
	} {
		w := &world{read: func(int) (Standing, error) { return Standing{}, failing(class) }}
		pending(w)
		env := environment(t, w)
		w.onTold = func(item InboxItem) {
			if item.Kind == NoticeReview {
				require.Equal(t, class, item.Class)
				env.SignalWorkflow(ReviewSignal, decision(training.ActionClose))
			}
		}
		result := carried(t, env)
		require.Equal(t, training.OutcomeClosed, result.Outcome, class)
		require.Len(t, w.called(readRecord), 1)
		require.Empty(t, w.called(issueCertificate))
		require.Equal(t, class, w.outcomes[0].Failure.Class, "kept for whoever examines it")
	}
}

// Told at once, reminded after a day, escalated after three; and never approved by itself.
func TestReminderAndEscalationButNeverAnApproval_R120(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	at := map[NoticeKind]time.Duration{}
	start := env.Now()
	w.onTold = func(item InboxItem) { at[item.Kind] = env.Now().Sub(start).Round(time.Minute) }
	env.RegisterDelayedCallback(func() {
		require.False(t, env.IsWorkflowCompleted())
		require.Empty(t, w.decisions)
		require.Empty(t, w.called(carryDecision))
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionReject))
	}, 365*24*time.Hour)
	require.Equal(t, training.OutcomeRejected, carried(t, env).Outcome)
	require.Equal(t, map[NoticeKind]time.Duration{
		NoticeApproval: 0, NoticeApprovalReminder: 24 * time.Hour, NoticeApprovalEscalation: 72 * time.Hour,
	}, at)
	require.Equal(t, []NoticeKind{NoticeApproval, NoticeApprovalReminder, NoticeApprovalEscalation}, kinds(w.heard()))
	ids := map[string]bool{}
	for _, told := range w.heard() {
		require.Empty(t, told.Item.Class, "nothing has failed")
		require.Equal(t, "TR-1", told.Item.RecordID)
		ids[told.Item.ID] = true
	}
	require.Len(t, ids, 3, "each is an item of its own")
}

// The learner decides about the own completion: refused and said, and the wait goes on (law 5).
func TestLearnerMayNotDecide_R120(t *testing.T) {
	w := &world{learner: "jordan"}
	pending(w)
	env := environment(t, w)
	own := decision(training.ActionApprove)
	own.By = "jordan"
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, own) }, time.Hour)
	var refusal error
	env.RegisterDelayedCallback(func() {
		require.Empty(t, w.decisions)
		require.Contains(t, details(t, env), "The last signal changed nothing:** the learner must not decide")
		env.UpdateWorkflow(DecideUpdate, "1", &testsuite.TestUpdateCallback{
			OnReject: func(err error) { refusal = err }, OnAccept: func() {},
			OnComplete: func(_ any, err error) { refusal = err },
		}, own)
	}, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		require.ErrorContains(t, refusal, "the learner must not decide")
		env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove))
	}, 3*time.Hour)
	result := carried(t, env)
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, "m.keller", result.DecidedBy)
	require.Len(t, w.decisions, 1)
	require.Equal(t, "approval", w.decisions[0].Decision.Meaning, "21 CFR 11.50")
}

// Two decide at the same moment, and both are looked at: the first wins, the second hears of it.
func TestOfTwoUpdatesAtOnceTheFirstWins_R120(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	said := map[string]error{}
	env.RegisterDelayedCallback(func() {
		for id, d := range map[string]training.Decision{"approve": by("m.keller", training.ActionApprove), "reject": by("a.roth", training.ActionReject)} {
			env.UpdateWorkflow(DecideUpdate, id, &testsuite.TestUpdateCallback{
				OnReject: func(err error) { said[id] = err }, OnAccept: func() {},
				OnComplete: func(_ any, err error) { said[id] = err },
			}, d)
		}
	}, time.Hour)
	result := carried(t, env)
	lost, won := "approve", "reject"
	if result.Outcome == training.OutcomeCompleted {
		lost, won = won, lost
	}
	require.NoError(t, said[won])
	require.Regexp(t, "already decided|does not wait for this decision any more", said[lost])
	require.Len(t, w.decisions, 1)
	require.Equal(t, training.Action(won), w.decisions[0].Decision.Action)
}

func by(name string, action training.Action) training.Decision {
	d := decision(action)
	d.By = name
	return d
}

func fourEyes() CompletionInput {
	in := input()
	in.Policy.Approval.FourEyes = true
	return in
}

func TestFourEyesAreTwoPersons_R120(t *testing.T) {
	var sent []training.Decision
	w := &world{carry: func(in CarryDecision) (VerifiedRecord, error) {
		sent = append(sent, in.Decision)
		return VerifiedRecord{RecordID: in.RecordID, Status: training.RecordCompleted}, nil
	}}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, by("m.keller", training.ActionApprove)) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		require.Contains(t, details(t, env), "m.keller has approved. A second person has to approve as well.")
		env.SignalWorkflow(ApprovalSignal, by("M.Keller ", training.ActionApprove))
	}, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		require.Empty(t, w.called(carryDecision), "one person twice is no second one")
		require.Contains(t, details(t, env), "a second person has to approve; this one has")
		env.SignalWorkflow(ApprovalSignal, by("a.roth", training.ActionApprove))
	}, 3*time.Hour)
	env.ExecuteWorkflow(CompletionWorkflow, fourEyes())
	require.NoError(t, env.GetWorkflowError())

	require.Len(t, w.decisions, 2)
	require.Equal(t, []int{1, 2}, []int{w.decisions[0].Round, w.decisions[1].Round})
	require.True(t, w.decisions[0].StillWaiting)
	require.False(t, w.decisions[1].StillWaiting)
	require.Len(t, sent, 1)
	require.Equal(t, "a.roth", sent[0].By)
	require.Equal(t, "practical test seen (first approved by m.keller: practical test seen)", sent[0].Reason)
}

func TestOneRejectionSufficesForFourEyes_R120(t *testing.T) {
	for name, decisions := range map[string][]training.Decision{
		"at once":             {by("a.roth", training.ActionReject)},
		"after an approval":   {by("m.keller", training.ActionApprove), by("a.roth", training.ActionReject)},
		"of the same persons": {by("m.keller", training.ActionApprove), by("m.keller", training.ActionReject)},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			pending(w)
			env := environment(t, w)
			env.RegisterDelayedCallback(func() {
				for _, d := range decisions {
					env.SignalWorkflow(ApprovalSignal, d)
				}
			}, time.Hour)
			env.ExecuteWorkflow(CompletionWorkflow, fourEyes())
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, training.OutcomeRejected, w.outcomes[0].Outcome)
			require.Len(t, w.decisions, len(decisions))
		})
	}
}

// Both sign at once: the second signal is the second approval, not a late one.
func TestTwoApprovalsAtOnceAreFourEyes(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(ApprovalSignal, by("m.keller", training.ActionApprove))
		env.SignalWorkflow(ApprovalSignal, by("a.roth", training.ActionApprove))
	}, time.Hour)
	env.ExecuteWorkflow(CompletionWorkflow, fourEyes())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, training.OutcomeCompleted, w.outcomes[0].Outcome)
	require.Len(t, w.decisions, 2)
}

// What the QMS has decided needs no four eyes of ours: it is done.
func TestQMSDecidesForAllEyes(t *testing.T) {
	w := &world{read: after(1, func() (Standing, error) { return standing(training.RecordCompleted) })}
	pending(w)
	env := environment(t, w)
	env.ExecuteWorkflow(CompletionWorkflow, fourEyes())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, training.OutcomeCompleted, w.outcomes[0].Outcome)
	require.Len(t, w.decisions, 1)
}

// Whatever is unfit changes nothing, and the details say what was wrong with it.
func TestUnfitSignalIsSaid(t *testing.T) {
	w := &world{}
	pending(w)
	env := environment(t, w)
	for i, test := range []struct {
		signal  string
		payload any
		says    string
	}{
		{ApprovalSignal, map[string]any{"aprove": true}, `unknown field "aprove"`},
		{ApprovalSignal, map[string]any{"action": "approve", "by": "m.keller", "reason": "x", "meening": "y"}, `unknown field "meening"`},
		{ApprovalSignal, map[string]any{"action": "approved", "by": "m.keller", "reason": "x"}, `action must be "approve" or "reject"`},
		{ApprovalSignal, map[string]any{"action": "approve", "by": 7, "reason": "x"}, "by must be a text"},
		{ApprovalSignal, map[string]any{"action": "approve", "by": "m.keller", "reason": "x", "recordId": "TR-9"}, "recordId does not belong"},
		{ApprovalSignal, "approve", "a decision is a JSON object such as"},
		{ApprovalSignal, []byte("approve"), "it cannot be read"},
		{ReviewSignal, decision(training.ActionRetry), "this wait takes the signal approval"},
	} {
		at := time.Duration(i+1) * time.Hour
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(test.signal, test.payload) }, at)
		env.RegisterDelayedCallback(func() {
			text := details(t, env)
			require.Contains(t, text, "The last signal changed nothing")
			require.Contains(t, text, escape(test.says), i)
			require.Empty(t, w.decisions)
		}, at+time.Minute)
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ApprovalSignal, decision(training.ActionApprove)) }, 24*time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
}

func TestPatienceThatWouldSpinIsADefect(t *testing.T) {
	for problem, change := range map[string]func(*training.Policy){
		"escalate must come after remind": func(p *training.Policy) { p.Approval.Escalate = p.Approval.Remind },
		"wait must be above 0":            func(p *training.Policy) { p.Review.Wait = -1 },
	} {
		env := environment(t, &world{})
		in := input()
		change(&in.Policy)
		env.ExecuteWorkflow(CompletionWorkflow, in)
		require.ErrorContains(t, env.GetWorkflowError(), problem)
	}
}
