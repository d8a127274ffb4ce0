package activities

import (
	"countersign/internal/notify"
	"countersign/internal/training"
	"countersign/workflows"
)

// telling is how a kind of the inbox's is told.
type telling struct {
	kind notify.Kind
	// words are what an item says where its class alone would not do; the zero Explanation leaves it to the class.
	words func(workflows.InboxItem) training.Explanation
}

// tellingOf is the one place that knows the kinds. One that this worker does not know is a review: to be told in other words
// is better than not to be told.
func tellingOf(kind workflows.NoticeKind) telling {
	const unsigned = "The trainee is enrolled there; no certificate and no statement have been issued."
	const pending = "It is PENDING_APPROVAL in the QMS; no certificate and no statement have been issued."
	switch kind {
	case workflows.NoticeApproval:
		return telling{notify.KindApproval, always(training.Explanation{})}
	case workflows.NoticeApprovalReminder:
		return telling{notify.KindApprovalReminder, always(training.Explanation{
			Happened: "The training record still waits for an approval.", Means: pending,
			Do: "Approve or reject it, with a reason.",
		})}
	case workflows.NoticeApprovalEscalation:
		return telling{notify.KindApprovalEscalation, always(training.Explanation{
			Happened: "Nobody has approved or rejected the training record in time.", Means: pending,
			Do: "Approve or reject it, with a reason, or ask whoever has to. It is never approved by itself.",
		})}
	case workflows.NoticeSignatureReminder:
		return telling{notify.KindSignatureReminder, always(training.Explanation{
			Happened: "The trainee has not signed the training in the QMS yet.", Means: unsigned,
			Do: "Ask the trainee to sign in the QMS; it is noticed by itself.",
		})}
	case workflows.NoticeSignatureEscalation:
		return telling{notify.KindSignatureEscalation, always(training.Explanation{
			Happened: "The trainee has still not signed the training in the QMS.", Means: unsigned,
			Do: "See to it that the trainee signs, or close the completion with a reason. Nobody else can sign.",
		})}
	case workflows.NoticeReviewReminder:
		return telling{notify.KindReviewReminder, reviewReminder}
	case workflows.NoticeOutage:
		return telling{notify.KindOutage, outage}
	case workflows.NoticeAllClear:
		return telling{notify.KindClear, always(training.Explanation{})}
	case workflows.NoticeReconciliation:
		return telling{notify.KindReconciliation, always(training.Explanation{
			Happened: "The comparison of LMS, journal, QMS and LRS has found what does not agree.",
			Means:    "What was missing is on its way, once; the rest has changed no training record and waits for you in the report.",
			Do:       "Read the report: starter reconcile report -tenant TENANT -format html -o report.html.",
		})}
	default:
		return telling{notify.KindReview, review}
	}
}

// always says the same of every item.
func always(e training.Explanation) func(workflows.InboxItem) training.Explanation {
	return func(workflows.InboxItem) training.Explanation { return e }
}

// review leaves the words to the class, but for what is no completion.
func review(item workflows.InboxItem) training.Explanation {
	if item.Cause == workflows.CauseEnrollment {
		return item.Class.ExplainEnrollment()
	}
	return training.Explanation{}
}

func reviewReminder(item workflows.InboxItem) training.Explanation {
	e := item.Class.Explain()
	if item.Cause == workflows.CauseEnrollment {
		e = item.Class.ExplainEnrollment()
	}
	// The day and not the instant, so that a hundred reminders of one day are one group.
	e.Means += " Without a decision it ends as expired in review on " + item.Until.UTC().Format("2006-01-02") + "."
	return e
}
