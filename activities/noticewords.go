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
			Subject: about(example.Cause), Fingerprint: example.Fingerprint,
			CourseLabel: strings.TrimPrefix(example.Course, workflows.EnrollmentLabel), RecordID: example.RecordID, Target: target(example.Kind, example.Class, example.Cause),
			Class: example.Class, Detail: example.Detail, Count: 1, Waiting: group.Waiting, Explanation: tellingOf(example.Kind).words(example),
		})
	}
	if group.Kind == workflows.NoticeOutage { // told more than once, it is one outage still
		last := all[len(all)-1:]
		last[0].Count, last[0].Detail = group.Examples[len(group.Examples)-1].Count, ""
		return last
	}
	if more := group.Count - len(group.Examples); more > 0 {
		rest := notify.Item{Subject: about(group.Cause), Class: group.Class, Count: more, Waiting: group.Waiting, Target: target(group.Kind, group.Class, group.Cause)}
		if len(group.Examples) > 0 {
			rest.Explanation = tellingOf(group.Examples[0].Kind).words(group.Examples[0])
		}
		all = append(all, rest)
	}
	return all
}

// about is what a cause's items are.
func about(cause string) notify.Subject {
	switch cause {
	case workflows.CauseEnrollment:
		return notify.SubjectEnrollment
	case workflows.CauseDelivery:
		return notify.SubjectDelivery
	}
	return notify.SubjectCompletion
}

// waiters is what a cause's items are called, several of them.
func waiters(cause string) string {
	if cause == workflows.CauseEnrollment {
		return "enrollments"
	}
	return "completions"
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
		Subject: about(group.Cause), Class: group.Class, Count: max(group.Count, 1), Target: target(group.Of, group.Class, group.Cause),
		Explanation: training.Explanation{
			Happened: "Everything that you were told of this cause has been decided or has ended." + during,
			Means:    "None of these " + waiters(group.Cause) + " waits for you any more; the page of each says how it ended.",
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
