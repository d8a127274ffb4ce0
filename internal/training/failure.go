package training

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// FailureClass is a kind of problem. It is stable: it names the error type in Temporal, the
// label of a metric and the reason in the journal.
type FailureClass string

// The classes. Transient says which ones a retry can mend.
const (
	FailureUnreachable       FailureClass = "unreachable"         // no connection, no answer, 5xx
	FailureRateLimited       FailureClass = "rate_limited"        // 429
	FailureCredentials       FailureClass = "credentials"         // 401 after a fresh token, or 403
	FailureUnverified        FailureClass = "unverified"          // written, but the read-back could not be made
	FailureRefused           FailureClass = "refused"             // 400, 404 on the path, 406, 415, 422
	FailureMisread           FailureClass = "misread"             // an answer that is not what the contract says
	FailureIncomplete        FailureClass = "incomplete"          // the event lacks what the record needs
	FailureEmployeeUnknown   FailureClass = "employee_unknown"    // no such employee in the QMS
	FailureEmployeeMismatch  FailureClass = "employee_mismatch"   // the record belongs to somebody else
	FailureTrainingMismatch  FailureClass = "training_mismatch"   // the record that was chosen is another training's
	FailureCourseUnmapped    FailureClass = "course_unmapped"     // no training in the QMS for this course
	FailureRecordMissing     FailureClass = "record_missing"      // no open training record
	FailureRecordAmbiguous   FailureClass = "record_ambiguous"    // more than one open training record
	FailureCompletedElse     FailureClass = "completed_elsewhere" // COMPLETED, but not by us
	FailureRecordExpired     FailureClass = "record_expired"
	FailureRecordCancelled   FailureClass = "record_cancelled"
	FailureNotPassed         FailureClass = "not_passed"             // finished, but failed
	FailureApprovalNeeded    FailureClass = "approval_needed"        // silent: the workflow wants an approval
	FailureApprovalForbidden FailureClass = "approval_forbidden"     // the service account may not approve
	FailureRecordLocked      FailureClass = "record_locked"          // silent: locked for editing
	FailureUpdatesOff        FailureClass = "external_updates_off"   // silent: switched off in the QMS
	FailureUnchanged         FailureClass = "unchanged"              // silent: 200, and no reason to be found
	FailureOtherContent      FailureClass = "other_content"          // changed, but not to what we wrote
	FailureSignatureNeeded   FailureClass = "signature_needed"       // only the trainee's own signature completes it
	FailureSignedBefore      FailureClass = "signed_before"          // signed, but before the course was finished
	FailureTrainingClosed    FailureClass = "training_closed"        // the training takes no trainees and no signatures
	FailureEnrollForbidden   FailureClass = "enrollment_forbidden"   // the service account may not enroll in this training
	FailureEvidence          FailureClass = "evidence_impossible"    // the report cannot be drawn
	FailureCertificate       FailureClass = "certificate_impossible" // the document cannot be drawn
	FailureStatementRefused  FailureClass = "statement_refused"      // the LRS says the statement is wrong
	FailureStatementConflict FailureClass = "statement_conflict"     // the LRS holds another statement under our id
	FailureTenantUnknown     FailureClass = "tenant_unknown"         // not in this worker's settings
	FailureEnrollmentsOff    FailureClass = "enrollments_off"        // the settings have come to ignore enrollments
	FailureHeld              FailureClass = "held"                   // not asked: the QMS is held or paused
	FailureLMSUnreachable    FailureClass = "lms_unreachable"        // looking up: no answer, 5xx
	FailureLMSRateLimited    FailureClass = "lms_rate_limited"       // looking up: 429, or our budget of calls is used up
	FailureLMSCredentials    FailureClass = "lms_credentials"        // looking up: 401 or 403
	FailureLMSRefused        FailureClass = "lms_refused"            // looking up: 400, 404 on the path, 422
	FailureLMSMisread        FailureClass = "lms_misread"            // looking up: an answer that is not the LMS's
	FailureDefect            FailureClass = "defect"                 // ours
)

// Failure is a classified problem. It is an error; its text holds no personal data and no
// secret, because it enters logs and Temporal.
type Failure struct {
	Class FailureClass `json:"class"`
	// Operation says what was being done, e.g. "complete record".
	Operation string `json:"operation"`
	// Key says to what: a record id, a path; never a person.
	Key string `json:"key,omitempty"`
	// Detail is what the other side said in its own stable words, e.g. "409 ALREADY_PENDING".
	Detail string `json:"detail,omitempty"`
	// Target is TargetQMS where it was the QMS that failed as an outage would, "" for everything else.
	Target string `json:"target,omitempty"`
	// RetryAfter is how long the other side asked to be left alone, 0 when it did not.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Attempts are the attempts that led here, oldest first, as far as they are known.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Awaited says that what is missing is expected to come by itself: it is tried again, though retries
	// do not mend its class.
	Awaited bool `json:"awaited,omitempty"`
	// Err is the cause; it stays in this process.
	Err error `json:"-"`
}

