package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Inbox is the input of an AdminInbox, and the state it hands to its next run.
type Inbox struct {
	Tenant        string        `json:"tenant"`
	DigestEvery   time.Duration `json:"digestEvery,omitempty"`
	DigestLongest time.Duration `json:"digestLongest,omitempty"`
	// Causes are what the inbox knows of, in order of arrival, at most maxCauses.
	Causes []InboxCause `json:"causes,omitempty"`
	// Sending are the notices under way: the next run sends them as they are, under the same ids.
	Sending []SendNotice `json:"sending,omitempty"`
	// Seen has the marks of the latest items, oldest first, at most maxSeen.
	Seen []string `json:"seen,omitempty"`
	// First is the run the inbox began with; with Sent it makes a notice's id.
	First string `json:"first,omitempty"`
	// Sent counts the notices.
	Sent int `json:"sent"`

	// Groups and QuietUntil are the state of an inbox that knew no causes.
	Groups     []InboxGroup `json:"groups,omitempty"`
	QuietUntil time.Time    `json:"quietUntil,omitzero"`

	// marks is Seen to look up in, once it was asked for.
	marks map[string]bool
	// bundled says that this run reads bundles: nothing that an older worker did is replayed from here on.
	bundled bool
}

// AdminInbox gathers what a tenant's training admins must hear of, one long-running workflow per tenant.
// The first item of a cause is told at once, what follows is gathered into digests at growing gaps:
// 5,000 failing completions are two notices, not 5,000. When everything that was told of a cause is
// over, that is said once.
//
//	new cause ─► told at once ─► gathers 20 min ─► digest ─► gathers 40 min ─► digest … at most 6 h
//	                                  └─ nothing came for as long again: the next one is told at once, and 20 min again
func AdminInbox(ctx workflow.Context, in Inbox) error {
	channel := workflow.GetSignalChannelWithOptions(ctx, InboxSignal, workflow.SignalChannelOptions{
		Description: "Something the training admins must hear of, said by hand, for example: " +
			`{"id": "maintenance-2026-04", "kind": "outage", "cause": "qms", "detail": "maintenance until 18:00"}`,
	})
	bundles := workflow.GetSignalChannelWithOptions(ctx, InboxBundleSignal, workflow.SignalChannelOptions{
		Description: "Such things as a list, sent by Countersign itself.",
	})
	if in.First == "" {
		in.First = workflow.GetInfo(ctx).WorkflowExecution.RunID
	}
	if !since(ctx, causesChange) {
		return earlierInbox(ctx, in, channel, bundles)
	}
	in.adopt()
	d := &distribution{Inbox: &in, channel: channel, bundles: bundleChannel{channel: bundles}}
	for i := range in.Sending {
		d.start(ctx, in.Sending[i])
	}
	for {
		now := workflow.Now(ctx)
		in.bundled = d.bundles.mayBeRead(ctx)
		d.drain(now)
		if in.bundled {
			d.drainBundles(now)
		}
		d.settle(ctx) // nothing is cancelled but by handOver
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return d.handOver(ctx)
		}
		for _, notice := range in.compose(now) {
			d.start(ctx, notice)
		}
		in.forget(now)
		workflow.SetCurrentDetails(ctx, in.describe())
		d.alarm.set(ctx, in.next())
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
}

// distribution is an Inbox at work: its signals, the notices under way, and its one timer.
type distribution struct {
	*Inbox
	channel workflow.ReceiveChannel
	bundles bundleChannel
	// underway belongs to Sending, one for one.
	underway []sendingNotice
	alarm    alarm
}

// wait returns when there is something to do. A bundle that may not be read is nothing: it was left by an older worker, and what that
// did then is replayed, not what is due meanwhile.
func (d *distribution) wait(ctx workflow.Context) error {
	woken := func() bool {
		return d.channel.Len() > 0 || d.ready() || d.alarm.rang() || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	}
	for {
		if err := workflow.Await(ctx, func() bool { return woken() || d.bundles.news() }); err != nil {
			return err
		}
		if woken() || d.bundles.mayBeRead(ctx) {
			return nil
		}
	}
}

type sendingNotice struct {
	future workflow.Future
	cancel workflow.CancelFunc
}

