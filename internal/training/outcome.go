package training

// State is where a completion stands, as the journal projects it for people.
//
//	QUEUED ─► STARTING ─► RUNNING ─► COMPLETED | REJECTED | CLOSED
//	   ▲          │        │  ▲ ▲
//	   └──────────┘        ▼  │ └──────────────┐
//	  lease ran out     RETRYING   WAITING_APPROVAL | IN_REVIEW
//
// RETRYING, WAITING_APPROVAL and IN_REVIEW are waits: they cost nothing and do not count
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
	StateCompleted       State = "COMPLETED"
	StateRejected        State = "REJECTED"
	StateClosed          State = "CLOSED"
)

// Ended reports whether the completion has an outcome and will not move again.
func (s State) Ended() bool {
	return s == StateCompleted || s == StateRejected || s == StateClosed
}

// Outcome is how a completion ended.
type Outcome string

const (
	// OutcomeCompleted: the record says so, read back, with certificate and statement.
	OutcomeCompleted Outcome = "completed"
	// OutcomeRejected: the approver said no; the record went back to IN_PROGRESS.
	OutcomeRejected Outcome = "rejected"
	// OutcomeClosed: a training admin ended it without (further) effect, with a reason.
	OutcomeClosed Outcome = "closed"
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
	// EffectCertificate is the issued document; its bytes are the PDF.
	EffectCertificate EffectKind = "certificate"
	// EffectStatement is the xAPI statement; its bytes are the JSON as sent.
	EffectStatement EffectKind = "statement"
)
