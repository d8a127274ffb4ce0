package workflows

import (
	"context"

	"countersign/internal/training"
)

// EnrollmentActivities is what the workflow Enrollment asks of the world beside what all ask. As there, no
// argument or result holds personal data.
type EnrollmentActivities interface {
	// LinkEnrollment finds the training record of an enrollment or creates it, reads it back and keeps the
	// link (R97, R98). It may run any number of times, at once with the completion too, and there is one record.
	LinkEnrollment(ctx context.Context, ref EnrollmentRef) (LinkedEnrollment, error)
	// RecordEnrollment writes to the journal where the enrollment stands, and what a person decided.
	RecordEnrollment(ctx context.Context, in RecordEnrollment) (RecordedWait, error)
	// WakeCompletions has the completions tried again that are in review because this enrollment's record
	// was missing.
	WakeCompletions(ctx context.Context, in WakeCompletions) error
}

// EnrollmentRef names an enrollment in the journal.
type EnrollmentRef struct {
	Tenant string                 `json:"tenant"`
	Key    training.EnrollmentKey `json:"key"`
	// Again is true after a wait that the journal shows as RETRYING: it must be told that work goes on.
	Again bool `json:"again,omitempty"`
	// Retry shapes the wait after a transient failure: jitter, and a Retry-After.
	Retry training.Retry `json:"retry"`
}

// LinkedEnrollment is the record that an enrollment leads to, as it was read.
type LinkedEnrollment struct {
	RecordID string                `json:"recordId"`
	Status   training.RecordStatus `json:"status"`
	// Created says that the record was not there before.
	Created bool `json:"created,omitempty"`
}

// RecordEnrollment is the input of the activity.
type RecordEnrollment struct {
	EnrollmentRef
	State    training.EnrollmentState `json:"state"`
	RecordID string                   `json:"recordId,omitempty"`
	Failure  *training.Failure        `json:"failure,omitempty"`
	// Decision is nil where the state is no person's doing. Round counts the decisions from 1.
	Decision *training.Decision `json:"decision,omitempty"`
	Round    int                `json:"round,omitempty"`
	Via      string             `json:"via,omitempty"`
}

// WakeCompletions is the input of the activity.
type WakeCompletions struct {
	EnrollmentRef
	RecordID string `json:"recordId"`
}
