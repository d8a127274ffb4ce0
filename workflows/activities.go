package workflows

import (
	"context"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
)

// Activities is everything the workflows ask of the world. The order is that of a completion.
//
// An error that carries a *training.Failure as its detail is a classified problem: a transient
// one is retried by the policy, any other goes to review. No argument or result holds personal
// data: an activity reads the completion itself from the journal by its Ref.
type Activities interface {
	// LookUp asks the LMS for what the event lacks and keeps it in the journal (R15). Read-only outside.
	LookUp(ctx context.Context, ref Ref) error
	// ResolveLearner checks that the learner is an employee the QMS knows (R114). Read-only.
	ResolveLearner(ctx context.Context, ref Ref) error
	// CheckRecord finds the training record and says which status a write must lead to
	// (R107, R108, R120). It changes no record; where the policy says so it creates the one
	// that is missing, and that can be repeated like a read (R98).
	CheckRecord(ctx context.Context, in CheckRecord) (RecordPlan, error)
	// CompleteRecord writes the record and reads it back; what it returns was read (law 3).
	CompleteRecord(ctx context.Context, in CompleteRecord) (VerifiedRecord, error)
	// CarryDecision tells the QMS what the approver decided and reads the record back.
	CarryDecision(ctx context.Context, in CarryDecision) (VerifiedRecord, error)
	// ReadRecord says where a record that waits for an approval stands now (R122). Read-only in the
	// QMS; a COMPLETED record that this completion shows is kept as the proof. The journal's state stays.
	ReadRecord(ctx context.Context, in ReadRecord) (Standing, error)
	// CheckApprover says whether a person may decide about this completion: the learner may not.
	CheckApprover(ctx context.Context, in CheckApprover) (Approver, error)
	// EnrollTrainee finds the trainee's enrollment in a QMS that the trainee's signature completes, and
	// makes the one that is missing where the policy says so; that can be repeated like a read (R98).
	EnrollTrainee(ctx context.Context, in CheckRecord) (RecordPlan, error)
	// KeepDocument has the report, or the certificate, kept with the training in the QMS, once.
	KeepDocument(ctx context.Context, in KeepDocument) (Issued, error)
	// ReadSignature says whether the trainee has signed. Read-only in the QMS; signatures that this
	// completion may count on are read anew and kept as the proof.
	ReadSignature(ctx context.Context, in ReadSignature) (Signed, error)
	// IssueCertificate draws and stores the certificate, once (R158).
	IssueCertificate(ctx context.Context, in Document) (Issued, error)
	// PostStatement stores the xAPI statement, once, and puts it to the LRS (R148).
	PostStatement(ctx context.Context, in Document) (Issued, error)
	// RecordOutcome writes to the journal how the completion ended.
	RecordOutcome(ctx context.Context, in RecordOutcome) error

	// RecordWait writes to the journal that the completion waits, and for what.
	RecordWait(ctx context.Context, in RecordWait) (RecordedWait, error)
	// RecordDecision keeps what a person decided (law 5), and that the work goes on.
	RecordDecision(ctx context.Context, in RecordDecision) error
	// TellAdmins signals the tenant's AdminInbox, starting it if there is none.
	TellAdmins(ctx context.Context, in TellAdmins) error
	// SendNotice delivers a notice of the AdminInbox through the tenant's channels, or says that it is to
	// be held.
	SendNotice(ctx context.Context, in SendNotice) (NoticeSent, error)

	TargetActivities
	Reconciler
	EnrollmentActivities
}

// Ref names a completion in the journal.
type Ref struct {
	Tenant      string               `json:"tenant"`
	Fingerprint training.Fingerprint `json:"fingerprint"`
	// Again is true when an earlier attempt of the same step was made under another
	// activity: the journal then shows RETRYING and must be told that work goes on.
	Again bool `json:"again,omitempty"`
	// Holds is true where the workflow knows what to do about a held target. Without it a step asks
	// whatever the state of its target.
	Holds bool `json:"holds,omitempty"`
	// Retry shapes the wait after a transient failure: jitter, and a Retry-After.
	Retry training.Retry `json:"retry"`
}