// Attempt is one attempt that failed: when it ended, how, and what the other side said.
type Attempt struct {
	At     time.Time    `json:"at"`
	Class  FailureClass `json:"class"`
	Detail string       `json:"detail,omitempty"`
}

// Retryable reports whether the schedule's next attempt may succeed.
func (f *Failure) Retryable() bool { return f.Class.Transient() || f.Awaited }

func (f *Failure) Error() string {
	text := string(f.Class) + ": " + f.Operation
	if f.Key != "" {
		text += " " + f.Key
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

func (f *Failure) Unwrap() error { return f.Err }

// Transient reports whether the same attempt may succeed later without anybody doing anything.
func (c FailureClass) Transient() bool {
	switch c {
	case FailureUnreachable, FailureRateLimited, FailureCredentials, FailureUnverified, FailureMisread,
		FailureHeld,
		FailureTenantUnknown, FailureEnrollmentsOff, // workers are given new settings one after the other
		FailureLMSUnreachable, FailureLMSRateLimited, FailureLMSCredentials, FailureLMSMisread:
		return true
	default:
		return false
	}
}

// Explanation is a failure in three sentences for a training admin: what happened, what it
// means for this record, what to do now.
type Explanation struct {
	Happened string `json:"happened"`
	Means    string `json:"means"`
	Do       string `json:"do"`
}

const (
	notChanged   = "The training record has not been changed."
	mayBeChanged = "The training record may or may not have been changed; it is read again before anything is written."
	chooseRetry  = "Then choose retry."
	isDone       = "The training record is COMPLETED and verified; only this document is missing."
)

var explanations = map[FailureClass]Explanation{
	FailureUnreachable: {"The other system did not answer, or answered that it is broken.", mayBeChanged,
		"Ask its administrator whether it is up. " + chooseRetry},
	FailureRateLimited: {"The other system refused because it had too many requests.", notChanged,
		"Wait until its budget is free again, or have it raised. " + chooseRetry},
	FailureCredentials: {"The QMS refused our service account: the token or one of its permissions is missing.", notChanged,
		"Have the permissions of the service account checked, for Arena's contract training.records.write, training.status.update and user.read. " + chooseRetry},
	FailureUnverified: {"The QMS took the completion, but the record could not be read back.", mayBeChanged,
		"Ask the QMS administrator whether it is up. " + chooseRetry},
	FailureRefused: {"The other system refused the request as wrong.", notChanged,
		"Compare the address and the mapping in the settings with the other system's documentation, or close with a reason."},
	FailureMisread: {"The other system answered with something that cannot be understood.", mayBeChanged,
		"Check that the address leads to the real system and not to a login page or a proxy. If the failure says that the answer is larger than is read, " +
			"tell your support instead. " + chooseRetry},
	FailureIncomplete: {"The LMS's event lacks something that the QMS requires.", notChanged,
		"Correct the data in the LMS and send the completion again, or close with a reason."},
	FailureEmployeeUnknown: {"The QMS has no employee with this id.", notChanged,
		"Create the employee in the QMS and choose retry, or name another id with use_employee."},
	FailureEmployeeMismatch: {"The training record belongs to another employee.", notChanged,
		"Correct the link between enrollment and training record. " + chooseRetry},
	FailureTrainingMismatch: {"The training record that was chosen belongs to another training.", notChanged,
		"Choose a record of this course's training with use_record, or close with a reason."},
	FailureCourseUnmapped: {"No training in the QMS is mapped to this course.", notChanged,
		"Add the course to the tenant's courses. " + chooseRetry},
	FailureRecordMissing: {"The employee has no open training record for this course.", notChanged,
		"Assign the training in the QMS and choose retry, or name the record with use_record."},
	FailureRecordAmbiguous: {"The employee has more than one open training record for this course, and none is chosen by guessing.", notChanged,
		"Cancel the surplus records in the QMS and choose retry, or name the right one with use_record."},
	FailureCompletedElse: {"The training record is already COMPLETED, with another date or score than this completion.", "The training record keeps what it says; this completion is not recorded in it.",
		"Decide whether the record is right. If it is, close with a reason; if this is a repeated training, assign a new record and choose retry."},
	FailureRecordExpired: {"The training record is EXPIRED.", notChanged,
		"Assign a new training record and choose retry, or close with a reason."},
	FailureRecordCancelled: {"The training record is CANCELLED.", notChanged,
		"Assign a new training record and choose retry, or close with a reason."},
	FailureNotPassed: {"The learner finished the course but did not pass.", notChanged,
		"Wait for the learner's next attempt and close with a reason."},
	FailureApprovalNeeded: {"The QMS answered 200 but changed nothing, because the record's workflow requires an approval.", notChanged,
		"Submit it for approval with submit, or set approval for this course in the settings and choose retry."},
	FailureApprovalForbidden: {"The QMS does not let our service account carry over an approval.", "The training record is still PENDING_APPROVAL.",
		"Approve or reject the record in the QMS itself. " + chooseRetry},
	FailureRecordLocked: {"The QMS answered 200 but changed nothing, because the record is locked for editing.", notChanged,
		"Have the lock removed in the QMS. " + chooseRetry},
	FailureUpdatesOff: {"The QMS answered 200 but changed nothing, because external status updates are switched off.", notChanged,
		"Switch on \"Allow external status updates\" in the QMS's training configuration. " + chooseRetry},
	FailureUnchanged: {"The QMS answered 200 but changed nothing, and its configuration shows no reason.", notChanged,
		"Ask the QMS administrator to look at the record's workflow. " + chooseRetry},
	FailureOtherContent: {"The read-back shows another employee, date or score than was written.", "The training record has changed, but does not say what this completion says.",
		"Compare the record with this completion in the QMS; correct it there, or close with a reason."},
	FailureSignatureNeeded: {"The QMS completes this training by the trainee's own signature, which nobody else can give.", notChanged,
		"Have the trainee sign in the QMS. " + chooseRetry},
	FailureSignedBefore: {"The trainee signed this training in the QMS before the course was finished.", "The training record is signed, but for an earlier training, as far as can be seen; this completion is not recorded in it.",
		"Let the signature count with use_record, naming this record; or have the training opened to the trainee again in the QMS and choose retry."},
	FailureTrainingClosed: {"The training is closed in the QMS: nobody can be enrolled in it, and nobody can sign.", notChanged,
		"Open the training in the QMS, or map the course to another one. " + chooseRetry},
	FailureEnrollForbidden: {"The QMS does not let our service account enroll anybody in this training.", notChanged,
		"Make the service account the training's manager, or enroll the employee in the QMS. " + chooseRetry},
	FailureEvidence: {"The report that is kept with the training cannot be drawn for this learner.", notChanged,
		"Have the missing script added and choose retry, or go on without it with skip_evidence."},
	FailureCertificate: {"The certificate cannot be drawn for this learner.", isDone,
		"Have the missing script added and choose retry, or complete without it with skip_certificate."},
	FailureStatementRefused: {"The LRS refused the xAPI statement as wrong.", isDone,
		"Have the LRS's administrator look at its answer and choose retry, or complete without it with skip_statement."},
	FailureStatementConflict: {"The LRS already holds another statement under this completion's id.", isDone,
		"Have the LRS's administrator compare the two statements, or close with a reason."},
	FailureTenantUnknown: {"The worker that was to carry the completion has no settings for this tenant.", notChanged,
		"Have the tenants' file of all workers compared. " + chooseRetry},
	FailureEnrollmentsOff: {"The tenant's settings do not want enrollments any more.", "No training record has been created for it; the completion's record is searched for.",
		"Nothing has to be done. If the settings are wrong, correct them and choose retry."},
	FailureHeld: {"Nothing is asked of the QMS at the moment: it does not answer, its budget of calls is spent, or somebody has paused it.", mayBeChanged,
		"Nothing has to be done: it goes on by itself when the QMS answers or is resumed. To try all the same, choose retry."},
	FailureLMSUnreachable: {"The LMS did not answer when the rest of its event was looked up, or does not show the completion yet.", notChanged,
		"Ask the LMS administrator whether it is up. " + chooseRetry},
	FailureLMSRateLimited: {"The LMS's budget of calls is used up, so the rest of its event could not be looked up.", notChanged,
		"Wait until the next hour, or have per_hour of the source's api compared with what the LMS gives. " + chooseRetry},
	FailureLMSCredentials: {"The LMS refused our account when the rest of its event was looked up.", notChanged,
		"Have the credentials and permissions of the source's api renewed in the LMS and in the settings. " + chooseRetry},
	FailureLMSRefused: {"The LMS refused the question for the rest of its event as wrong.", notChanged,
		"Compare the address of the source's api with the LMS's documentation. " + chooseRetry},
	FailureLMSMisread: {"The LMS answered the question for the rest of its event with something that cannot be understood.", notChanged,
		"Check that the address of the source's api leads to the LMS and not to a login page or a proxy. If the failure says that the answer is larger than is read, " +
			"tell your support instead. " + chooseRetry},
	FailureDefect: {"Countersign met a situation it was not built for.", mayBeChanged,
		"Send the failure's text to support. " + chooseRetry},
}

// Explain gives the three sentences of a class. An unknown class reads as a defect, so that
// no failure is ever without words.
func (c FailureClass) Explain() Explanation {
	return cmp.Or(explanations[c], explanations[FailureDefect])
}

// FailureClasses are all classes, by name.
func FailureClasses() []FailureClass { return slices.Sorted(maps.Keys(explanations)) }

// Fail builds a failure.
func Fail(class FailureClass, operation, key, detail string) *Failure {
	return &Failure{Class: class, Operation: operation, Key: key, Detail: detail}
}

// FailWith builds a failure with a cause. The cause's text is not shown.
func FailWith(class FailureClass, operation, key string, err error) *Failure {
	return &Failure{Class: class, Operation: operation, Key: key, Err: fmt.Errorf("%s: %w", operation, err)}
}
