package workflows

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// world is an Activities whose steps succeed unless a test says otherwise, and which keeps
// what it was asked.
type world struct {
	// mu guards what a step that nobody waits for adds to, perhaps after the workflow's end.
	mu    sync.Mutex
	now   func() time.Time
	calls map[string][]time.Time

	lookup      func(attempt int) error
	resolve     func(attempt int) error
	check       func(attempt int) (RecordPlan, error)
	complete    func(attempt int) (VerifiedRecord, error)
	carry       func(in CarryDecision) (VerifiedRecord, error)
	certificate func(attempt int) (Issued, error)
	statement   func(attempt int) (Issued, error)
	outcomeErr  func(attempt int) error
	mailDown    func(attempt int) bool
	// quiet says until when a notice is held.
	quiet func(now time.Time) time.Time
	// undeliverable is a kind of notice that no channel takes.
	undeliverable NoticeKind
	read          func(n int) (Standing, error)
	enroll        func(n int) (RecordPlan, error)
	keep          func(n int, in KeepDocument) error
	sign          func(n int) (Signed, error)
	// fresh says of each look for a signature whether it was to take nothing from memory.
	fresh []bool
	// learner is who may not decide.
	learner string

	outcomes  []RecordOutcome
	kept      []KeepDocument
	waits     []RecordWait
	decisions []RecordDecision
	// earlier is how many decisions the journal has from runs that are lost.
	earlier int
	// verified says that the journal has the proof of a read-back.
	verified bool
	told     []TellAdmins
	notices  []SendNotice
	// noticeAlive is within what time a notice under way has to say so.
	noticeAlive time.Duration
	target      target
	// ends are the items of which the inbox was told that they no longer wait.
	ends []InboxItem

	// link is LinkEnrollment; nil finds TR-1. recorded is what became of the enrollment, woken how often completions were woken.
	link     func(attempt int) (LinkedEnrollment, error)
	recorded []RecordEnrollment
	woken    []WakeCompletions
	// again says of each attempt to link whether it came after a wait.
	again []bool
	// linked is the record that the journal knows of when a wait is recorded, onWait is called then.
	linked string
	onWait func()
	// onTold is called when the admins have been told, for one item at a time.
	telling sync.Mutex
	onTold  func(InboxItem)
	// compares is what reconciliations are given.
	compares comparer
}

func (w *world) call(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name] = append(w.calls[name], w.now())
	return len(w.calls[name])
}

// called is when a step was asked for, each time.
func (w *world) called(name string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls[name])
}

// heard is what the admins were told.
func (w *world) heard() []TellAdmins {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.told)
}

func (w *world) LookUp(context.Context, Ref) error {
	n := w.call(lookUp)
	if w.lookup != nil {
		return w.lookup(n)
	}
	return nil
}

func (w *world) ResolveLearner(context.Context, Ref) error {
	n := w.call(resolveLearner)
	if w.resolve != nil {
		return w.resolve(n)
	}
	return nil
}

func (w *world) CheckRecord(context.Context, CheckRecord) (RecordPlan, error) {
	n := w.call(checkRecord)
	if w.check != nil {
		return w.check(n)
	}
	return RecordPlan{RecordID: "TR-1", Status: training.RecordAssigned, Target: training.RecordCompleted}, nil
}

func (w *world) CompleteRecord(_ context.Context, in CompleteRecord) (VerifiedRecord, error) {
	n := w.call(completeRecord)
	if w.complete != nil {
		return w.complete(n)
	}
	return VerifiedRecord{RecordID: in.RecordID, Status: in.Target}, nil
}

func (w *world) CarryDecision(_ context.Context, in CarryDecision) (VerifiedRecord, error) {
	w.call(carryDecision)
	if w.carry != nil {
		return w.carry(in)
	}
	if in.Decision.Action == training.ActionReject {
		return VerifiedRecord{RecordID: in.RecordID, Status: training.RecordInProgress}, nil
	}
	return VerifiedRecord{RecordID: in.RecordID, Status: training.RecordCompleted}, nil
}

func (w *world) ReadRecord(context.Context, ReadRecord) (Standing, error) {
	n := w.call(readRecord)
	if w.read != nil {
		return w.read(n)
	}
	return Standing{Status: training.RecordPendingApproval}, nil
}

func (w *world) CheckApprover(_ context.Context, in CheckApprover) (Approver, error) {
	w.call(checkApprover)
	if in.By == w.learner {
		return Approver{Refused: "the learner must not decide"}, nil
	}
	return Approver{}, nil
}

func (w *world) EnrollTrainee(context.Context, CheckRecord) (RecordPlan, error) {
	n := w.call(enrollTrainee)
	if w.enroll != nil {
		return w.enroll(n)
	}
	return RecordPlan{RecordID: "TRP-1@5f1c0be49a7d2e63", Status: training.RecordAssigned, Target: training.RecordCompleted}, nil
}

func (w *world) KeepDocument(_ context.Context, in KeepDocument) (Issued, error) {
	n := w.call(keepDocument)
	if w.keep != nil {
		if err := w.keep(n, in); err != nil {
			return Issued{}, err
		}
	}
	w.kept = append(w.kept, in)
	return Issued{ID: string(in.Kind)}, nil
}

