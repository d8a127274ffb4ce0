package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/client"
)

// TellAdmins lets hands wait for people: nobody is told.
func (h *hands) TellAdmins(context.Context, workflows.TellAdmins) error { return nil }

// policy replaces the tenant's policy.
func policy(yaml string) option {
	return func(p *plan) { p.retry = "{initial: 100ms, coefficient: 2, maximum: 400ms, attempts: 4}, " + yaml }
}

// signal sends a decision of any shape.
func (s *system) signal(f training.Fingerprint, name string, d training.Decision) {
	s.t.Helper()
	require.NoError(s.t, s.client.SignalWorkflow(s.t.Context(), string(f), "", name, d))
}

func (s *system) becomes(j *journal.Journal, f training.Fingerprint, want training.State) {
	s.t.Helper()
	s.eventually(func() bool { return state(s, j, f) == want }, "%s becomes %s", f, want)
}

// starterCommand runs one of the starter's commands and returns what it says.
func (s *system) starterCommand(args ...string) (string, error) {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), filepath.Join(binaries.product, build.Executable("starter")), args...)
	command.Env = stack.Environment(s.env)
	out, err := command.CombinedOutput()
	return string(out), err
}

// The QMS decides without us: the patient poll notices, and the completion ends as if we had been asked.
func TestQMSDecidesByItself_R120_R122(t *testing.T) {
	s := newSystem(t, policy("approval: {poll: {first: 1s, maximum: 2s}}"))
	j := s.journal()
	approved, rejected := s.learner(1, approval), s.learner(2, approval)
	yes, no := s.complete(1), s.complete(2)
	s.becomes(j, yes, training.StateWaitingApproval)
	s.becomes(j, no, training.StateWaitingApproval)

	// It is away for a while first: nothing fails, and nobody is asked.
	s.qms.Fault(arenasim.EndpointRecord, fault.Status(503, 2))
	s.eventually(func() bool { return s.qms.Calls(arenasim.EndpointRecord) >= 6 }, "the poll goes on")
	require.NoError(t, s.qms.Decide(approved, "APPROVE", "head.of.quality", "seen"))
	require.NoError(t, s.qms.Decide(rejected, "REJECT", "head.of.quality", "not seen"))
	s.becomes(j, yes, training.StateCompleted)
	s.becomes(j, no, training.StateRejected)

	require.Len(t, s.qms.Changes(approved), 2, "submitted by us, approved there")
	require.Len(t, s.lrs.Statements(), 1)
	var result workflows.CompletionResult
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(yes), "").Get(t.Context(), &result))
	require.Equal(t, "QMS", result.DecidedBy)
	decisions, err := j.Decisions(t.Context(), tenant, no)
	require.NoError(t, err)
	require.Len(t, decisions, 1)
	require.Equal(t, "qms", decisions[0].Via)
	s.record("approved-in-qms", yes)
	s.record("rejected-in-qms", no)
}

