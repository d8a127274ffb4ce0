package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// InboxSignal brings an InboxItem to an AdminInbox.
const InboxSignal = "item"

// NoticeKind is what the training admins are asked.
type NoticeKind string

// The kinds. A review is the empty one, because it was the only one at first.
const (
	NoticeReview             NoticeKind = ""
	NoticeApproval           NoticeKind = "approval"
	NoticeApprovalReminder   NoticeKind = "approval_reminder"
	NoticeApprovalEscalation NoticeKind = "approval_escalation"
	NoticeReviewReminder     NoticeKind = "review_reminder"
	// NoticeOutage says that a target is held: nothing is asked of it until it answers or is resumed.
	NoticeOutage NoticeKind = "outage"
	// NoticeAllClear says that the cause of earlier notices is over.
	NoticeAllClear NoticeKind = "all_clear"
)

// InboxItem is one thing the training admins must hear of: a completion that waits for a review or an
// approval, or a delivery that could not be understood.
type InboxItem struct {
	// ID makes an item that is signalled twice one item.
	ID string `json:"id"`
	// Fingerprint is "" for a delivery.
	Fingerprint training.Fingerprint `json:"fingerprint,omitempty"`
	// Delivery is "" for a completion.
	Delivery string     `json:"delivery,omitempty"`
	Kind     NoticeKind `json:"kind,omitempty"`
	// Cause is what several items have in common beside kind and class, e.g. "qms": an all-clear names
	// the cause that is over. "" for none.
	Cause    string `json:"cause,omitempty"`
	Course   string `json:"course,omitempty"`
	RecordID string `json:"recordId,omitempty"`
	// Class and Detail are "" for an approval: nothing has failed.
	Class  training.FailureClass `json:"class"`
	Detail string                `json:"detail,omitempty"`
	// Until is when the wait ends by itself, zero if it does not.
	Until time.Time `json:"until,omitzero"`
	// DigestEvery is the tenant's policy as it is now; the latest counts.
	DigestEvery time.Duration `json:"digestEvery,omitempty"`
}

// DeliveryItem is what the admins are told of a delivery that could not be understood (law 4).
func DeliveryItem(delivery, source, reason string, policy training.Policy) InboxItem {
	return InboxItem{
		DigestEvery: policy.DigestEvery,
		ID:          "delivery/" + delivery, Delivery: delivery, Course: "a delivery of source " + source,
		Class: training.FailureIncomplete, Detail: reason,
	}
}

// InboxGroup is the items of one kind and one failure class.
type InboxGroup struct {
	Kind  NoticeKind            `json:"kind,omitempty"`
	Class training.FailureClass `json:"class"`
	Count int                   `json:"count"`
	// Examples are the first items, at most maxExamples.
	Examples []InboxItem `json:"examples"`
}

// Inbox is the input of an AdminInbox, and the state it hands to its next run.
type Inbox struct {
	Tenant      string        `json:"tenant"`
	DigestEvery time.Duration `json:"digestEvery,omitempty"`
	// Groups has what was gathered and not yet sent, in order of arrival.
	Groups []InboxGroup `json:"groups,omitempty"`
	// Seen has the ids of the latest items, oldest first, at most maxSeen.
	Seen []string `json:"seen,omitempty"`
	// First is the run the inbox began with; with Sent it makes a notice's id.
	First string `json:"first,omitempty"`
	// Sent counts the notices.
	Sent int `json:"sent"`
	// QuietUntil is when the next notice may go out.
	QuietUntil time.Time `json:"quietUntil"`
}

// The bounds of an inbox, so that an outage with 50,000 failures stays one small state.
const (
	maxExamples = 10
	maxSeen     = 1000
)

