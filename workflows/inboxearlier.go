package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
)

// earlierInbox is the inbox as it was before it knew causes: for the histories of that time. One that is
// still running hands over as soon as it comes to something new.
func earlierInbox(ctx workflow.Context, in Inbox, channel, bundles workflow.ReceiveChannel) error {
	left := 0 // bundles that were there when it was last looked: a worker of that time left them
	for step := 1; ; step++ {
		// A name for each step, because a version is remembered: what is replayed was decided as it was then.
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() || since(ctx, fmt.Sprintf("%s/%d", causesChange, step)) {
			in.drainEarlier(channel)
			for _, bundle := range arrived[[]InboxItem](bundles) {
				in.addEarlier(bundle...)
			}
			return workflow.NewContinueAsNewError(ctx, AdminInboxWorkflow, in)
		}
		if len(in.Groups) == 0 {
			if err := workflow.Await(ctx, func() bool { return channel.Len() > 0 || bundles.Len() > left }); err != nil {
				return err
			}
			left = bundles.Len()
			in.drainEarlier(channel)
			continue
		}
		if quiet := in.QuietUntil.Sub(workflow.Now(ctx)); quiet > 0 {
			_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
				Timeout: quiet, TimerOptions: workflow.TimerOptions{Summary: "gather until the next digest"},
			}, func() bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() })
			if err != nil {
				return err
			}
			in.drainEarlier(channel)
			continue
		}
		if err := in.sendEarlier(ctx); err != nil {
			return err
		}
	}
}

func (in *Inbox) drainEarlier(channel workflow.ReceiveChannel) {
	in.addEarlier(arrived[InboxItem](channel)...)
}

func (in *Inbox) addEarlier(items ...InboxItem) {
	for _, item := range items {
		in.heed(item)
		if item.ID == "" || slices.Contains(in.Seen, item.ID) {
			continue
		}
		in.Seen = append(in.Seen, item.ID)
		in.Seen = in.Seen[max(0, len(in.Seen)-1000):]
		i := slices.IndexFunc(in.Groups, func(g InboxGroup) bool { return g.Kind == item.Kind && g.Class == item.Class })
		if i < 0 {
			in.Groups = append(in.Groups, InboxGroup{Kind: item.Kind, Class: item.Class})
			i = len(in.Groups) - 1
		}
		in.Groups[i].add(item)
	}
}

func (in *Inbox) sendEarlier(ctx workflow.Context) error {
	sending, cancel := workflow.WithCancel(ctx)
	defer cancel()
	kind := in.Groups[0].Kind
	others := func(g InboxGroup) bool { return g.Kind != kind }
	sent := startUntilDone(sending, sendNotice, noticeTimeout, SendNotice{
		Tenant: in.Tenant, ID: in.noticeID(in.Sent + 1), Kind: kind,
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

// adopt takes over what an inbox that knew no causes has gathered. A notice that it had under way had the
// id that comes next, so that one is left out. Its marks were the ids themselves.
func (in *Inbox) adopt() {
	for _, group := range in.Groups {
		cause := in.cause(group.key(), time.Time{})
		cause.Count, cause.Examples = group.Count, group.Examples
		cause.Unending = group.Count
		cause.Next = in.QuietUntil
	}
	for i, mark := range in.Seen {
		if strings.Contains(mark, "/") {
			in.Seen[i] = markOf(mark)
		}
	}
	if len(in.Groups) > 0 {
		in.Sent++
	}
	in.Groups, in.QuietUntil = nil, time.Time{}
}
