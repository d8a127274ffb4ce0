package workflows

import (
	"context"
	"fmt"
	"strings"
	"time"

	"countersign/internal/training"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Registered names of the workflows. They are in recorded histories: never change one.
const (
	ReconciliationWorkflow          = "Reconciliation"
	ScheduledReconciliationWorkflow = "ScheduledReconciliation"
)

// ReconciliationID is the workflow id of a tenant's reconciliation. There is one, so that two runs of a tenant
// exclude each other, whoever starts them.
func ReconciliationID(tenant string) string { return "reconciliation/" + tenant }

// NoticeReconciliation says that a reconciliation has found mismatches.
const NoticeReconciliation NoticeKind = "reconciliation"

// Reconciler is what reconciliation asks of the world. No argument or result holds personal data: pages, cursors
// and mismatches stay in the journal.
type Reconciler interface {
	// BeginReconciliation stores the run and says which parts it has.
	BeginReconciliation(ctx context.Context, in BeginReconciliation) (ReconciliationPlan, error)
	// ReconcilePart compares the next pages of a part, from where the journal says that it has come to.
	ReconcilePart(ctx context.Context, in ReconcilePart) (PartProgress, error)
	// GiveUpPart writes into the report that a part could not be compared.
	GiveUpPart(ctx context.Context, in GiveUpPart) error
	// EndReconciliation closes the run and counts what it has found.
	EndReconciliation(ctx context.Context, in EndReconciliation) (ReconciliationReport, error)
}

// ReconciliationInput starts a Reconciliation, and is the state it hands to its next run.
type ReconciliationInput struct {
	Tenant   string                  `json:"tenant"`
	Settings training.Reconciliation `json:"settings"`
	// From and To are the window of completion instants; zero means the settings' window until now.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Source is the only source to be compared, "" for all.
	Source string `json:"source,omitempty"`
	// Upload is the delivery that holds an uploaded file, "" for none.
	Upload string `json:"upload,omitempty"`
	// DryRun says that nothing is started.
	DryRun bool `json:"dryRun,omitempty"`
	// DigestEvery is what the AdminInbox is told.
	DigestEvery time.Duration `json:"digestEvery,omitempty"`

	// Run names the run in the journal; "" until it has begun.
	Run string `json:"run,omitempty"`
	// Parts are those that are left, the one under way first.
	Parts []string `json:"parts,omitempty"`
}

// BeginReconciliation is the input of the activity.
type BeginReconciliation struct {
	Tenant   string                  `json:"tenant"`
	Run      string                  `json:"run"`
	From     time.Time               `json:"from"`
	To       time.Time               `json:"to"`
	Source   string                  `json:"source,omitempty"`
	Upload   string                  `json:"upload,omitempty"`
	DryRun   bool                    `json:"dryRun,omitempty"`
	Settings training.Reconciliation `json:"settings"`
}

// ReconciliationPlan is what a run has to compare.
type ReconciliationPlan struct {
	Parts []string `json:"parts"`
}

// ReconcilePart is the input of the activity.
type ReconcilePart struct {
	Tenant   string                  `json:"tenant"`
	Run      string                  `json:"run"`
	Part     string                  `json:"part"`
	Settings training.Reconciliation `json:"settings"`
}

// PartProgress is how far a part has come.
type PartProgress struct {
	Done   bool `json:"done"`
	Looked int  `json:"looked"`
}

// GiveUpPart is the input of the activity.
type GiveUpPart struct {
	Tenant  string            `json:"tenant"`
	Run     string            `json:"run"`
	Part    string            `json:"part"`
	Failure *training.Failure `json:"failure"`
}

// EndReconciliation is the input of the activity.
type EndReconciliation struct {
	Tenant string `json:"tenant"`
	Run    string `json:"run"`
}

// ReconciliationReport is what a run has found, in numbers.
type ReconciliationReport struct {
	Run string `json:"run"`
	// Looked is how many rows, completions, links and records were looked at.
	Looked int `json:"looked"`
	// Mismatches are the numbers by kind; kinds without any are missing.
	Mismatches map[training.MismatchKind]int `json:"mismatches,omitempty"`
	// Started is how many completions were put on their way.
	Started int `json:"started"`
	// New is how many mismatches no earlier run has found.
	New int `json:"new"`
	// GivenUp are the parts that could not be compared.
	GivenUp []string `json:"givenUp,omitempty"`
	// Skipped says that nothing was compared, because another run was under way.
	Skipped bool `json:"skipped,omitempty"`
}

// Registered names of the activities. They are in recorded histories: never change one.
const (
	beginReconciliation = "BeginReconciliation"
	reconcilePart       = "ReconcilePart"
	giveUpPart          = "GiveUpPart"
	endReconciliation   = "EndReconciliation"
)

func registerReconciler(r worker.ActivityRegistry, a Reconciler) {
	for name, f := range map[string]any{
		beginReconciliation: a.BeginReconciliation,
		reconcilePart:       a.ReconcilePart,
		giveUpPart:          a.GiveUpPart,
		endReconciliation:   a.EndReconciliation,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}

const (
	// partTimeout is how long one activity may compare pages. It gives back control long before.
	partTimeout = 10 * time.Minute
	// partAttempts are made of a part that makes no headway, over more than an hour; then the report says
	// that it could not be compared, and the rest is.
	partAttempts = 10
)

// PartRetry is the schedule of a part's attempts.
func PartRetry() training.Retry {
	return training.Retry{Initial: 30 * time.Second, Coefficient: 2, Maximum: 15 * time.Minute, Attempts: partAttempts}
}

// ScheduledReconciliation is what the Temporal Schedule starts, daily or from the Web UI: the tenant's
// reconciliation, unless one is under way, e.g. on demand. A schedule gives each of its workflows an id of
// its own, so it is a child that has the id that excludes others.
func ScheduledReconciliation(ctx workflow.Context, in ReconciliationInput) (ReconciliationReport, error) {
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            ReconciliationID(in.Tenant),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		// What has been begun is finished, whatever becomes of this one.
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:         ReconciliationSummary(in.Tenant),
		TypedSearchAttributes: InboxAttributes(in.Tenant),
	})
	var report ReconciliationReport
	err := workflow.ExecuteChildWorkflow(child, ReconciliationWorkflow, in).Get(ctx, &report)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return ReconciliationReport{Skipped: true}, nil
	}
	return report, err
}

