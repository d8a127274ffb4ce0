// Package workflows holds Countersign's policies as Temporal workflows: one file per
// workflow, deterministic code only, no personal data. What they ask of the world is the
// Activities contract; package activities keeps it.
package workflows

import (
	"countersign/internal/training"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// TaskQueue is the task queue that starters send to and workers poll, unless configured otherwise.
const TaskQueue = "countersign"

// Registered names of the workflows. They are in recorded histories: never change one.
const (
	CompletionWorkflow = "Completion"
	AdminInboxWorkflow = "AdminInbox"
	OutageWorkflow     = "Outage"
	EnrollmentWorkflow = "Enrollment"
)

// CompletionID is the workflow id of a completion: its fingerprint (law 2).
func CompletionID(f training.Fingerprint) string { return string(f) }

// EnrollmentID is the workflow id of an enrollment.
func EnrollmentID(k training.EnrollmentKey) string { return "enrollment/" + string(k) }

// InboxID is the workflow id of a tenant's AdminInbox.
func InboxID(tenant string) string { return "inbox/" + tenant }

// OutageID is the workflow id of the Outage of a tenant's target.
func OutageID(tenant, target string) string { return "outage/" + tenant + "/" + target }

// Register registers every workflow, and every activity under the name the workflows call it by.
func Register(r worker.Registry, a Activities) {
	RegisterWorkflows(r)
	registerActivities(r, a)
	registerReconciler(r, a)
}

// RegisterActivities registers the activities alone, for a queue that has no workflows.
func RegisterActivities(r worker.ActivityRegistry, a Activities) { registerActivities(r, a) }

// RegisterWorkflows registers the workflows alone, as replay needs it.
func RegisterWorkflows(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Completion, workflow.RegisterOptions{Name: CompletionWorkflow})
	r.RegisterWorkflowWithOptions(WatchOutage, workflow.RegisterOptions{Name: OutageWorkflow})
	r.RegisterWorkflowWithOptions(Enrollment, workflow.RegisterOptions{Name: EnrollmentWorkflow})
	r.RegisterWorkflowWithOptions(AdminInbox, workflow.RegisterOptions{Name: AdminInboxWorkflow})
	r.RegisterWorkflowWithOptions(Reconciliation, workflow.RegisterOptions{Name: ReconciliationWorkflow})
	r.RegisterWorkflowWithOptions(ScheduledReconciliation, workflow.RegisterOptions{Name: ScheduledReconciliationWorkflow})
}
