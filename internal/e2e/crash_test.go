package e2e

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/postgrestest"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
)

func onPostgres(dsn string) option { return func(p *plan) { p.dsn = dsn } }

func slowRetries(p *plan) { p.retry = "{initial: 1h, coefficient: 1, maximum: 1h, attempts: 4}" }

// sweeping runs a dispatcher in this process that asks after everything all the time.
func (s *system) sweeping() *dispatch.Dispatcher {
	s.t.Helper()
	d := dispatch.New(dispatch.Config{
		Journal: s.journal(), Temporal: s.client, Namespace: s.temporal.Namespace(), TaskQueue: workflows.TaskQueue,
		InFlight: 32, Lease: 5 * time.Second, Policy: func(string) training.Policy { return training.DefaultPolicy() },
		Log: slog.New(slog.DiscardHandler), StaleAfter: time.Nanosecond, SweepEvery: 100 * time.Millisecond,
	})
	done := make(chan error, 1)
	ctx := s.t.Context()
	go func() { done <- d.Run(ctx) }()
	s.t.Cleanup(func() { require.NoError(s.t, <-done) })
	return d
}

func TestKillingStarterAndWorkerLosesAndDoublesNothing(t *testing.T) {
	for name, options := range map[string]func(t *testing.T) []option{
		"SQLite":     func(*testing.T) []option { return nil },
		"PostgreSQL": func(t *testing.T) []option { return []option{onPostgres(postgrestest.Start(t))} },
	} {
		t.Run(name, func(t *testing.T) {
			const n = 60
			s := newSystem(t, options(t)...)
			bodies, records := make([][]byte, n), make([]string, n)
			for i := range bodies {
				bodies[i], records[i] = body(i), s.learner(i)
			}
			fingerprints := make([]training.Fingerprint, n)
			for i, answer := range s.burst(bodies) {
				require.Equal(t, http.StatusOK, answer.Status)
				fingerprints[i] = answer.Completions[0].Fingerprint
			}
			for _, some := range []int{2, 20, 40} {
				s.eventually(func() bool { return len(s.lrs.Statements()) >= some }, "%d statements", some)
				require.NoError(t, s.worker.Kill())
				require.NoError(t, s.starter.Kill())
				s.startWorker()
				s.startStarter()
			}
			j := s.journal()
			s.eventually(func() bool {
				counts, err := j.Counts(t.Context())
				return err == nil && counts[training.StateCompleted] == n
			}, "all %d end", n)
			s.requireOneEffectOfEachKind(records, fingerprints)
		})
	}
}

func TestTwoStartersAreHarmless(t *testing.T) {
	const n = 100
	s := newSystem(t)
	first := s.url
	s.startStarter()
	bodies, records := make([][]byte, 2*n), make([]string, n)
	for i := range n {
		records[i] = s.learner(i)
		bodies[2*i], bodies[2*i+1] = body(i), body(i)
	}
	second := s.url
	fingerprints := map[training.Fingerprint]bool{}
	for i, url := range []string{first, second} {
		s.url = url
		for _, answer := range s.burst(bodies[i*n : (i+1)*n]) {
			fingerprints[answer.Completions[0].Fingerprint] = true
		}
	}
	require.Len(t, fingerprints, n)
	j := s.journal()
	s.eventually(func() bool {
		counts, err := j.Counts(t.Context())
		return err == nil && counts[training.StateCompleted] == n
	}, "all %d end", n)
	require.Equal(t, n, s.qms.Calls(arenasim.EndpointComplete), "no workflow ran twice")
	var all []training.Fingerprint
	for f := range fingerprints {
		all = append(all, f)
	}
	s.requireOneEffectOfEachKind(records, all)
}

// An operator terminates a workflow: the completion is not dropped, and can be started again.
func TestTerminatedWorkflowGoesToReviewAndIsReplayed(t *testing.T) {
	s := newSystem(t, slowRetries)
	record := s.learner(1)
	s.qms.Fault(arenasim.EndpointUser, fault.Status(503, fault.Forever))
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateRetrying }, "retrying")
	require.NoError(t, s.client.TerminateWorkflow(t.Context(), string(f), "", "by mistake"))
	d := s.sweeping()
	s.eventually(func() bool { return state(s, j, f) == training.StateInReview }, "review")
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, string(f))

	s.qms.ClearFaults()
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.NoError(t, d.Replay(t.Context(), tenant, stored))
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "replayed")
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
	stored, err = j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.ErrorIs(t, d.Replay(t.Context(), tenant, stored), dispatch.ErrNotReplayable)
}

