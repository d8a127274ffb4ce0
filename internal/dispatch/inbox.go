package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/client"
)

// Inbox reaches the AdminInbox workflows, and the completions that wait for a decision. A workflow cannot start the one
// it signals; this can.
type Inbox struct {
	Temporal  client.Client
	TaskQueue string
	// turns has a place for each Tell that may be under way, nil for any number.
	turns chan struct{}
}

// toldAtOnce is how many Tells of a process are under way at once. Temporal carries signals to one workflow out one after the other: of
// many that are sent at once most time out while they wait there, are tried again, and those that were given up are carried out all the same.
const toldAtOnce = 4

// turnPatience is how long a Tell waits for its turn. Who has waited for most of the time it was given would only
// begin what times out.
const turnPatience = 2 * time.Second

// NewInbox makes the Inbox of a process.
func NewInbox(temporal client.Client, taskQueue string) Inbox {
	return Inbox{Temporal: temporal, TaskQueue: taskQueue, turns: make(chan struct{}, toldAtOnce)}
}

// Tell signals the tenant's AdminInbox, starting it if there is none.
func (i Inbox) Tell(ctx context.Context, in workflows.TellAdmins) error {
	tenant := in.Tenant
	if i.turns != nil {
		patience, cancel := context.WithTimeout(ctx, turnPatience)
		defer cancel()
		select {
		case i.turns <- struct{}{}:
			defer func() { <-i.turns }()
		case <-patience.Done():
			return fmt.Errorf("tell admins of %s: wait for a turn: %w", tenant, patience.Err())
		}
	}
	_, err := i.Temporal.SignalWithStartWorkflow(ctx, workflows.InboxID(tenant), workflows.InboxSignal, in.Item,
		client.StartWorkflowOptions{
			TaskQueue:             i.TaskQueue,
			StaticSummary:         "What the training admins of " + tenant + " must hear of",
			TypedSearchAttributes: workflows.InboxAttributes(tenant),
		}, workflows.AdminInboxWorkflow, workflows.Inbox{Tenant: tenant})
	if err != nil {
		return fmt.Errorf("tell admins of %s: %w", tenant, err)
	}
	return nil
}

// announceAtOnce is how many deliveries are announced in one go.
const announceAtOnce = 100

// announce tells the admins of deliveries that could not be understood. A crash between the
// two steps tells twice; the inbox knows an item by its id.
func (d *Dispatcher) announce(ctx context.Context) error {
	deliveries, err := d.cfg.Journal.Unannounced(ctx, announceAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, delivery := range deliveries {
		err := d.inbox.Tell(ctx, workflows.TellAdmins{
			Tenant: delivery.Tenant,
			Item:   workflows.DeliveryItem(delivery.ID, delivery.Source, delivery.Reason, d.cfg.Policy(delivery.Tenant)),
		})
		if err == nil {
			err = d.cfg.Journal.Announced(ctx, delivery.Tenant, delivery.ID)
		}
		if errs = append(errs, err); away(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// Decide answers the review that a completion waits in. Only a retry is ours to say: everything else is for people.
func (i Inbox) Decide(ctx context.Context, f training.Fingerprint, d training.Decision) error {
	if err := i.Temporal.SignalWorkflow(ctx, workflows.CompletionID(f), "", workflows.ReviewSignal, d); err != nil {
		return fmt.Errorf("decide about completion %s: %w", f, err)
	}
	return nil
}