func (w *world) ReadSignature(_ context.Context, in ReadSignature) (Signed, error) {
	n := w.call(readSignature)
	w.fresh = append(w.fresh, in.Fresh)
	if w.sign != nil {
		return w.sign(n)
	}
	return Signed{Status: training.RecordAssigned}, nil
}

func (w *world) IssueCertificate(context.Context, Document) (Issued, error) {
	n := w.call(issueCertificate)
	if w.certificate != nil {
		return w.certificate(n)
	}
	return Issued{ID: "CS-1"}, nil
}

func (w *world) PostStatement(context.Context, Document) (Issued, error) {
	n := w.call(postStatement)
	if w.statement != nil {
		return w.statement(n)
	}
	return Issued{ID: "statement-1"}, nil
}

func (w *world) RecordOutcome(_ context.Context, in RecordOutcome) error {
	n := w.call(recordOutcome)
	if w.outcomeErr != nil {
		if err := w.outcomeErr(n); err != nil {
			return err
		}
	}
	w.outcomes = append(w.outcomes, in)
	return nil
}

func (w *world) RecordWait(_ context.Context, in RecordWait) (RecordedWait, error) {
	w.call(recordWait)
	w.waits = append(w.waits, in)
	if w.onWait != nil {
		w.onWait()
	}
	return RecordedWait{Decisions: w.earlier + len(w.decisions), Verified: w.verified, Linked: w.linked}, nil
}

func (w *world) RecordDecision(_ context.Context, in RecordDecision) error {
	w.call(recordDecision)
	w.decisions = append(w.decisions, in)
	return nil
}

func (w *world) TellAdmins(_ context.Context, in TellAdmins) error {
	if in.Item.Ended != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ends = append(w.ends, in.Item)
		return nil
	}
	w.call(tellAdmins)
	w.mu.Lock()
	w.told = append(w.told, in)
	w.mu.Unlock()
	w.telling.Lock() // two may be told at once
	defer w.telling.Unlock()
	if w.onTold != nil {
		w.onTold(in.Item)
	}
	return nil
}

func (w *world) SendNotice(ctx context.Context, in SendNotice) (NoticeSent, error) {
	n := w.call(sendNotice)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noticeAlive = activity.GetInfo(ctx).HeartbeatTimeout
	if w.mailDown != nil && w.mailDown(n) || w.undeliverable != "" && in.Kind == w.undeliverable {
		return NoticeSent{}, errNetwork
	}
	if w.quiet != nil && in.Gather {
		if until := w.quiet(w.now()); until.After(w.now()) {
			return NoticeSent{Held: until}, nil
		}
	}
	w.notices = append(w.notices, in)
	return NoticeSent{}, nil
}

// gaps are the waits between the calls of one step.
func (w *world) gaps(name string) []time.Duration {
	var gaps []time.Duration
	calls := w.called(name)
	for i := 1; i < len(calls); i++ {
		gaps = append(gaps, calls[i].Sub(calls[i-1]).Round(time.Second))
	}
	return gaps
}

// failing is the error an activity returns for a failure of the given class.
func failing(class training.FailureClass) error {
	return failureError(training.Fail(class, "test", "TR-1", "503"))
}

func failureError(f *training.Failure) error {
	return temporal.NewApplicationErrorWithOptions(f.Error(), string(f.Class), temporal.ApplicationErrorOptions{
		NonRetryable: !f.Retryable(), Details: []any{*f},
	})
}

// heldError is the error of a step whose target is held: no attempt, so Temporal must not repeat it.
func heldError(f *training.Failure) error {
	return temporal.NewApplicationErrorWithOptions(f.Error(), string(f.Class), temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{*f},
	})
}

// environment is a time-skipping Temporal with w as its world.
func environment(t *testing.T, w *world) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetStartTime(time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC))
	w.calls = map[string][]time.Time{}
	w.now = env.Now
	Register(registry{env}, w)
	return env
}

// registry lets the test environment take what Register gives a worker.
type registry struct {
	*testsuite.TestWorkflowEnvironment
}

func (registry) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}

func input() CompletionInput {
	return CompletionInput{
		Tenant: "acme", Source: "lms", Platform: "canonical", Course: "COMP-2026",
		Fingerprint: "b23771741a3446e135579f0eeca3a2d0f4052a4a570d3cf3949ca0c7e07cba75",
		Policy:      training.DefaultPolicy(), Steps: CurrentSteps,
	}
}

// carried runs the completion to its end and returns how it ended.
func carried(t *testing.T, env *testsuite.TestWorkflowEnvironment) CompletionResult {
	t.Helper()
	env.ExecuteWorkflow(CompletionWorkflow, input())
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var result CompletionResult
	require.NoError(t, env.GetWorkflowResult(&result))
	return result
}

func decision(action training.Action) training.Decision {
	return training.Decision{Action: action, By: "m.keller", Reason: "practical test seen"}
}

var errNetwork = errors.New("connection refused")

type workflowContinueAsNew = workflow.ContinueAsNewError

func dataConverter() converter.DataConverter { return converter.GetDefaultDataConverter() }

// details is what an operator reads about the workflow now.
func details(t *testing.T, env *testsuite.TestWorkflowEnvironment) string {
	t.Helper()
	value, err := env.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(t, value.Get(&metadata))
	return metadata.GetCurrentDetails()
}
