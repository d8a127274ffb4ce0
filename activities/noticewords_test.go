package activities

import (
	"testing"
	"time"

	"countersign/internal/notify"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// sentNotice is a notice as the channels get it.
func sentNotice(t *testing.T, in workflows.SendNotice) notify.Notice {
	t.Helper()
	w := newWorld(t)
	in.Tenant, in.ID = "acme", "acme/run/1"
	_, none := run[workflows.NoticeSent](w, "SendNotice", in)
	require.Empty(t, none)
	require.Len(t, w.sent, 1)
	return w.sent[0]
}

func TestOutageSaysWhatIsHeldAndWhatToDo(t *testing.T) {
	item := workflows.InboxItem{ID: "o", Kind: workflows.NoticeOutage, Cause: workflows.CauseQMS, Class: training.FailureUnreachable, Detail: "unreachable 503", Count: 12}
	again := item
	again.Detail, again.Count = "unreachable timeout", 30
	notice := sentNotice(t, workflows.SendNotice{Kind: workflows.NoticeOutage, Groups: []workflows.InboxGroup{{
		Kind: workflows.NoticeOutage, Cause: workflows.CauseQMS, Count: 2, Examples: []workflows.InboxItem{item, again},
	}}})
	require.Equal(t, notify.KindOutage, notice.Kind)
	require.Len(t, notice.Failures, 1, "one outage, however often it was told of")
	require.Equal(t, "the QMS", notice.Failures[0].Target)
	require.Equal(t, 30, notice.Failures[0].Count)
	require.Equal(t, "Nothing is asked of the QMS for now: unreachable timeout.", notice.Failures[0].Explanation.Happened)
	require.NotEmpty(t, notice.Failures[0].Explanation.Do)
}

func TestAllClearSaysHowManyAndHowLong(t *testing.T) {
	since := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	outage := sentNotice(t, workflows.SendNotice{Kind: workflows.NoticeAllClear, Groups: []workflows.InboxGroup{{
		Kind: workflows.NoticeAllClear, Of: workflows.NoticeOutage, Cause: workflows.CauseLRS, Count: 1, Since: since, Over: since.Add(140 * time.Minute),
		Examples: []workflows.InboxItem{{Count: 4812, Detail: "a probe was answered"}},
	}}})
	require.Equal(t, notify.KindClear, outage.Kind)
	require.Equal(t, "the LRS", outage.Failures[0].Target)
	require.Empty(t, outage.Failures[0].Class)
	require.Equal(t, 4812, outage.Failures[0].Count)
	require.Equal(t, "What stood in the way is gone. It began at 2026-04-08 14:30 and was over at 2026-04-08 16:50 UTC, after 2 h 20 min. In short: a probe was answered.",
		outage.Failures[0].Explanation.Happened)

	reviews := sentNotice(t, workflows.SendNotice{Kind: workflows.NoticeAllClear, Groups: []workflows.InboxGroup{{
		Kind: workflows.NoticeAllClear, Class: training.FailureRecordMissing, Cause: workflows.CauseQMS, Count: 12, Since: since, Over: since.Add(72 * time.Hour), Expired: 3,
	}}})
	require.Equal(t, 12, reviews.Failures[0].Count)
	require.Contains(t, reviews.Failures[0].Explanation.Happened, "after 3 days")
	require.Contains(t, reviews.Failures[0].Explanation.Means, "Nobody had decided about 3 of them")
}

// Which system a failure was met at is said where a retry may mend it, and how many wait in all.
func TestDigestSaysWhichSystemAndHowManyWait_R133(t *testing.T) {
	notice := sentNotice(t, workflows.SendNotice{Groups: []workflows.InboxGroup{
		{Class: training.FailureUnreachable, Cause: workflows.CauseLRS, Count: 20, Waiting: 300, Examples: []workflows.InboxItem{
			{ID: "1", Class: training.FailureUnreachable, Cause: workflows.CauseLRS, Course: "C"}}},
		{Class: training.FailureRecordMissing, Cause: workflows.CauseQMS, Count: 1, Examples: []workflows.InboxItem{
			{ID: "2", Class: training.FailureRecordMissing, Cause: workflows.CauseQMS, Course: "C"}}},
	}})
	require.Len(t, notice.Failures, 3)
	for _, item := range notice.Failures[:2] {
		require.Equal(t, "the LRS", item.Target)
		require.Equal(t, 300, item.Waiting)
	}
	require.Equal(t, 19, notice.Failures[1].Count)
	require.Empty(t, notice.Failures[2].Target, "the class says it")
}

// The inbox goes on gathering in quiet hours, as long as nobody can have been told.
func TestQuietHoursAreAnsweredWhileNobodyIsTold_R133(t *testing.T) {
	w := newWorld(t)
	now := time.Now().UTC()
	w.tenant.Quiet = notify.Quiet{{From: now.Add(-time.Hour).Format("15:04"), To: now.Add(2 * time.Hour).Format("15:04"), Zone: "UTC"}}
	in := workflows.SendNotice{Tenant: "acme", ID: "acme/run/1", Gather: true, Groups: []workflows.InboxGroup{{
		Class: training.FailureUnreachable, Count: 1, Examples: []workflows.InboxItem{{ID: "1", Course: "C", Class: training.FailureUnreachable}},
	}}}
	sent, none := run[workflows.NoticeSent](w, "SendNotice", in)
	require.Empty(t, none)
	require.WithinDuration(t, now.Add(2*time.Hour), sent.Held, 2*time.Minute)
	require.Empty(t, w.sent)

	w.tenant.Quiet = nil
	in.At = now.Add(-time.Hour)
	sent, none = run[workflows.NoticeSent](w, "SendNotice", in)
	require.Empty(t, none)
	require.Zero(t, sent)
	require.Equal(t, in.At, w.sent[0].At, "a resent mail is the same mail")
}

// An enrollment is told as one, also by an item of an earlier version, and in words that it can be decided by.
func TestEnrollmentsAreToldAsEnrollments_R133(t *testing.T) {
	example := workflows.InboxItem{ID: "1", Cause: workflows.CauseEnrollment, Class: training.FailureEmployeeUnknown, Course: "an enrollment in GDPR-2026"}
	delivery := workflows.DeliveryItem("d-1", "lms", "userid: is missing", training.DefaultPolicy())
	notice := sentNotice(t, workflows.SendNotice{Groups: []workflows.InboxGroup{
		{Class: example.Class, Cause: example.Cause, Count: 3, Examples: []workflows.InboxItem{example}},
		{Class: delivery.Class, Cause: delivery.Cause, Count: 1, Examples: []workflows.InboxItem{delivery}},
	}})
	require.Len(t, notice.Failures, 3)
	for _, item := range notice.Failures[:2] {
		require.Equal(t, notify.SubjectEnrollment, item.Subject)
		require.NotContains(t, item.Explanation.Do, "use_employee")
		require.Contains(t, item.Explanation.Do, "choose retry")
	}
	require.Equal(t, "GDPR-2026", notice.Failures[0].CourseLabel)
	require.Equal(t, notify.SubjectDelivery, notice.Failures[2].Subject)

	example.Kind, example.Until = workflows.NoticeReviewReminder, time.Date(2026, 4, 22, 0, 0, 0, 0, time.UTC)
	reminder := sentNotice(t, workflows.SendNotice{Kind: example.Kind, Groups: []workflows.InboxGroup{
		{Kind: example.Kind, Class: example.Class, Cause: example.Cause, Count: 1, Examples: []workflows.InboxItem{example}},
	}})
	require.Contains(t, reminder.Failures[0].Explanation.Means, "expired in review on 2026-04-22")
	require.NotContains(t, reminder.Failures[0].Explanation.Do, "use_employee")

	over := sentNotice(t, workflows.SendNotice{Kind: workflows.NoticeAllClear, Groups: []workflows.InboxGroup{
		{Kind: workflows.NoticeAllClear, Class: example.Class, Cause: example.Cause, Count: 2},
	}})
	require.Equal(t, notify.SubjectEnrollment, over.Failures[0].Subject)
	require.Contains(t, over.Failures[0].Explanation.Means, "None of these enrollments")
}