// A replay of what runs would hide its review and hold a slot for ever.
func TestReplayLeavesARunningWorkflowAlone(t *testing.T) {
	s := newSystem(t)
	f := s.complete(1) // nobody the QMS knows
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateInReview }, "review")
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.ErrorIs(t, s.sweeping().Replay(t.Context(), tenant, stored), dispatch.ErrNotReplayable)
	require.Equal(t, training.StateInReview, state(s, j, f))
}

// The journal was restored from a backup, Temporal was not: "completed" needs its proof, so the
// completion is carried again, and nothing happens twice.
func TestRestoredJournalFindsItsProofAgain(t *testing.T) {
	s := newSystem(t)
	record := s.learner(1)
	f := s.complete(1)
	j := s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "completed")
	require.NoError(t, s.starter.Kill())
	require.NoError(t, s.worker.Kill())

	s.env["COUNTERSIGN_JOURNAL"] = "sqlite:" + filepath.Join(s.dir, "restored.db") // of before the delivery
	s.startWorker()
	s.startStarter()
	require.Equal(t, f, s.complete(1), "the LMS sends again")
	restored := s.journal()
	s.sweeping()
	s.eventually(func() bool { return state(s, restored, f) == training.StateCompleted }, "completed, with proof")
	s.requireOneEffectOfEachKind([]string{record}, []training.Fingerprint{f})
}

// Temporal loses everything: what had not ended is started again from the journal, what had
// ended is not, and the records change once.
func TestTemporalForgetsEverything(t *testing.T) {
	s := newSystem(t)
	done, pending := s.learner(1), s.learner(2, approval)
	ended, waiting := s.complete(1), s.complete(2)
	j := s.journal()
	s.eventually(func() bool {
		return state(s, j, ended) == training.StateCompleted && state(s, j, waiting) == training.StateWaitingApproval
	}, "one ends, one waits")
	require.NoError(t, s.temporal.Kill())
	require.NoError(t, s.temporal.Start(t.Context()), "in memory: it knows nothing now")
	s.sweeping()
	s.eventually(func() bool {
		_, err := s.client.DescribeWorkflowExecution(t.Context(), string(waiting), "")
		return err == nil && state(s, j, waiting) == training.StateWaitingApproval
	}, "waits again")
	require.Len(t, s.qms.Changes(pending), 1, "submitted once")
	s.decide(waiting, workflows.ApprovalSignal, training.ActionApprove)
	s.eventually(func() bool { return state(s, j, waiting) == training.StateCompleted }, "approved")

	again, err := s.post(body(1))
	require.NoError(t, err)
	require.Equal(t, "duplicate", again.Verdict, "the journal never forgets")
	_, err = s.client.DescribeWorkflowExecution(t.Context(), string(ended), "")
	var gone *serviceerror.NotFound
	require.ErrorAs(t, err, &gone, "what has ended is not started again")
	require.Len(t, s.qms.Changes(done), 1)
	require.Len(t, s.lrs.Statements(), 2)
}

func withoutAttributes(p *plan) { p.temporal.SearchAttributes = nil }

// The starter makes an empty Temporal ready by itself, also one that has come back empty while
// the starter ran; nothing is put up for review meanwhile.
func TestEmptyTemporalIsMadeReady(t *testing.T) {
	s := newSystem(t, withoutAttributes)
	first, second := s.learner(1), s.learner(2)
	j := s.journal()
	f := s.complete(1)
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "completed on an empty Temporal")
	require.NoError(t, s.temporal.Kill())
	require.NoError(t, s.temporal.Start(t.Context()), "in memory: it knows no search attribute now")
	g := s.complete(2)
	s.eventually(func() bool { return state(s, j, g) == training.StateCompleted }, "completed after it came back")
	s.requireOneEffectOfEachKind([]string{first, second}, []training.Fingerprint{f, g})
	require.Empty(t, s.mail.Messages())
}

// A delivery nobody understands is acknowledged, kept, and told to the admins (law 4).
func TestUnreadableDeliveryIsToldToTheAdmins(t *testing.T) {
	s := newSystem(t)
	answer, err := s.post([]byte(`{"event": "course.completion", "payload": {}}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status)
	require.Equal(t, "unmapped", answer.Verdict)
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, "source lms")
	delivery, err := s.journal().Delivery(t.Context(), tenant, answer.DeliveryID)
	require.NoError(t, err)
	require.NotEmpty(t, delivery.Body)
}
