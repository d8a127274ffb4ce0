package activities

import (
	"context"
	"fmt"

	"countersign/internal/notify"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
)

// TellAdmins brings an item to the tenant's AdminInbox (R133).
func (a *Activities) TellAdmins(ctx context.Context, in workflows.TellAdmins) error {
	return a.cfg.Inbox.Tell(ctx, in)
}

// SendNotice delivers what the AdminInbox has gathered.
func (a *Activities) SendNotice(ctx context.Context, in workflows.SendNotice) error {
	tenant, ok := a.cfg.Tenant(in.Tenant)
	if !ok {
		return fmt.Errorf("send notice %s: tenant is not in this worker's settings", in.ID)
	}
	notice := notify.Notice{
		ID: in.ID, Tenant: in.Tenant, TenantName: tenant.Name, Kind: notify.KindReview,
		// Not the attempt's time: a resent mail must be the same mail.
		At: activity.GetInfo(ctx).ScheduledTime,
	}
	for _, group := range in.Groups {
		notice.Failures = append(notice.Failures, items(group)...)
	}
	if len(notice.Failures) == 1 {
		notice.Link = tenant.NoticeLink(notice.Failures[0].Fingerprint)
	} else {
		notice.Link = tenant.NoticeLink("")
	}
	return tenant.Notices.Send(ctx, notice)
}

// items are a group's examples, and one more item for all that are not shown.
func items(group workflows.InboxGroup) []notify.Item {
	var all []notify.Item
	for _, example := range group.Examples {
		all = append(all, notify.Item{
			Fingerprint: example.Fingerprint, CourseLabel: example.Course, RecordID: example.RecordID,
			Class: example.Class, Detail: example.Detail, Count: 1,
		})
	}
	if more := group.Count - len(group.Examples); more > 0 {
		all = append(all, notify.Item{Class: group.Class, Count: more})
	}
	return all
}