// ReconciliationSummary is the one line by which an operator knows a reconciliation in lists.
func ReconciliationSummary(tenant string) string {
	return "What the LMS, the journal and the QMS of " + tenant + " say, compared"
}

// Reconciliation compares what a tenant's LMS, journal, QMS and LRS say about the same completions (R143). What is
// missing in the QMS is put on its way by the activities, through the journal like any delivery; the rest goes to the
// report (R144), and one notice.
//
//	begin ─► each part, page by page ─► end, counted ─► one notice if anything does not agree
//	              └─ no headway for an hour: given up, the report says so, the next part goes on
//
// The journal knows how far each part has come, so a worker that is killed between two pages, and a run that
// is continued as new, go on where they were.
func Reconciliation(ctx workflow.Context, in ReconciliationInput) (ReconciliationReport, error) {
	if err := in.Settings.Validate(); err != nil {
		return ReconciliationReport{}, temporal.NewNonRetryableApplicationError("start "+err.Error(), string(training.FailureDefect), nil)
	}
	if in.Run == "" {
		if err := in.begin(ctx); err != nil {
			return ReconciliationReport{}, err
		}
	}
	for len(in.Parts) > 0 {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return ReconciliationReport{}, workflow.NewContinueAsNewError(ctx, ReconciliationWorkflow, in)
		}
		workflow.SetCurrentDetails(ctx, in.describe())
		if err := in.compare(ctx); err != nil {
			return ReconciliationReport{}, err
		}
	}
	var report ReconciliationReport
	if err := startUntilDone(ctx, endReconciliation, journalTimeout, EndReconciliation{in.Tenant, in.Run}).Get(ctx, &report); err != nil {
		return report, err
	}
	if err := in.tell(ctx, report); err != nil {
		return report, err
	}
	workflow.SetCurrentDetails(ctx, report.describe())
	return report, nil
}

