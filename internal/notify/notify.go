// Package notify tells training administrators that completions wait for them (R133): the port
// (Channel), what is said (Notice and compose), and the ways: log, e-mail, Slack, Teams and a
// signed webhook. Fan sends over several of them, each once.
//
// A notice goes to people outside the tenant's QMS, over systems that keep copies. It names
// courses and records and leads to the console; which learner is meant it says as far as the
// tenant's policy allows (Personal), and never in a subject, a preview or the log.
//
// Whether a chat's answer means that somebody saw the message is UNKNOWN: Slack says "ok" once
// the message stands in the channel, a Teams workflow says 202 before it has tried.
package notify

import (
	"context"
	"errors"
	"time"

	"countersign/internal/training"
)

// Kind is what is asked of the administrators.
type Kind string

const (
	// KindReview: the completions need a decision, retry or close.
	KindReview Kind = "review"
	// KindApproval: the training records need an approval.
	KindApproval Kind = "approval"
	// KindApprovalReminder and KindApprovalEscalation: they still need it.
	KindApprovalReminder   Kind = "approval_reminder"
	KindApprovalEscalation Kind = "approval_escalation"
	// KindSignatureReminder and KindSignatureEscalation: trainees have not signed in the QMS.
	KindSignatureReminder   Kind = "signature_reminder"
	KindSignatureEscalation Kind = "signature_escalation"
	// KindReviewReminder: the completions still need a decision.
	KindReviewReminder Kind = "review_reminder"
	// KindOutage: another system is held; Item.Target names it. Nothing is asked of it for now.
	KindOutage Kind = "outage"
	// KindReconciliation: LMS, journal, QMS and LRS do not agree; an item is a run, and its Detail what it found.
	KindReconciliation Kind = "reconciliation"
	// KindClear: nothing is asked any more, the all-clear after failures of one cause.
	KindClear Kind = "clear"
)

// approval reports whether an approval is asked for.
func (k Kind) approval() bool {
	return k == KindApproval || k == KindApprovalReminder || k == KindApprovalEscalation
}

// signature reports whether a trainee's signature is missing.
func (k Kind) signature() bool { return k == KindSignatureReminder || k == KindSignatureEscalation }

// Notice is one message about one completion, or a digest of many.
type Notice struct {
	// ID makes a resend the same message. It is required, and is the same in every attempt.
	ID string
	// Tenant is the tenant's key, TenantName what people call it.
	Tenant     string
	TenantName string
	Kind       Kind
	// Failures are what it is about, at least one. Of KindClear they are what is over.
	Failures []Item
	// Courses is how many different courses Failures are about; 0 counts their labels, and says
	// nothing where an item has none.
	Courses int
	// Personal is what the notice may say of learners; "" is PersonalIDs.
	Personal Personal
	// Link leads to the waiting completions in the console; "" for none. No personal data.
	Link string
	// At is when the notice was raised, the same in every attempt.
	At time.Time
}

// Item is one waiting completion or other Subject, or Count like it.
type Item struct {
	// Subject is what waits.
	Subject Subject
	// Fingerprint is that of a completion, "" for another subject.
	Fingerprint training.Fingerprint
	// CourseLabel is what a person calls the course.
	CourseLabel string
	// Learner is who finished it; Notice.Personal decides what is shown of it.
	Learner Learner
	// RecordID is the training record, "" where none was found.
	RecordID string
	Class    training.FailureClass
	// Explanation is what the reader is told; the class's own when empty.
	Explanation training.Explanation
	// Detail is training.Failure.Detail, e.g. "503".
	Detail string
	// Count is how many completions the item stands for; 0 counts as 1. Of a system that is held or is asked
	// again, it is how many wait for it or go on, and 0 where that is not known.
	Count int
	// Target is the system that the item is about, e.g. "the QMS", "" where Class says enough. In an outage, and
	// without a Class in an all-clear, the item is about the system itself.
	Target string
	// Waiting is how many completions wait for the same cause in all, 0 where that is not known.
	Waiting int
}

// system reports whether an item is about a system that is held or is asked again, and not about completions.
func (i Item) system(kind Kind) bool {
	return kind == KindOutage || kind == KindClear && i.Class == "" && i.Target != ""
}

// count is how many completions an item stands for.
func (i Item) count(kind Kind) int {
	if i.system(kind) {
		return i.Count
	}
	return max(i.Count, 1)
}

// Channel carries notices to people. An implementation is safe for concurrent use.
type Channel interface {
	// Send returns nil once somebody was told, and an error when nobody was; then it may be
	// called again with the same notice.
	Send(ctx context.Context, n Notice) error
}

// All sends over several channels. Every one is tried; the errors are joined.
type All []Channel

// Send implements Channel. A resend after an error goes over all channels again; Fan remembers.
func (a All) Send(ctx context.Context, n Notice) error {
	var failed []error
	for _, channel := range a {
		failed = append(failed, channel.Send(ctx, n))
	}
	return errors.Join(failed...)
}

var errNothingToSay = errors.New("send notice: no id or no failures")

func (n Notice) validate() error {
	if n.ID == "" || len(n.Failures) == 0 {
		return errNothingToSay
	}
	return nil
}