// Two persons approve, and neither is the learner; one approval is not enough.
func TestFourEyesThroughTheWholeSystem_R120(t *testing.T) {
	s := newSystem(t, policy("approval: {four_eyes: true}"))
	j := s.journal()
	record := s.learner(1, approval)
	f := s.complete(1)
	s.becomes(j, f, training.StateWaitingApproval)
	approve := func(by string) error {
		return s.update(f, training.Decision{Action: training.ActionApprove, By: by, Reason: "practical test seen"})
	}
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.ErrorContains(t, approve(stored.Completion.Learner.Email), "the learner must not decide")
	require.NoError(t, approve("m.keller"))
	require.ErrorContains(t, approve("M.Keller"), "a second person has to approve")
	require.Equal(t, training.StateWaitingApproval, state(s, j, f))
	pending, _ := s.qms.Record(record)
	require.Equal(t, training.RecordPendingApproval, pending.Status)
	require.NoError(t, approve("a.roth"))
	s.becomes(j, f, training.StateCompleted)
	require.Len(t, s.qms.Changes(record), 2, "submitted, approved")
	decisions, err := j.Decisions(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Len(t, decisions, 2)
	require.Equal(t, "approval", decisions[1].Decision.Meaning)
}

// The next attempt is an hour away, and the QMS is back: a person says so.
func TestRetryNowThroughTheWholeSystem_R123_R139(t *testing.T) {
	s := newSystem(t, slowRetries)
	j := s.journal()
	written, looked, posted := s.learner(1), s.learner(2), s.learner(3)
	s.qms.Fault(arenasim.EndpointComplete, fault.Status(503, 1))
	activity := s.complete(1)
	s.becomes(j, activity, training.StateRetrying)
	s.qms.Fault(arenasim.EndpointUser, fault.Status(503, 1))
	timer := s.complete(2)
	s.becomes(j, timer, training.StateRetrying)
	s.lrs.Fault(lrssim.EndpointPut, fault.Status(503, 1))
	document := s.complete(3)
	s.becomes(j, document, training.StateRetrying)

	require.ErrorContains(t, s.update(activity, decision(training.ActionClose)), `action must be "retry"`)
	s.decide(activity, workflows.ReviewSignal, training.ActionRetry)
	require.NoError(t, s.update(timer, decision(training.ActionRetry)))
	s.decide(document, workflows.ReviewSignal, training.ActionRetry)
	all := []training.Fingerprint{activity, timer, document}
	for _, f := range all {
		s.becomes(j, f, training.StateCompleted)
	}
	s.requireOneEffectOfEachKind([]string{written, looked, posted}, all)
	s.record("retry-now", activity)
	s.record("retry-now-by-update", timer)
	s.record("documents-local-retry-now", document)
}

// A record that the search cannot choose is chosen by a person, and a wrong choice is never written.
func TestPersonChoosesTheRecord_R139(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	first, second, other := s.learner(1), s.learner(1), s.learner(2)
	f := s.complete(1)
	s.becomes(j, f, training.StateInReview)
	choose := func(record string) {
		d := decision(training.ActionUseRecord)
		d.RecordID = record
		s.signal(f, workflows.ReviewSignal, d)
	}
	choose(other)
	s.eventually(func() bool {
		stored, err := j.Completion(t.Context(), tenant, f)
		return err == nil && stored.State == training.StateInReview && stored.FailureClass == training.FailureEmployeeMismatch
	}, "asked again")
	choose(second)
	s.becomes(j, f, training.StateCompleted)
	require.Empty(t, s.qms.Changes(first))
	require.Empty(t, s.qms.Changes(other))
	s.requireOneEffectOfEachKind([]string{second}, []training.Fingerprint{f})
	s.record("review-use-record", f)
}

// The LRS refuses the statement; a person does without it.
func TestStatementIsSkipped_R139(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	record := s.learner(1)
	s.lrs.Fault(lrssim.EndpointPut, fault.Status(400, fault.Forever))
	f := s.complete(1)
	s.becomes(j, f, training.StateInReview)
	s.decide(f, workflows.ReviewSignal, training.ActionSkipStatement)
	s.becomes(j, f, training.StateCompleted)
	require.Len(t, s.qms.Changes(record), 1)
	var result workflows.CompletionResult
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(f), "").Get(t.Context(), &result))
	require.Equal(t, []training.EffectKind{training.EffectStatement}, result.Skipped)
	s.record("documents-local-review-skip", f)
}

