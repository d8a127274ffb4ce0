package activities

import (
	"fmt"
	"strings"
	"time"

	"countersign/internal/notify"
	"countersign/internal/training"
	"countersign/workflows"
)

// items are a group's examples, and one more item for all that are not shown.
func items(group workflows.InboxGroup) []notify.Item {
	if group.Kind == workflows.NoticeAllClear {
		return []notify.Item{over(group)}
	}
	var all []notify.Item
	for _, example := range group.Examples {
		all = append(all, notify.Item{
			Fingerprint: example.Fingerprint, CourseLabel: example.Course, RecordID: example.RecordID, Target: target(example.Kind, example.Class, example.Cause),
			Class: example.Class, Detail: example.Detail, Count: 1, Waiting: group.Waiting, Explanation: explanation(example),
		})
	}
	if group.Kind == workflows.NoticeOutage { // told more than once, it is one outage still
		last := all[len(all)-1:]
		last[0].Count, last[0].Detail = group.Examples[len(group.Examples)-1].Count, ""
		return last
	}
	if more := group.Count - len(group.Examples); more > 0 {
		rest := notify.Item{Class: group.Class, Count: more, Waiting: group.Waiting, Target: target(group.Kind, group.Class, group.Cause)}
		if len(group.Examples) > 0 {
			rest.Explanation = explanation(group.Examples[0])
		}
		all = append(all, rest)
	}
	return all
}

// target names what an outage is of, or what a failure that a retry may mend was met at; "" where the class
// says enough.
func target(kind workflows.NoticeKind, class training.FailureClass, cause string) string {
	if kind != workflows.NoticeOutage && !class.Transient() {
		return ""
	}
	switch cause {
	case workflows.CauseQMS:
		return "the QMS"
	case workflows.CauseLRS:
		return "the LRS"
	case workflows.CauseJournal:
		return "the journal"
	case workflows.CauseCertificate, workflows.CauseDelivery, workflows.CauseEnrollment, workflows.CauseLMS:
		return ""
	}
	return cause
}

// over is the all-clear of a cause: of an outage, or of everything that was told of a failure.
func over(group workflows.InboxGroup) notify.Item {
	during := ""
	if !group.Since.IsZero() && !group.Over.Before(group.Since) {
		const instant = "2006-01-02 15:04"
		during = fmt.Sprintf(" It began at %s and was over at %s UTC, after %s.",
			group.Since.UTC().Format(instant), group.Over.UTC().Format(instant), spoken(group.Over.Sub(group.Since)))
	}
	if group.Of == workflows.NoticeOutage {
		item := notify.Item{Target: target(group.Of, "", group.Cause), Explanation: training.Explanation{
			Happened: "What stood in the way is gone." + during,
			Means:    "What waited for it goes on by itself; a training record counts as COMPLETED only after it was read back.",
			Do:       "Nothing. What needs a decision all the same is told by itself.",
		}}
		if len(group.Examples) > 0 {
			item.Count = group.Examples[0].Count
			item.Detail = group.Examples[0].Detail
		}
		if item.Detail != "" {
			item.Explanation.Happened += " In short: " + item.Detail + "."
			item.Detail = ""
		}
		return item
	}
	item := notify.Item{
		Class: group.Class, Count: max(group.Count, 1), Target: target(group.Of, group.Class, group.Cause),
		Explanation: training.Explanation{
			Happened: "Everything that you were told of this cause has been decided or has ended." + during,
			Means:    "None of these completions waits for you any more; the page of each says how it ended.",
			Do:       "Nothing.",
		},
	}
	if group.Expired > 0 {
		item.Explanation.Means += fmt.Sprintf(" Nobody had decided about %d of them: expired in review.", group.Expired)
		item.Explanation.Do = "Have those started again that expired and should be in the QMS."
	}
	return item
}

// outage is what is said of a target that is held.
func outage(item workflows.InboxItem) training.Explanation {
	why := item.Detail
	if why == "" {
		why = strings.ReplaceAll(string(item.Class), "_", " ")
	}
	if why != "" {
		why = ": " + why
	}
	return training.Explanation{
		Happened: "Nothing is asked of " + target(item.Kind, item.Class, item.Cause) + " for now" + why + ".",
		Means:    "Completions are received as ever and wait for it; none of them is lost.",
		Do:       "Ask its administrator whether it is up, or resume it if somebody has paused it. You will be told when it is over.",
	}
}

// spoken is a time span for people: "2 h 20 min".
func spoken(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	switch {
	case minutes < 1:
		return "less than a minute"
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 48*60:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", minutes/60, minutes%60), " 0 min")
	}
	return fmt.Sprintf("%d days", minutes/60/24)
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
	case workflows.NoticeSignatureReminder:
		return notify.KindSignatureReminder
	case workflows.NoticeSignatureEscalation:
		return notify.KindSignatureEscalation
	case workflows.NoticeOutage:
		return notify.KindOutage
	case workflows.NoticeAllClear:
		return notify.KindClear
	case workflows.NoticeReconciliation:
		return notify.KindReconciliation
	default:
		return notify.KindReview
	}
}

// explanation is what an item says where its class alone would not do; the zero one else.
func explanation(item workflows.InboxItem) training.Explanation {
	const unsigned = "The trainee is enrolled there; no certificate and no statement have been issued."
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
	case workflows.NoticeSignatureReminder:
		return training.Explanation{
			Happened: "The trainee has not signed the training in the QMS yet.", Means: unsigned,
			Do: "Ask the trainee to sign in the QMS; it is noticed by itself.",
		}
	case workflows.NoticeSignatureEscalation:
		return training.Explanation{
			Happened: "The trainee has still not signed the training in the QMS.", Means: unsigned,
			Do: "See to it that the trainee signs, or close the completion with a reason. Nobody else can sign.",
		}
	case workflows.NoticeReviewReminder:
		e := item.Class.Explain()
		// The day and not the instant, so that a hundred reminders of one day are one group.
		e.Means += " Without a decision it ends as expired in review on " + item.Until.UTC().Format("2006-01-02") + "."
		return e
	case workflows.NoticeOutage:
		return outage(item)
	case workflows.NoticeReconciliation:
		return training.Explanation{
			Happened: "The comparison of LMS, journal and QMS has found what does not agree.",
			Means:    "What was missing is on its way, once; the rest has changed no training record and waits for you in the report.",
			Do:       "Read the report: starter reconcile report -tenant TENANT -format html -o report.html.",
		}
	}
	return training.Explanation{}
}
