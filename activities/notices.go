package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/notify"
	"countersign/internal/training"
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
	now := time.Now()
	if next := tenant.Quiet.Next(now); next.After(now) {
		return temporal.NewApplicationErrorWithOptions("quiet hours until "+next.Format(time.RFC3339), "quiet_hours",
			temporal.ApplicationErrorOptions{NextRetryDelay: next.Sub(now)})
	}
	notice := notify.Notice{
		ID: in.ID, Tenant: in.Tenant, TenantName: tenant.Name, Kind: noticeKind(in.Kind),
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
	channel := tenant.Notices
	if in.Kind == workflows.NoticeApprovalEscalation && tenant.Escalations != nil {
		channel = tenant.Escalations
	}
	err := channel.Send(ctx, notice)
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
		if errors.Is(err, journal.ErrNotFound) {
			continue // lost with a restored journal: the notice is worth more than the name
		}
		if err != nil {
			return fmt.Errorf("send notice %s: %w", notice.ID, err)
		}
		c, err := enriched(stored)
		if err != nil {
			return fmt.Errorf("send notice %s: %w", notice.ID, err)
		}
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
			Class: example.Class, Detail: example.Detail, Count: 1, Explanation: explanation(example),
		})
	}
	if more := group.Count - len(group.Examples); more > 0 {
		rest := notify.Item{Class: group.Class, Count: more}
		if len(group.Examples) > 0 {
			rest.Explanation = explanation(group.Examples[0])
		}
		all = append(all, rest)
	}
	return all
}

// noticeKind is what is asked of the admins. A kind that this worker does not know is a review: to be
// told in other words is better than not to be told.
func noticeKind(kind workflows.NoticeKind) notify.Kind {
	switch kind {
	case workflows.NoticeApproval:
		return notify.KindApproval
	case workflows.NoticeApprovalReminder:
		return notify.KindApprovalReminder
	case workflows.NoticeApprovalEscalation:
		return notify.KindApprovalEscalation
	case workflows.NoticeReviewReminder:
		return notify.KindReviewReminder
	default:
		return notify.KindReview
	}
}

// explanation is what an item says where its class alone would not do; the zero one else.
func explanation(item workflows.InboxItem) training.Explanation {
	const pending = "It is PENDING_APPROVAL in the QMS; no certificate and no statement have been issued."
	switch item.Kind {
	case workflows.NoticeApprovalReminder:
		return training.Explanation{
			Happened: "The training record still waits for an approval.", Means: pending,
			Do: "Approve or reject it, with a reason.",
		}
	case workflows.NoticeApprovalEscalation:
		return training.Explanation{
			Happened: "Nobody has approved or rejected the training record in time.", Means: pending,
			Do: "Approve or reject it, with a reason, or ask whoever has to. It is never approved by itself.",
		}
	case workflows.NoticeReviewReminder:
		e := item.Class.Explain()
		// The day and not the instant, so that a hundred reminders of one day are one group.
		e.Means += " Without a decision it ends as expired in review on " + item.Until.UTC().Format("2006-01-02") + "."
		return e
	}
	return training.Explanation{}
}
