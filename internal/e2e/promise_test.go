package e2e

import (
	"net/http"
	"testing"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

func TestSignedCompletionIsCarriedOnceWithProof_R1(t *testing.T) {
	s := newSystem(t)
	record := s.learner(1)
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "completion %s ends", f)
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})

	again, err := s.post(body(1))
	require.NoError(t, err)
	require.Equal(t, "duplicate", again.Verdict)

	var result workflows.CompletionResult
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(f), "").Get(t.Context(), &result))
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, record, result.RecordID)
	require.LessOrEqual(t, s.record("documents-local", f), 20, "history events of a happy completion: 17, 3 more where a step was slow")

	// An operator finds it by what it is about.
	s.eventually(func() bool {
		found, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: s.temporal.Namespace(),
			Query:     `CountersignTenant = "acme" AND CountersignCourse = "COMP-2026" AND CountersignState = "COMPLETED" AND CountersignRecord = "` + record + `"`,
		})
		return err == nil && len(found.GetExecutions()) == 1
	}, "the completion is found by its search attributes")
}

func TestSameBody1000TimesInParallelIsOneEffectOfEachKind_R87(t *testing.T) {
	s := newSystem(t)
	record := s.learner(1)
	bodies := make([][]byte, 1000)
	for i := range bodies {
		bodies[i] = body(1)
	}
	accepted := 0
	answers := s.burst(bodies)
	for _, answer := range answers {
		require.Equal(t, http.StatusOK, answer.Status)
		if answer.Verdict == "accepted" {
			accepted++
		}
	}
	require.Equal(t, 1, accepted)
	f := answers[0].Completions[0].Fingerprint
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "completion ends")
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
	require.Equal(t, 1, s.qms.Calls(arenasim.EndpointComplete), "raw calls")
}

func TestTemporalDownWhile500Arrive_R8(t *testing.T) {
	const n = 500
	s := newSystem(t, onDisk(t.TempDir()))
	require.NoError(t, s.temporal.Kill())
	bodies, records := make([][]byte, n), make([]string, n)
	for i := range bodies {
		bodies[i], records[i] = body(i), s.learner(i)
	}
	fingerprints := make([]training.Fingerprint, n)
	for i, answer := range s.burst(bodies) {
		require.Equal(t, http.StatusOK, answer.Status, "acknowledged without Temporal")
		fingerprints[i] = answer.Completions[0].Fingerprint
	}
	require.NoError(t, s.temporal.Start(t.Context()))
	j := s.journal()
	s.eventually(func() bool {
		counts, err := j.Counts(t.Context())
		return err == nil && counts[training.StateCompleted] == n
	}, "all %d end after Temporal has returned", n)
	s.requireOneEffectOfEachKind(records, fingerprints)
}

func TestQMSDownForEverIsFourAttemptsOneNoticeAndAReview_R123_R133_R139(t *testing.T) {
	s := newSystem(t)
	record := s.learner(1)
	s.qms.Fault(arenasim.EndpointComplete, fault.Status(503, fault.Forever))
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateInReview }, "review")
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, mails, 1, "one notice")
	require.Contains(t, mails[0].Text, "COMP-2026")
	require.Contains(t, mails[0].Text, string(f))
	require.Equal(t, 4, s.qms.Calls(arenasim.EndpointComplete), "attempts")
	require.Empty(t, s.lrs.Statements(), "nothing is said before the record is verified")

	s.qms.ClearFaults()
	s.decide(f, workflows.ReviewSignal, training.ActionRetry)
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "retry completes")
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
	s.record("review-retry", f)
	s.record("inbox", training.Fingerprint(workflows.InboxID(tenant)))

	decisions, err := j.Decisions(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Equal(t, "m.keller", decisions[0].Decision.By)
	require.Len(t, s.mail.Messages(), 1)
}

func TestLookUpDownForEverIsFourAttemptsToo_R123(t *testing.T) {
	s := newSystem(t)
	s.learner(1)
	s.qms.Fault(arenasim.EndpointUser, fault.Status(503, fault.Forever))
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateInReview }, "review")
	require.Equal(t, 4, s.qms.Calls(arenasim.EndpointUser), "the local attempt counts")
	s.decide(f, workflows.ReviewSignal, training.ActionClose)
	s.eventually(func() bool { return state(s, j, f) == training.StateClosed }, "closed")
	s.record("review-close", f)
}

func approval(r *arenasim.Record) { r.ApprovalRequired = true }

func TestApprovalSurvivesKillingEverything_R120(t *testing.T) {
	s := newSystem(t, onDisk(t.TempDir()))
	record := s.learner(1, approval)
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateWaitingApproval }, "waits for approval")

	require.NoError(t, s.starter.Kill())
	require.NoError(t, s.worker.Kill())
	require.NoError(t, s.temporal.Kill())
	require.NoError(t, s.temporal.Start(t.Context()))
	s.startWorker()
	s.startStarter()
	pending, _ := s.qms.Record(record)
	require.Equal(t, training.RecordPendingApproval, pending.Status)

	require.NoError(t, s.client.SignalWorkflow(t.Context(), string(f), "", workflows.ApprovalSignal, map[string]any{"aprove": true}))
	s.decide(f, workflows.ApprovalSignal, training.ActionApprove)
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "approval completes")
	completed, _ := s.qms.Record(record)
	require.Equal(t, training.RecordCompleted, completed.Status)
	require.Len(t, s.qms.Changes(record), 2, "submitted, approved")
	require.Len(t, s.lrs.Statements(), 1)
	s.record("approved", f)
}

func TestRejectionGoesBackAndIssuesNothing_R120(t *testing.T) {
	s := newSystem(t)
	record := s.learner(1, approval)
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateWaitingApproval }, "waits for approval")
	s.decide(f, workflows.ApprovalSignal, training.ActionReject)
	s.eventually(func() bool { return state(s, j, f) == training.StateRejected }, "rejected")
	back, _ := s.qms.Record(record)
	require.Equal(t, training.RecordInProgress, back.Status)
	require.Empty(t, s.lrs.Statements())
	described, err := s.client.DescribeWorkflowExecution(t.Context(), string(f), "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, described.GetWorkflowExecutionInfo().GetStatus(),
		"a business outcome is no failure")
	s.record("rejected", f)
}

// The console's way: an update that does not fit is refused with the reason, and the wait goes on.
func TestUpdateIsRefusedWithTheReason(t *testing.T) {
	s := newSystem(t)
	s.learner(1, approval)
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateWaitingApproval }, "waits for approval")
	require.ErrorContains(t, s.update(f, training.Decision{Action: "yes", By: "m.keller", Reason: "seen"}), `action must be "approve" or "reject"`)
	require.ErrorContains(t, s.update(f, training.Decision{Action: training.ActionApprove, By: "m.keller"}), "reason must say why")
	require.NoError(t, s.update(f, decision(training.ActionApprove)))
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "approval completes")
	s.record("approved-by-update", f)
}