// CheckRecord is the input of the activity.
type CheckRecord struct {
	Ref
	HoldFailed bool `json:"holdFailed"`
	// MissingRecord is "" from workflows that were started before there was a choice: review.
	MissingRecord training.MissingRecord `json:"missingRecord,omitempty"`
	// Enrollments says whether an enrollment may still bring the record; "" from workflows that were
	// started before there was a choice.
	Enrollments training.Enrollments `json:"enrollments,omitempty"`
}

// RecordPlan is the record a completion belongs to and where a write must lead.
type RecordPlan struct {
	RecordID string                `json:"recordId"`
	Status   training.RecordStatus `json:"status"`
	Target   training.RecordStatus `json:"target"`
}

// CompleteRecord is the input of the activity.
type CompleteRecord struct {
	Ref
	RecordID string                `json:"recordId"`
	Target   training.RecordStatus `json:"target"`
}

// VerifiedRecord is what a read-back showed.
type VerifiedRecord struct {
	RecordID string                `json:"recordId"`
	Status   training.RecordStatus `json:"status"`
}

// CarryDecision is the input of the activity.
type CarryDecision struct {
	Ref
	RecordID string            `json:"recordId"`
	Decision training.Decision `json:"decision"`
}

// ReadRecord is the input of the activity.
type ReadRecord struct {
	Ref
	RecordID string `json:"recordId"`
}

// Standing is what became of a submitted record: PENDING_APPROVAL, COMPLETED by this completion, or
// open again. Whatever else a record may show is a failure.
type Standing struct {
	Status training.RecordStatus `json:"status"`
}

// CheckApprover is the input of the activity.
type CheckApprover struct {
	Ref
	By string `json:"by"`
}

// Approver is what the check found.
type Approver struct {
	// Refused says in words why the person may not decide, "" if they may.
	Refused string `json:"refused,omitempty"`
}

// Document is the input of IssueCertificate and PostStatement.
type Document struct {
	Ref
	RecordID string `json:"recordId"`
}

// KeepDocument is the input of the activity.
type KeepDocument struct {
	Document
	// Kind is EffectEvidence, before the signature, or EffectCertificate, after it.
	Kind training.EffectKind `json:"kind"`
}

// ReadSignature is the input of the activity.
type ReadSignature struct {
	Ref
	RecordID string `json:"recordId"`
	// Grace is how far a signature may lie before the completion, in nanoseconds.
	Grace time.Duration `json:"grace"`
	// Fresh says that a person wants it looked at now: nothing may be told from memory.
	Fresh bool `json:"fresh,omitempty"`
}

// Signed is where the record stands: COMPLETED once everything is signed, and then the proof is kept.
type Signed struct {
	Status training.RecordStatus `json:"status"`
}

// Issued names a stored effect; ID is "" when the tenant wants none of this kind.
type Issued struct {
	ID string `json:"id,omitempty"`
}

// RecordOutcome is the input of the activity.
type RecordOutcome struct {
	Ref
	Outcome  training.Outcome `json:"outcome"`
	RecordID string           `json:"recordId,omitempty"`
	// Failure is what a completion that was given up has failed with, for whoever examines it (R142).
	Failure *training.Failure `json:"failure,omitempty"`
	// Skipped are the documents that a person has decided to do without.
	Skipped []training.EffectKind `json:"skipped,omitempty"`
}

// RecordWait is the input of the activity; Failure is nil when the wait is no failure's.
type RecordWait struct {
	Ref
	State    training.State    `json:"state"`
	RecordID string            `json:"recordId,omitempty"`
	Failure  *training.Failure `json:"failure,omitempty"`
}

