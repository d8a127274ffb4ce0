package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
)

// server is a Temporal that does what a test says; whatever is not here panics.
type server struct {
	client.Client
	operatorservice.OperatorServiceClient

	mu      sync.Mutex
	refuses func(workflows.EnrollmentInput) error
	started []workflows.EnrollmentInput
	ids     []string
	reuse   []enumspb.WorkflowIdReusePolicy
	told    []workflows.InboxItem
	// registered counts the looks at the search attributes.
	registered int
	status     enumspb.WorkflowExecutionStatus
	asked      []string
}

func (f *server) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := args[0].(workflows.EnrollmentInput)
	if f.refuses != nil {
		if err := f.refuses(in); err != nil {
			return nil, err
		}
	}
	f.started, f.ids, f.reuse = append(f.started, in), append(f.ids, o.ID), append(f.reuse, o.WorkflowIDReusePolicy)
	return nil, nil
}

func (f *server) SignalWithStartWorkflow(_ context.Context, _, _ string, items any, _ client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, items.([]workflows.InboxItem)...)
	return nil, nil
}

func (f *server) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, id)
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			Status: f.status, Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "the last run"},
		},
	}, nil
}

func (f *server) OperatorService() operatorservice.OperatorServiceClient { return f }

func (f *server) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.registered++
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: workflows.SearchAttributes()}, nil
}

// stage is a dispatcher of 16 slots, four of them for enrollments, over a real journal.
type stage struct {
	t        *testing.T
	journal  *journal.Journal
	temporal *server
	*Dispatcher
}

func newStage(t *testing.T) *stage {
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	s := &stage{t: t, journal: j, temporal: &server{}}
	s.Dispatcher = New(Config{
		Journal: j, Temporal: s.temporal, InFlight: 16, Lease: time.Minute, StaleAfter: time.Nanosecond,
		Policy: func(string) training.Policy { return training.DefaultPolicy() }, Log: slog.New(slog.DiscardHandler),
	})
	return s
}

// enrolled puts n enrollments of acme into the journal, the oldest first.
func (s *stage) enrolled(n int) (keys []training.EnrollmentKey) {
	s.t.Helper()
	for i := range n {
		receipt, err := s.journal.Append(s.t.Context(), journal.Delivery{
			Tenant: "acme", Source: "lms", Platform: "canonical", Body: []byte("{}"),
			ReceivedAt: time.Date(2026, 4, 8, 14, 30, i, 0, time.UTC),
		}, nil, training.Enrollment{
			Tenant: "acme", Source: "lms", EnrollmentID: fmt.Sprint(i), Learner: training.Learner{ID: "7", Email: "jane@example.com"},
			Course: training.Course{Code: fmt.Sprint("C-", i)},
		})
		require.NoError(s.t, err)
		keys = append(keys, receipt.Enrollments[0].Key)
	}
	return keys
}

func (s *stage) state(key training.EnrollmentKey) training.EnrollmentState {
	s.t.Helper()
	stored, err := s.journal.Enrollment(s.t.Context(), "acme", key)
	require.NoError(s.t, err)
	return stored.State
}

func TestEnrollmentsAreStartedOnce_R98(t *testing.T) {
	s := newStage(t)
	keys := s.enrolled(3)
	require.NoError(t, s.startEnrollments(t.Context()))
	require.NoError(t, s.startEnrollments(t.Context()))
	require.Len(t, s.temporal.started, 3)
	for _, in := range s.temporal.started {
		require.Equal(t, workflows.CurrentEnrollmentSteps, in.Steps)
		require.Contains(t, s.temporal.ids, workflows.EnrollmentID(in.Key))
		require.Equal(t, training.EnrollmentRunning, s.state(in.Key))
		require.NotContains(t, fmt.Sprint(in, s.temporal.ids), "jane", "no personal data (law 7)")
	}
	require.ElementsMatch(t, keys, []training.EnrollmentKey{s.temporal.started[0].Key, s.temporal.started[1].Key, s.temporal.started[2].Key})
}