// begin fixes the window and the run's name, and has the parts listed.
func (in *ReconciliationInput) begin(ctx workflow.Context) error {
	if in.To.IsZero() {
		in.To = workflow.Now(ctx).Add(-in.Settings.Settle).UTC()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-in.Settings.Window)
	}
	run := workflow.GetInfo(ctx).WorkflowExecution.RunID
	var plan ReconciliationPlan
	err := startUntilDone(ctx, beginReconciliation, journalTimeout, BeginReconciliation{
		Tenant: in.Tenant, Run: run, From: in.From, To: in.To, Source: in.Source, Upload: in.Upload, DryRun: in.DryRun, Settings: in.Settings,
	}).Get(ctx, &plan)
	in.Run, in.Parts = run, plan.Parts
	return err
}

// compare has the next pages of the first part compared, and removes the part once it is done or given up.
func (in *ReconciliationInput) compare(ctx workflow.Context) error {
	part, retry := in.Parts[0], PartRetry()
	comparing := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: partTimeout,
		HeartbeatTimeout:    heartbeatTimeout,
		Summary:             part,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: retry.Initial, BackoffCoefficient: retry.Coefficient,
			MaximumInterval: retry.Maximum, MaximumAttempts: int32(retry.Attempts),
		},
	})
	var progress PartProgress
	future := workflow.ExecuteActivity(comparing, reconcilePart, ReconcilePart{in.Tenant, in.Run, part, in.Settings})
	failure, err := failureOf(reconcilePart, future.Get(ctx, &progress))
	switch {
	case err != nil:
		return err
	case failure != nil:
		progress.Done = true
		if err := untilDone(ctx, giveUpPart, journalTimeout, GiveUpPart{in.Tenant, in.Run, part, failure}); err != nil {
			return err
		}
	}
	if progress.Done {
		in.Parts = in.Parts[1:]
	}
	return nil
}

// tell sends one item to the admins, if there is anything for them. What is carried over only they know.
func (in *ReconciliationInput) tell(ctx workflow.Context, report ReconciliationReport) error {
	if in.DryRun || report.Started == 0 && report.New == 0 && len(report.GivenUp) == 0 {
		return nil
	}
	return untilDone(ctx, tellAdmins, noticeTimeout, TellAdmins{Tenant: in.Tenant, Item: InboxItem{
		ID: "reconciliation/" + in.Run, Kind: NoticeReconciliation, Course: "reconciliation run " + in.Run,
		Detail: report.Words(), DigestEvery: in.DigestEvery,
	}})
}

// Words is the report in one line: "3 missing in the QMS (3 started), 1 different date".
func (r ReconciliationReport) Words() string {
	var parts []string
	for _, kind := range training.MismatchKinds() {
		n := r.Mismatches[kind]
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s", n, kind.Title())
		if kind == training.MismatchMissingInQMS && r.Started > 0 {
			text += fmt.Sprintf(" (%d started)", r.Started)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		parts = append(parts, "no mismatches")
	}
	if r.New > 0 {
		parts = append(parts, fmt.Sprintf("%d of them new", r.New))
	}
	for _, part := range r.GivenUp {
		parts = append(parts, part+" could not be compared")
	}
	return strings.Join(parts, ", ")
}

func (in *ReconciliationInput) describe() string {
	return fmt.Sprintf("Compares completions of %s to %s.\n\n- under way: `%s`\n- parts left: %d\n- report: `starter reconcile report -tenant %s -run %s`",
		in.From.Format(time.RFC3339), in.To.Format(time.RFC3339), escape(in.Parts[0]), len(in.Parts), in.Tenant, in.Run)
}

func (r ReconciliationReport) describe() string {
	return fmt.Sprintf("%s.\n\nLooked at: %d. Report: `starter reconcile report -run %s`", r.Words(), r.Looked, r.Run)
}
