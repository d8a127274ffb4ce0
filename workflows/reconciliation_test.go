package workflows

import (
	"context"
	"slices"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// comparer is the Reconciler of a world: parts take as many calls as the test says.
type comparer struct {
	parts  []string
	calls  map[string]int
	fail   map[string]error
	begun  []BeginReconciliation
	order  []string
	gaveUp []GiveUpPart
	report ReconciliationReport
}

func (w *world) BeginReconciliation(_ context.Context, in BeginReconciliation) (ReconciliationPlan, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.compares.begun = append(w.compares.begun, in)
	return ReconciliationPlan{Parts: w.compares.parts}, nil
}

func (w *world) ReconcilePart(_ context.Context, in ReconcilePart) (PartProgress, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.compares.order = append(w.compares.order, in.Part)
	if err := w.compares.fail[in.Part]; err != nil {
		return PartProgress{}, err
	}
	w.compares.calls[in.Part]--
	return PartProgress{Done: w.compares.calls[in.Part] < 1}, nil
}

func (w *world) GiveUpPart(_ context.Context, in GiveUpPart) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.compares.gaveUp = append(w.compares.gaveUp, in)
	return nil
}

func (w *world) EndReconciliation(_ context.Context, in EndReconciliation) (ReconciliationReport, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	report := w.compares.report
	report.Run = in.Run
	for _, part := range w.compares.gaveUp {
		report.GivenUp = append(report.GivenUp, part.Part)
	}
	return report, nil
}

func reconciling(t *testing.T, c comparer) (*world, *testsuite.TestWorkflowEnvironment) {
	t.Helper()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	w := &world{compares: c}
	return w, environment(t, w)
}

func reconciliation() ReconciliationInput {
	return ReconciliationInput{Tenant: "acme", Settings: training.DefaultReconciliation()}
}

func TestReconciliationGoesThroughItsPartsAndTellsOnce_R143_R144(t *testing.T) {
	w, env := reconciling(t, comparer{
		parts: []string{"people", "lms/docebo", "journal"}, calls: map[string]int{"lms/docebo": 3},
		report: ReconciliationReport{Started: 2, New: 3, Mismatches: map[training.MismatchKind]int{
			training.MismatchMissingInQMS: 2, training.MismatchDifferentDate: 1,
		}},
	})
	env.ExecuteWorkflow(Reconciliation, reconciliation())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, []string{"people", "lms/docebo", "lms/docebo", "lms/docebo", "journal"}, w.compares.order)
	begun := w.compares.begun[0]
	require.Equal(t, 48*time.Hour, begun.To.Sub(begun.From), "the settings' window")
	require.WithinDuration(t, env.Now().Add(-15*time.Minute), begun.To, time.Minute, "what is fresher may be under way")
	told := w.heard()
	require.Len(t, told, 1)
	require.Equal(t, NoticeReconciliation, told[0].Item.Kind)
	require.Equal(t, "2 missing in the QMS (2 started), 1 different date, 3 of them new", told[0].Item.Detail)
	var report ReconciliationReport
	require.NoError(t, env.GetWorkflowResult(&report))
	require.Equal(t, 2, report.Started)
}

// What stands since long and is in every report is no news.
func TestReconciliationWithoutNewsTellsNobody(t *testing.T) {
	for name, c := range map[string]comparer{
		"all agree":      {},
		"only old ones":  {report: ReconciliationReport{Mismatches: map[training.MismatchKind]int{training.MismatchNoMapping: 4}}},
		"and in dry run": {report: ReconciliationReport{New: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			w, env := reconciling(t, c)
			in := reconciliation()
			in.DryRun = c.report.New > 0
			env.ExecuteWorkflow(Reconciliation, in)
			require.NoError(t, env.GetWorkflowError())
			require.Empty(t, w.heard())
		})
	}
}

// An LMS that is away for good keeps nothing else from being compared, and is not kept silent.
func TestPartThatMakesNoHeadwayIsGivenUpAndSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		err      error
		attempts int
	}{
		"away for long": {temporal.NewApplicationError("503", "unreachable", *training.Fail(training.FailureUnreachable, "list completions", "", "503")), partAttempts},
		"refused": {temporal.NewNonRetryableApplicationError("no", "refused", nil,
			*training.Fail(training.FailureRefused, "list completions", "", "403")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, env := reconciling(t, comparer{parts: []string{"lms/docebo", "journal"}, fail: map[string]error{"lms/docebo": tc.err}})
			env.ExecuteWorkflow(Reconciliation, reconciliation())
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, append(slices.Repeat([]string{"lms/docebo"}, tc.attempts), "journal"), w.compares.order)
			require.Equal(t, "lms/docebo", w.compares.gaveUp[0].Part)
			require.Contains(t, w.heard()[0].Item.Detail, "lms/docebo could not be compared")
		})
	}
}

// A long run hands itself on between two pages: name, window and the parts that are left, and nothing else.
func TestReconciliationContinuesAsNewBetweenPages(t *testing.T) {
	w, env := reconciling(t, comparer{parts: []string{"journal", "open"}, calls: map[string]int{"journal": 5}})
	env.SetContinueAsNewSuggested(true)
	env.ExecuteWorkflow(Reconciliation, reconciliation())
	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var handed ReconciliationInput
	require.NoError(t, dataConverter().FromPayloads(next.Input, &handed))
	require.Equal(t, []string{"journal", "open"}, handed.Parts)
	require.Equal(t, w.compares.begun[0].Run, handed.Run)
	require.Equal(t, w.compares.begun[0].To, handed.To)

	again, env := reconciling(t, comparer{})
	env.ExecuteWorkflow(Reconciliation, handed)
	require.NoError(t, env.GetWorkflowError())
	require.Empty(t, again.compares.begun, "it has begun")
	require.Equal(t, []string{"journal", "open"}, again.compares.order)
}

// One is under way that was asked for on demand: the scheduled one lets it be, and is no failure.
func TestScheduledReconciliationLeavesOneUnderWayAlone(t *testing.T) {
	away := temporal.NewApplicationError("503", "unreachable", *training.Fail(training.FailureUnreachable, "list completions", "", "503"))
	_, env := reconciling(t, comparer{parts: []string{"journal"}, fail: map[string]error{"journal": away}})
	var report ReconciliationReport
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		first := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: ReconciliationID("acme")})
		err := workflow.ExecuteChildWorkflow(first, ReconciliationWorkflow, reconciliation()).GetChildWorkflowExecution().Get(ctx, nil)
		if err == nil {
			report, err = ScheduledReconciliation(ctx, reconciliation())
		}
		return err
	})
	require.NoError(t, env.GetWorkflowError())
	require.True(t, report.Skipped)
}

func TestScheduledReconciliationIsTheTenantsOnlyOne(t *testing.T) {
	_, env := reconciling(t, comparer{report: ReconciliationReport{Looked: 7}})
	var id string
	env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		id = info.WorkflowExecution.ID
	})
	env.ExecuteWorkflow(ScheduledReconciliation, reconciliation())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, "reconciliation/acme", id)
}

func TestReconciliationRefusesRulesThatCompareNothing(t *testing.T) {
	_, env := reconciling(t, comparer{})
	env.ExecuteWorkflow(Reconciliation, ReconciliationInput{Tenant: "acme"})
	var failed *temporal.ApplicationError
	require.ErrorAs(t, env.GetWorkflowError(), &failed)
	require.True(t, failed.NonRetryable())
}
