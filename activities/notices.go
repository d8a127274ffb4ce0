package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/notify"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// TellAdmins brings an item to the tenant's AdminInbox (R133).
func (a *Activities) TellAdmins(ctx context.Context, in workflows.TellAdmins) error {
	return a.cfg.Inbox.Tell(ctx, in)
}

// SendNotice delivers what the AdminInbox has gathered. In quiet hours it says until when the inbox is to go
// on gathering. Once some channel may have taken the notice it waits for their end itself: the notice
// must stay the same.
func (a *Activities) SendNotice(ctx context.Context, in workflows.SendNotice) (workflows.NoticeSent, error) {
	tenant, ok := a.cfg.Tenant(in.Tenant)
	if !ok {
		return workflows.NoticeSent{}, fmt.Errorf("send notice %s: tenant is not in this worker's settings", in.ID)
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	defer heartbeat(ctx, nil)()
	now := time.Now()
	if next := tenant.Quiet.Next(now); next.After(now) {
		if in.Gather && activity.GetInfo(ctx).Attempt == 1 {
			return workflows.NoticeSent{Held: next}, nil
		}
		return workflows.NoticeSent{}, temporal.NewApplicationErrorWithOptions("quiet hours until "+next.Format(time.RFC3339), "quiet_hours",
			temporal.ApplicationErrorOptions{NextRetryDelay: next.Sub(now)})
	}
	notice := notify.Notice{
		ID: in.ID, Tenant: in.Tenant, TenantName: tenant.Name, Kind: tellingOf(in.Kind).kind,
		// Not the attempt's time: a resent mail must be the same mail.
		At: in.At, Personal: tenant.Personal,
	}
	if notice.At.IsZero() {
		notice.At = activity.GetInfo(ctx).ScheduledTime
	}
	for _, group := range in.Groups {
		notice.Failures = append(notice.Failures, items(group)...)
	}
	if err := a.nameLearners(ctx, tenant, &notice); err != nil {
		return workflows.NoticeSent{}, err
	}
	if len(notice.Failures) == 1 {
		notice.Link = tenant.NoticeLink(notice.Failures[0].Fingerprint)
	} else {
		notice.Link = tenant.NoticeLink("")
	}
	channel := tenant.Notices
	if (in.Kind == workflows.NoticeApprovalEscalation || in.Kind == workflows.NoticeSignatureEscalation) && tenant.Escalations != nil {
		channel = tenant.Escalations
	}
	err := channel.Send(ctx, notice)
	var unsent *notify.Unsent
	if errors.As(err, &unsent) && unsent.RetryAfter() > 0 {
		return workflows.NoticeSent{}, temporal.NewApplicationErrorWithOptions(err.Error(), "notice_unsent", temporal.ApplicationErrorOptions{NextRetryDelay: unsent.RetryAfter()})
	}
	return workflows.NoticeSent{}, err
}

// uncancelled is ctx without its cancellation, but with its deadline. An inbox that goes on in another run cancels what
// is under way and waits for its end; a mail half sent cannot be taken back, and would be sent again.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	whole := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(whole, deadline)
	}
	return whole, func() {}
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
		employee, err := employeeOf(ctx, a.cfg.Journal, tenant, notice.Tenant, c.Source, c.Learner)
		if err != nil {
			return err
		}
		notice.Failures[i].Learner = notify.Learner{ID: employee, Name: c.Learner.FullName()}
	}
	return nil
}