// What Temporal will never start keeps the tenant's others waiting for two minutes and not for ever.
func TestRefusedEnrollmentsAreGivenUp(t *testing.T) {
	s := newStage(t)
	keys := s.enrolled(6) // the first four take all slots
	s.temporal.refuses = func(in workflows.EnrollmentInput) error {
		if in.Course < "C-4" {
			return serviceerror.NewInvalidArgument("too odd")
		}
		return nil
	}
	require.ErrorIs(t, s.startEnrollments(t.Context()), errRefused)
	require.Equal(t, 1, s.temporal.registered, "it may have come back empty")
	for _, key := range keys {
		require.Equal(t, training.EnrollmentQueued, s.state(key))
	}
	require.Empty(t, s.temporal.told)
	since := s.enrollmentsRefused
	require.ErrorIs(t, s.startEnrollments(t.Context()), errRefused)
	require.Equal(t, since, s.enrollmentsRefused)

	s.enrollmentsRefused = time.Now().Add(-refusalPatience - time.Second)
	require.NoError(t, s.startEnrollments(t.Context()))
	for i, key := range keys {
		want := training.EnrollmentClosed
		if i >= 4 {
			want = training.EnrollmentRunning
		}
		require.Equal(t, want, s.state(key), i)
	}
	require.Len(t, s.temporal.told, 4)
	require.Equal(t, workflows.CauseEnrollment, s.temporal.told[0].Cause)
	require.Zero(t, s.enrollmentsRefused)
}

// A Temporal that is away costs nothing: everything stays queued, and nobody is told.
func TestEnrollmentsWaitForTemporal(t *testing.T) {
	s := newStage(t)
	keys := s.enrolled(2)
	s.enrollmentsRefused = time.Now().Add(-time.Hour)
	s.temporal.refuses = func(workflows.EnrollmentInput) error { return serviceerror.NewUnavailable("away") }
	require.Error(t, s.startEnrollments(t.Context()))
	require.Zero(t, s.enrollmentsRefused)
	require.Equal(t, training.EnrollmentQueued, s.state(keys[0]))
	require.Empty(t, s.temporal.told)
}

// However many wait for people, a lost enrollment that holds a slot is found by the next sweep.
func TestSweepComesToThoseThatHoldASlot(t *testing.T) {
	s := newStage(t)
	keys := s.enrolled(sweepEnrollments + 5)
	for _, key := range keys[:len(keys)-1] {
		_, err := s.journal.ProjectEnrollment(t.Context(), "acme", key, journal.EnrollmentProjection{State: training.EnrollmentInReview})
		require.NoError(t, err)
	}
	lost := keys[len(keys)-1]
	_, err := s.journal.ProjectEnrollment(t.Context(), "acme", lost, journal.EnrollmentProjection{State: training.EnrollmentRunning})
	require.NoError(t, err)
	s.temporal.status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	require.NoError(t, s.sweepStaleEnrollments(t.Context()))
	require.Contains(t, s.temporal.asked, workflows.EnrollmentID(lost))
	require.Len(t, s.temporal.asked, sweepEnrollments+1)
}

// What ended without a record is begun again by a named person's word, once, and not while its workflow runs. Where
// the start does not get through it stays queued.
func TestEnrollmentIsReplayed_R142(t *testing.T) {
	s := newStage(t)
	key := s.enrolled(1)[0]
	decision := training.Decision{Action: training.ActionReplay, By: "m.keller", Reason: "the employee exists now"}
	reopen := func() error {
		stored, err := s.journal.Enrollment(t.Context(), "acme", key)
		require.NoError(t, err)
		return s.ReopenEnrollment(t.Context(), "acme", stored, decision)
	}
	require.ErrorIs(t, reopen(), ErrNotReplayable, "it is under way")
	require.NoError(t, s.startEnrollments(t.Context()))
	_, err := s.journal.ProjectEnrollment(t.Context(), "acme", key, journal.EnrollmentProjection{State: training.EnrollmentExpiredInReview})
	require.NoError(t, err)

	s.temporal.status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	require.ErrorIs(t, reopen(), ErrNotReplayable, "its workflow is about to end")
	s.temporal.status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	decision.By = ""
	require.ErrorIs(t, reopen(), training.ErrDecision)
	require.Equal(t, training.EnrollmentExpiredInReview, s.state(key))
	decision.By = "m.keller"
	require.NoError(t, reopen())
	require.ErrorIs(t, reopen(), ErrNotReplayable)

	s.temporal.refuses = func(workflows.EnrollmentInput) error { return serviceerror.NewUnavailable("away") }
	require.Error(t, s.startEnrollments(t.Context()))
	require.NoError(t, s.sweepStaleEnrollments(t.Context()))
	require.Equal(t, training.EnrollmentQueued, s.state(key))
	s.temporal.refuses = nil
	require.NoError(t, s.startEnrollments(t.Context()))
	require.Equal(t, training.EnrollmentRunning, s.state(key))
	require.Equal(t, []enumspb.WorkflowIdReusePolicy{
		enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}, s.temporal.reuse)
}
