package training

// State is where a completion stands, as the journal projects it for people.
//
//	QUEUED ─► STARTING ─► RUNNING ─► COMPLETED | REJECTED | CLOSED
//	   ▲          │        │  ▲ ▲                             │
//	   └──────────┘        ▼  │ └──────────────┐              │ replay
//	  lease ran out     RETRYING   WAITING_APPROVAL | WAITING_SIGNATURE | IN_REVIEW
//	                                                                         │
//	                                                      14 days (R141)     └─► EXPIRED_IN_REVIEW
//
// COMPLETED and REJECTED are for ever. CLOSED and EXPIRED_IN_REVIEW move again only by a replay,
// which is a decision of its own: back to RUNNING.
//
// RETRYING, WAITING_APPROVAL, WAITING_SIGNATURE and IN_REVIEW are waits: they cost nothing and do not count
// against the number of completions in flight.
type State string

// The states of a completion.
const (
	StateQueued          State = "QUEUED"
	StateStarting        State = "STARTING"
	StateRunning         State = "RUNNING"
	StateRetrying        State = "RETRYING"
	StateWaitingApproval State = "WAITING_APPROVAL"
	StateInReview        State = "IN_REVIEW"
	// StateWaitingSignature: the QMS is one that the trainee's own signature completes, and it is not
	// there yet. Nobody here can give it.
	StateWaitingSignature State = "WAITING_SIGNATURE"
	StateCompleted        State = "COMPLETED"
	StateRejected         State = "REJECTED"
	StateClosed           State = "CLOSED"
	StateExpiredInReview  State = "EXPIRED_IN_REVIEW"
)

// Ended reports whether the completion has an outcome and will not move again by itself.
func (s State) Ended() bool {
	return s == StateCompleted || s == StateRejected || s.Replayable()
}

// Replayable reports whether the completion has ended without its effect, so that a person may
// have it started again (R142).
func (s State) Replayable() bool { return s == StateClosed || s == StateExpiredInReview }

// Outcome is how a completion ended.
type Outcome string

const (
	// OutcomeCompleted: the record says so, read back, with certificate and statement.
	OutcomeCompleted Outcome = "completed"
	// OutcomeRejected: the approver said no; the record went back to IN_PROGRESS.
	OutcomeRejected Outcome = "rejected"
	// OutcomeClosed: a training admin ended it without (further) effect, with a reason.
	OutcomeClosed Outcome = "closed"
	// OutcomeExpiredInReview: nobody has decided for as long as policy waits; everything is kept.
	OutcomeExpiredInReview Outcome = "expired_in_review"
)

// State is the ended state that belongs to o. An outcome that this version does not know is put
// up for review: it was recorded by a newer one.
func (o Outcome) State() State {
	switch o {
	case OutcomeCompleted:
		return StateCompleted
	case OutcomeRejected:
		return StateRejected
	case OutcomeClosed:
		return StateClosed
	case OutcomeExpiredInReview:
		return StateExpiredInReview
	default:
		return StateInReview
	}
}

// EffectKind names one of the effects a completion has exactly once (law 2).
type EffectKind string

// The effects.
const (
	// EffectRecord is the verified QMS transition; its bytes are Write and read-back as JSON.
	EffectRecord EffectKind = "record"
	// EffectEvidence is the report that is kept with a training before the trainee has signed; its bytes
	// are the PDF. It says of itself that it is no certificate.
	EffectEvidence EffectKind = "evidence"
	// EffectCertificate is the issued document; its bytes are the PDF.
	EffectCertificate EffectKind = "certificate"
	// EffectStatement is the xAPI statement; its bytes are the JSON as sent.
	EffectStatement EffectKind = "statement"
)
