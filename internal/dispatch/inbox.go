package dispatch

import (
	"context"
	"fmt"

	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/client"
)

// Inbox reaches the AdminInbox workflows, and the completions that wait for a decision. A workflow cannot start the one
// it signals; this can.
type Inbox struct {
	temporal  client.Client
	taskQueue string
	post      *post
}

// NewInbox makes the Inbox of a process.
func NewInbox(temporal client.Client, taskQueue string) Inbox {
	i := Inbox{temporal: temporal, taskQueue: taskQueue}
	i.post = newPost(i.carry)
	return i
}

// Tell signals the tenant's AdminInbox, starting it if there is none. What is told while another signal to the same inbox is
// under way goes together with the next one. An error, the end of ctx too, means that it may have been told all the
// same: it is to be told again, and an inbox knows an item by its id.
func (i Inbox) Tell(ctx context.Context, in workflows.TellAdmins) error {
	if err := i.post.send(ctx, in.Tenant, in.Item.Brief()); err != nil {
		return fmt.Errorf("tell admins of %s: %w", in.Tenant, err)
	}
	return nil
}

// carry brings items to the inbox. One is a bundle too: an inbox reads bundles in their order, but all items of the other signal
// before them, and the end of a wait would come before its beginning.
func (i Inbox) carry(ctx context.Context, tenant string, items []workflows.InboxItem) error {
	_, err := i.temporal.SignalWithStartWorkflow(ctx, workflows.InboxID(tenant), workflows.InboxBundleSignal, items, client.StartWorkflowOptions{
		TaskQueue:             i.taskQueue,
		StaticSummary:         "What the training admins of " + tenant + " must hear of",
		TypedSearchAttributes: workflows.InboxAttributes(tenant),
	}, workflows.AdminInboxWorkflow, workflows.Inbox{Tenant: tenant})
	return err
}

// Decide answers the review that a completion waits in. Only a retry is ours to say: everything else is for people.
func (i Inbox) Decide(ctx context.Context, f training.Fingerprint, d training.Decision) error {
	if err := i.temporal.SignalWorkflow(ctx, workflows.CompletionID(f), "", workflows.ReviewSignal, d); err != nil {
		return fmt.Errorf("decide about completion %s: %w", f, err)
	}
	return nil
}