// drain takes every item that has arrived by itself.
func (d *distribution) drain(now time.Time) {
	for _, item := range arrived[InboxItem](d.channel) {
		d.take(item, now)
	}
}

// drainBundles takes every bundle that has arrived.
func (d *distribution) drainBundles(now time.Time) {
	for _, bundle := range arrived[[]InboxItem](d.bundles.channel) {
		for _, item := range bundle {
			d.take(item, now)
		}
	}
}

// arrived reads what a channel has. What cannot be decoded the SDK drops, and says so in the log.
func arrived[T any](channel workflow.ReceiveChannel) (all []T) {
	for n := channel.Len(); n > 0; n-- {
		var one T
		if channel.ReceiveAsync(&one) {
			all = append(all, one)
		}
	}
	return all
}

// start has a notice delivered. It is tried until it succeeds, and holds up no other: what is not
// delivered is not forgotten.
func (d *distribution) start(ctx workflow.Context, notice SendNotice) {
	ctx, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: noticeTimeout,
		HeartbeatTimeout:    heartbeatTimeout, // one that no worker got, the connection being cut, is not waited out
		// A notice is never under way twice, also when this run hands it to the next.
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
		Summary: clip(notice.describe(), 100),
	}))
	d.underway = append(d.underway, sendingNotice{workflow.ExecuteActivity(ctx, sendNotice, notice), cancel})
}

func (d *distribution) ready() bool {
	return slices.ContainsFunc(d.underway, func(s sendingNotice) bool { return s.future.IsReady() })
}

// settle takes what has become of the notices under way. It returns those that were cancelled before they
// were delivered.
func (d *distribution) settle(ctx workflow.Context) (unsent []SendNotice) {
	for i := 0; i < len(d.underway); {
		if !d.underway[i].future.IsReady() {
			i++
			continue
		}
		var sent NoticeSent
		err := d.underway[i].future.Get(ctx, &sent)
		d.underway[i].cancel()
		notice := d.Sending[i]
		d.underway = slices.Delete(d.underway, i, i+1)
		d.Sending = slices.Delete(d.Sending, i, i+1)
		now := workflow.Now(ctx)
		switch {
		case temporal.IsCanceledError(err):
			notice.Gather = false // some channel may have taken it: it stays as it is
			unsent = append(unsent, notice)
		case err != nil: // no error of SendNotice is final; should one be, it is not tried in a circle
			d.hold(notice, now.Add(time.Minute))
		case sent.Held.After(now):
			d.hold(notice, sent.Held)
		default:
			d.told(notice, now)
		}
	}
	return unsent
}

// handOver ends this run. A notice under way is ended first, delivered or not: the next run sends again
// what was not, and nothing that was.
func (d *distribution) handOver(ctx workflow.Context) error {
	for _, s := range d.underway {
		s.cancel()
	}
	err := workflow.Await(ctx, func() bool {
		return !slices.ContainsFunc(d.underway, func(s sendingNotice) bool { return !s.future.IsReady() })
	})
	if err != nil {
		return err
	}
	unsent := d.settle(ctx)
	d.drain(workflow.Now(ctx))
	d.drainBundles(workflow.Now(ctx)) // after the last step: no replay depends on it
	d.Sending = unsent
	return workflow.NewContinueAsNewError(ctx, AdminInboxWorkflow, *d.Inbox)
}

// alarm is one timer that is only set anew where it would ring too late: a signal that changes nothing
// costs no event.
type alarm struct {
	at     time.Time
	future workflow.Future
	cancel workflow.CancelFunc
}

// set makes the alarm ring at the given time at the latest; the zero time asks for nothing.
func (a *alarm) set(ctx workflow.Context, at time.Time) {
	if a.future != nil && a.future.IsReady() {
		a.cancel()
		a.future = nil
	}
	if at.IsZero() || a.future != nil && !at.Before(a.at) {
		return
	}
	if a.future != nil {
		a.cancel()
	}
	ctx, a.cancel = workflow.WithCancel(ctx)
	a.at = at
	a.future = workflow.NewTimerWithOptions(ctx, max(at.Sub(workflow.Now(ctx)), time.Millisecond), workflow.TimerOptions{
		Summary: fmt.Sprintf("gather until the next notice, at %s", clockTime(at)),
	})
}

func (a *alarm) rang() bool { return a.future != nil && a.future.IsReady() }
