package activities

import (
	"context"
	"errors"
	"fmt"

	"countersign/internal/notify"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
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
		At: activity.GetInfo(ctx).ScheduledTime, Personal: tenant.Personal,
	}
	for _, group := range in.Groups {
		notice.Failures = append(notice.Failures, items(group)...)
	}
	if err := a.nameLearners(ctx, tenant, &notice); err != nil {
		return err
	}
	if len(notice.Failures) == 1 {
		notice.Link = tenant.NoticeLink(notice.Failures[0].Fingerprint)
	} else {
		notice.Link = tenant.NoticeLink("")
	}
	err := tenant.Notices.Send(ctx, notice)
	var unsent *notify.Unsent
	if errors.As(err, &unsent) && unsent.RetryAfter() > 0 {
		return temporal.NewApplicationErrorWithOptions(err.Error(), "notice_unsent", temporal.ApplicationErrorOptions{NextRetryDelay: unsent.RetryAfter()})
	}
	return err
}

// nameLearners puts in who finished, as far as the tenant's policy lets a notice say it. The workflow
// does not know it (law 7), so it is read here.
func (a *Activities) nameLearners(ctx context.Context, tenant Tenant, notice *notify.Notice) error {
	if notice.Personal == notify.PersonalNone {
		return nil
	}
	for i, item := range notice.Failures {
		if item.Fingerprint == "" {
			continue
		}
		stored, err := a.cfg.Journal.Completion(ctx, notice.Tenant, item.Fingerprint)
		if err != nil {
			return fmt.Errorf("send notice %s: %w", notice.ID, err)
		}
		c := stored.Completion
		notice.Failures[i].Learner = notify.Learner{ID: tenant.EmployeeID(c.Source, c.Learner), Name: c.Learner.FullName()}
	}
	return nil
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