// RecordedWait is what the journal knows of a completion that waits.
type RecordedWait struct {
	// Decisions is how many were taken before, also by runs that Temporal has lost.
	Decisions int `json:"decisions"`
	// Verified is true once the record was read back as COMPLETED, also by a run that is lost.
	Verified bool `json:"verified,omitempty"`
	// Linked is the record that an enrollment of the same learner and course was linked to since the completion came,
	// where this one is in review for want of a record; else "".
	Linked string `json:"linked,omitempty"`
}

// RecordDecision is the input of the activity.
type RecordDecision struct {
	Ref
	Decision training.Decision `json:"decision"`
	// Round counts the decisions of one completion from 1; with the fingerprint it is the key.
	Round int `json:"round"`
	// Via is "signal", "update", "qms" (decided in the QMS itself), "outage" (nobody: it is over) or "enrollment"
	// (nobody: the record has come).
	Via string `json:"via"`
	// StillWaiting is true when the decision does not end the wait: the first of four eyes.
	StillWaiting bool `json:"stillWaiting,omitempty"`
}

// TellAdmins is the input of the activity.
type TellAdmins struct {
	Tenant string    `json:"tenant"`
	Item   InboxItem `json:"item"`
}

// SendNotice is the input of the activity: what the AdminInbox has gathered.
type SendNotice struct {
	Tenant string `json:"tenant"`
	// ID is the same on every attempt, so that a resent mail is the same mail.
	ID string `json:"id"`
	// Kind is the same for all groups.
	Kind   NoticeKind   `json:"kind,omitempty"`
	Groups []InboxGroup `json:"groups"`
	// At is when the notice was made, the same on every attempt; zero from inboxes of an earlier time.
	At time.Time `json:"at,omitzero"`
	// Gather is true while nobody can have been told: then quiet hours are answered by NoticeSent.Held, and
	// the inbox goes on gathering. Otherwise the activity itself waits until they are over.
	Gather bool `json:"gather,omitempty"`
}

// NoticeSent is what became of a notice.
type NoticeSent struct {
	// Held is until when it must wait, zero when it was delivered.
	Held time.Time `json:"held,omitzero"`
}

// Registered names of the activities. They are in recorded histories: never change one.
const (
	lookUp           = "LookUp"
	resolveLearner   = "ResolveLearner"
	checkRecord      = "CheckRecord"
	completeRecord   = "CompleteRecord"
	carryDecision    = "CarryDecision"
	readRecord       = "ReadRecord"
	checkApprover    = "CheckApprover"
	enrollTrainee    = "EnrollTrainee"
	keepDocument     = "KeepDocument"
	readSignature    = "ReadSignature"
	issueCertificate = "IssueCertificate"
	postStatement    = "PostStatement"
	recordOutcome    = "RecordOutcome"
	recordWait       = "RecordWait"
	recordDecision   = "RecordDecision"
	tellAdmins       = "TellAdmins"
	sendNotice       = "SendNotice"
	linkEnrollment   = "LinkEnrollment"
	recordEnrollment = "RecordEnrollment"
	wakeCompletions  = "WakeCompletions"
)

func registerActivities(r worker.ActivityRegistry, a Activities) {
	for name, f := range map[string]any{
		lookUp:           a.LookUp,
		resolveLearner:   a.ResolveLearner,
		checkRecord:      a.CheckRecord,
		completeRecord:   a.CompleteRecord,
		carryDecision:    a.CarryDecision,
		readRecord:       a.ReadRecord,
		checkApprover:    a.CheckApprover,
		enrollTrainee:    a.EnrollTrainee,
		keepDocument:     a.KeepDocument,
		readSignature:    a.ReadSignature,
		issueCertificate: a.IssueCertificate,
		postStatement:    a.PostStatement,
		recordOutcome:    a.RecordOutcome,
		recordWait:       a.RecordWait,
		recordDecision:   a.RecordDecision,
		tellAdmins:       a.TellAdmins,
		sendNotice:       a.SendNotice,
		linkEnrollment:   a.LinkEnrollment,
		recordEnrollment: a.RecordEnrollment,
		wakeCompletions:  a.WakeCompletions,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	registerTargetActivities(r, a)
}