// A closed completion is started again by a named person, and one that has its effect never is.
func TestClosedCompletionIsReplayedAndCannotDouble_R142(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	f := s.complete(1) // nobody the QMS knows
	s.becomes(j, f, training.StateInReview)
	s.decide(f, workflows.ReviewSignal, training.ActionClose)
	s.becomes(j, f, training.StateClosed)
	record := s.learner(1)

	out, err := s.starterCommand("replay", tenant, string(f))
	require.Error(t, err)
	require.Contains(t, out, "-by and -reason")
	require.Equal(t, training.StateClosed, state(s, j, f))
	replay := []string{"replay", "-by", "m.keller", "-reason", "employee created", tenant, string(f)}
	out, err = s.starterCommand(replay...)
	require.NoError(t, err, out)
	s.becomes(j, f, training.StateCompleted)
	out, err = s.starterCommand(replay...)
	require.Error(t, err)
	require.Contains(t, out, "it has ended: COMPLETED")

	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
	decisions, err := j.Decisions(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Equal(t, training.ActionReplay, decisions[1].Decision.Action)
	require.Equal(t, "m.keller", decisions[1].Decision.By)
}

// Nobody decides: the completion ends as expired in review, with what it failed with. The settings allow no
// wait below 7 days, so this workflow is started with a shorter one than a tenant can have.
func TestReviewExpiresAndIsReplayed_R141_R142(t *testing.T) {
	s := newSystem(t)
	require.NoError(t, s.starter.Kill())
	j := s.journal()
	receipt, err := j.Append(t.Context(), journal.Delivery{
		ID: journal.NewDeliveryID(), Tenant: tenant, Source: "lms", Platform: "canonical", Verdict: journal.VerdictAccepted, Body: []byte("{}"),
	}, []training.Completion{{
		Tenant: tenant, Source: "lms", Platform: "canonical", Learner: training.Learner{ID: "1", ExternalID: "HR-1"}, Course: training.Course{Code: "COMP-2026"},
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
	}})
	require.NoError(t, err)
	f := receipt.Completions[0].Fingerprint
	_, err = j.Claim(t.Context(), 1, time.Hour)
	require.NoError(t, err)
	in := workflows.CompletionInput{
		Tenant: tenant, Source: "lms", Platform: "canonical", Fingerprint: f, Course: "COMP-2026", Policy: training.DefaultPolicy(),
	}
	in.Policy.Review.Wait = 2 * time.Second
	_, err = s.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: workflows.CompletionID(f), TaskQueue: workflows.TaskQueue, TypedSearchAttributes: in.StartAttributes(),
	}, workflows.CompletionWorkflow, in)
	require.NoError(t, err)
	s.becomes(j, f, training.StateExpiredInReview)
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Equal(t, training.FailureEmployeeUnknown, stored.FailureClass, "everything is kept")
	s.record("review-expired", f)

	record := s.learner(1)
	out, err := s.starterCommand("replay", "-by", "m.keller", "-reason", "employee created", tenant, string(f))
	require.NoError(t, err, out)
	s.becomes(j, f, training.StateCompleted)
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
}

// What an operator reads in the Temporal Web UI, by the query that it makes: the three sentences, every
// attempt with the QMS's own words, also those that a real server has kept between two, and what to paste.
func TestOperatorReadsTheWholeQuestion_R123_R139(t *testing.T) {
	s := newSystem(t)
	j := s.journal()
	s.learner(1)
	s.learner(2)
	s.qms.Fault(arenasim.EndpointComplete, fault.Status(503, fault.Forever))
	written := s.complete(1)
	s.becomes(j, written, training.StateInReview)
	s.qms.Fault(arenasim.EndpointUser, fault.Status(502, fault.Forever))
	looked := s.complete(2)
	s.becomes(j, looked, training.StateInReview)
	for f, status := range map[training.Fingerprint]string{written: "503", looked: "502"} {
		var text string
		s.eventually(func() bool {
			value, err := s.client.QueryWorkflow(t.Context(), string(f), "", "__temporal_workflow_metadata")
			var metadata sdkpb.WorkflowMetadata
			if err != nil || value.Get(&metadata) != nil {
				return false
			}
			text = metadata.GetCurrentDetails()
			return strings.Contains(text, "Needs a review")
		}, "details")
		require.Equal(t, 4, strings.Count(text, " unreachable `"+status), text)
		require.Contains(t, text, training.FailureUnreachable.Explain().Do)
		require.Contains(t, text, training.ActionRetry.Example())
		require.Contains(t, text, training.ActionClose.Example())
	}
}
