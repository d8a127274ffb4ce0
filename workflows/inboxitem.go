package workflows

import (
	"time"

	"countersign/internal/training"
)

// InboxSignal brings an InboxItem to an AdminInbox, from a person or an older version; InboxBundleSignal brings a list of them, at most MaxBundle.
const (
	InboxSignal       = "item"
	InboxBundleSignal = "items"
)

// MaxBundle is how many items one signal brings at most: of brief ones some 100 kB, half a megabyte at the most, and Temporal takes 2 MB.
const MaxBundle = 200

// NoticeKind is what the training admins are asked.
type NoticeKind string

// The kinds. A review is the empty one, because it was the only one at first.
const (
	NoticeReview             NoticeKind = ""
	NoticeApproval           NoticeKind = "approval"
	NoticeApprovalReminder   NoticeKind = "approval_reminder"
	NoticeApprovalEscalation NoticeKind = "approval_escalation"
	NoticeReviewReminder     NoticeKind = "review_reminder"
	// NoticeSignatureReminder and NoticeSignatureEscalation say that a trainee has not signed yet. Nobody is
	// told before: it is the trainee who has to act.
	NoticeSignatureReminder   NoticeKind = "signature_reminder"
	NoticeSignatureEscalation NoticeKind = "signature_escalation"
	// NoticeOutage says that a target is held: nothing is asked of it until it answers or is resumed.
	NoticeOutage NoticeKind = "outage"
	// NoticeAllClear says that the cause of earlier notices is over.
	NoticeAllClear NoticeKind = "all_clear"
)

// known reports whether this version knows the kind.
func (k NoticeKind) known() bool {
	switch k {
	case NoticeReview, NoticeApproval, NoticeOutage, NoticeAllClear, NoticeReconciliation:
		return true
	}
	return k.reminds()
}

// reminds reports whether the kind is about something that has waited for a while already.
func (k NoticeKind) reminds() bool {
	switch k {
	case NoticeApprovalReminder, NoticeApprovalEscalation, NoticeReviewReminder, NoticeSignatureReminder, NoticeSignatureEscalation:
		return true
	}
	return false
}

// InboxItem is one thing the training admins must hear of: a completion that waits for a review or an
// approval, or a delivery that could not be understood.
type InboxItem struct {
	// ID makes an item that is signalled twice one item.
	ID string `json:"id"`
	// Fingerprint is "" for a delivery.
	Fingerprint training.Fingerprint `json:"fingerprint,omitempty"`
	// Delivery is "" for a completion.
	Delivery string     `json:"delivery,omitempty"`
	Kind     NoticeKind `json:"kind,omitempty"`
	// Cause is what several items have in common beside kind and class, e.g. "qms": an all-clear names
	// the cause that is over. "" for none.
	Cause    string `json:"cause,omitempty"`
	Course   string `json:"course,omitempty"`
	RecordID string `json:"recordId,omitempty"`
	// Class and Detail are "" for an approval: nothing has failed.
	Class  training.FailureClass `json:"class"`
	Detail string                `json:"detail,omitempty"`
	// Until is when the wait ends by itself, zero if it does not.
	Until time.Time `json:"until,omitzero"`
	// Count is how many completions an outage or an all-clear is about, 0 where that is not known.
	Count int `json:"count,omitempty"`
	// EndTold says that the inbox will hear when the item no longer waits.
	EndTold bool `json:"endTold,omitempty"`
	// Ended is the id of an item that no longer waits; such an item has no id of its own and is nothing to
	// tell. Expired says that nobody had decided about it.
	Ended   string `json:"ended,omitempty"`
	Expired bool   `json:"expired,omitempty"`
	// DigestEvery and DigestLongest are the tenant's policy as it is now; the latest counts.
	DigestEvery   time.Duration `json:"digestEvery,omitempty"`
	DigestLongest time.Duration `json:"digestLongest,omitempty"`
}

// Brief is the item with no longer texts than an inbox keeps.
func (item InboxItem) Brief() InboxItem {
	item.Course, item.Detail, item.RecordID = clip(item.Course, longestText), clip(item.Detail, longestText), clip(item.RecordID, longestText)
	return item
}

// What a failure is about, as InboxItem.Cause names it.
const (
	CauseQMS         = "qms"
	CauseLRS         = "lrs"
	CauseLMS         = "lms"
	CauseCertificate = "certificate"
	CauseJournal     = "journal"
	// CauseDelivery is a delivery that could not be understood.
	CauseDelivery = "delivery"
	// CauseEnrollment is an enrollment that has no training record.
	CauseEnrollment = "enrollment"
)

// EnrollmentLabel stands before the course in InboxItem.Course where the item is an enrollment.
const EnrollmentLabel = "an enrollment in "

// DeliveryItem is what the admins are told of a delivery that could not be understood (law 4).
func DeliveryItem(delivery, source, reason string, policy training.Policy) InboxItem {
	return InboxItem{
		DigestEvery: policy.DigestEvery, DigestLongest: policy.DigestLongest,
		ID: "delivery/" + delivery, Delivery: delivery, Course: "a delivery of source " + source,
		Class: training.FailureIncomplete, Detail: reason, Cause: CauseDelivery,
	}
}

// InboxGroup is the items of one cause: one kind, one failure class, and one thing that it is about.
type InboxGroup struct {
	Kind  NoticeKind            `json:"kind,omitempty"`
	Class training.FailureClass `json:"class"`
	Cause string                `json:"cause,omitempty"`
	// Count is how many items there are; of an all-clear, how many have been told since it began.
	Count int `json:"count"`
	// Examples are the first items, at most maxExamples.
	Examples []InboxItem `json:"examples"`
	// Of is the kind that an all-clear is about.
	Of NoticeKind `json:"of,omitempty"`
	// Waiting is how many of the cause wait in all, with those that were told before; 0 where not known.
	Waiting int `json:"waiting,omitempty"`
	// Since and Over are when a cause began and when it was over, of an all-clear.
	Since time.Time `json:"since,omitzero"`
	Over  time.Time `json:"over,omitzero"`
	// Expired counts those of an all-clear that nobody had decided about.
	Expired int `json:"expired,omitempty"`
}