// AdminInbox gathers what a tenant's training admins must hear of, one long-running workflow
// per tenant. The first item is told at once, what follows is gathered into digests: 5,000
// failing completions are two notices, not 5,000.
func AdminInbox(ctx workflow.Context, in Inbox) error {
	channel := workflow.GetSignalChannelWithOptions(ctx, InboxSignal, workflow.SignalChannelOptions{
		Description: "Something the training admins must hear of. Sent by Countersign itself.",
	})
	if in.First == "" {
		in.First = workflow.GetInfo(ctx).WorkflowExecution.RunID
	}
	for {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			in.drain(channel)
			return workflow.NewContinueAsNewError(ctx, AdminInboxWorkflow, in)
		}
		workflow.SetCurrentDetails(ctx, in.describe())
		if len(in.Groups) == 0 {
			if err := workflow.Await(ctx, func() bool { return channel.Len() > 0 }); err != nil {
				return err
			}
			in.drain(channel)
			continue
		}
		if quiet := in.QuietUntil.Sub(workflow.Now(ctx)); quiet > 0 {
			_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
				Timeout: quiet, TimerOptions: workflow.TimerOptions{Summary: "gather until the next digest"},
			}, func() bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() })
			if err != nil {
				return err
			}
			in.drain(channel)
			continue
		}
		if err := in.send(ctx); err != nil {
			return err
		}
	}
}

// drain takes everything that has arrived.
func (in *Inbox) drain(channel workflow.ReceiveChannel) {
	for n := channel.Len(); n > 0; n-- {
		var item InboxItem
		if channel.ReceiveAsync(&item) {
			in.add(item)
		}
	}
}

func (in *Inbox) add(item InboxItem) {
	if item.DigestEvery > 0 {
		in.DigestEvery = item.DigestEvery
	}
	if item.ID == "" || slices.Contains(in.Seen, item.ID) {
		return
	}
	in.Seen = append(in.Seen, item.ID)
	if surplus := len(in.Seen) - maxSeen; surplus > 0 {
		in.Seen = slices.Delete(in.Seen, 0, surplus)
	}
	i := slices.IndexFunc(in.Groups, func(g InboxGroup) bool { return g.Kind == item.Kind && g.Class == item.Class })
	if i < 0 {
		in.Groups = append(in.Groups, InboxGroup{Kind: item.Kind, Class: item.Class})
		i = len(in.Groups) - 1
	}
	group := &in.Groups[i]
	group.Count++
	if len(group.Examples) < maxExamples {
		group.Examples = append(group.Examples, item)
	}
}

// send has the gathered items delivered, one notice for each kind, and begins to gather anew. It is tried until it
// succeeds: what is not delivered is not forgotten. A history that grows long meanwhile, because
// the mail server is away for days, is handed to the next run, which sends the same notice.
func (in *Inbox) send(ctx workflow.Context) error {
	sending, cancel := workflow.WithCancel(ctx)
	defer cancel()
	kind := in.Groups[0].Kind
	others := func(g InboxGroup) bool { return g.Kind != kind }
	sent := startUntilDone(sending, sendNotice, noticeTimeout, SendNotice{
		Tenant: in.Tenant, ID: fmt.Sprintf("%s/%s/%d", in.Tenant, in.First, in.Sent+1), Kind: kind,
		Groups: slices.DeleteFunc(slices.Clone(in.Groups), others),
	})
	err := workflow.Await(ctx, func() bool {
		return sent.IsReady() || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	})
	if err != nil || !sent.IsReady() {
		return err
	}
	if err := sent.Get(ctx, nil); err != nil {
		return err
	}
	in.Sent++
	in.Groups = slices.DeleteFunc(in.Groups, func(g InboxGroup) bool { return !others(g) })
	if len(in.Groups) == 0 {
		in.Groups = nil
		in.QuietUntil = workflow.Now(ctx).Add(in.DigestEvery)
	}
	return nil
}

func (in *Inbox) describe() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Notices sent: %d.", in.Sent)
	if len(in.Groups) > 0 {
		text.WriteString(" Waiting for the next one:\n")
	}
	for _, group := range in.Groups {
		fmt.Fprintf(&text, "\n- %d × %s", group.Count, strings.TrimSpace(string(group.Kind)+" "+string(group.Class)))
	}
	return text.String()
}
