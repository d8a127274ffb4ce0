package training

import (
	"slices"
	"time"
)

// RecordStatus is the state of a training record in the QMS (R107, R108).
//
//	ASSIGNED ──► IN_PROGRESS ──► COMPLETED
//	    │             │ ▲            ▲
//	    └──────┬──────┘ │ rejected   │ approved
//	           ▼        │            │
//	    PENDING_APPROVAL ────────────┘
//
// ASSIGNED may also become COMPLETED at once (R107). ASSIGNED, IN_PROGRESS and
// PENDING_APPROVAL may become EXPIRED or CANCELLED; the other three are final (R108).
type RecordStatus string

// The states of a training record, as the QMS spells them.
const (
	RecordAssigned        RecordStatus = "ASSIGNED"
	RecordInProgress      RecordStatus = "IN_PROGRESS"
	RecordPendingApproval RecordStatus = "PENDING_APPROVAL"
	RecordCompleted       RecordStatus = "COMPLETED"
	RecordExpired         RecordStatus = "EXPIRED"
	RecordCancelled       RecordStatus = "CANCELLED"
)

var lifecycle = map[RecordStatus][]RecordStatus{
	RecordAssigned:        {RecordInProgress, RecordPendingApproval, RecordCompleted, RecordExpired, RecordCancelled},
	RecordInProgress:      {RecordPendingApproval, RecordCompleted, RecordExpired, RecordCancelled},
	RecordPendingApproval: {RecordCompleted, RecordInProgress, RecordExpired, RecordCancelled},
	RecordCompleted:       {},
	RecordExpired:         {},
	RecordCancelled:       {},
}

// Valid reports whether s is one of the six states.
func (s RecordStatus) Valid() bool { _, ok := lifecycle[s]; return ok }

// Open reports whether a completion may still be written: ASSIGNED or IN_PROGRESS (R107).
func (s RecordStatus) Open() bool { return s == RecordAssigned || s == RecordInProgress }

// Final reports whether nothing can change the record any more.
func (s RecordStatus) Final() bool { return s.Valid() && len(lifecycle[s]) == 0 }

// CanBecome reports whether the lifecycle leads from s to next in one step.
func (s RecordStatus) CanBecome(next RecordStatus) bool { return slices.Contains(lifecycle[s], next) }

// Record is the training record as the QMS shows it: what a read-back proves.
type Record struct {
	ID         string       `json:"id"`
	EmployeeID string       `json:"employeeId"`
	TrainingID string       `json:"trainingId"`
	Status     RecordStatus `json:"status"`
	// CompletedAt is zero while the record is not completed.
	CompletedAt time.Time `json:"completedAt,omitzero"`
	// Score is the number as the QMS wrote it, "" when it has none.
	Score            string `json:"score,omitempty"`
	TracksScore      bool   `json:"tracksScore"`
	ApprovalRequired bool   `json:"approvalRequired"`
	Locked           bool   `json:"locked"`
	// ExternalRef is the reference given at creation, "" when there is none (R98).
	ExternalRef string `json:"externalRef,omitempty"`
	// ProofID is what a proof of this COMPLETED record has for its id, "" where that is ID: the last signature's.
	ProofID string `json:"proofId,omitempty"`
}

// NewRecord is a training record that is to be created, in ASSIGNED (R98).
type NewRecord struct {
	EmployeeID string `json:"employeeId"`
	TrainingID string `json:"trainingId"`
	// ExternalRef makes the creation repeatable: the QMS keeps one record per reference.
	ExternalRef string `json:"externalRef"`
}

// ShownBy reports whether record is the one that n means.
func (n NewRecord) ShownBy(record Record) bool {
	return record.EmployeeID == n.EmployeeID && record.TrainingID == n.TrainingID && record.ExternalRef == n.ExternalRef
}

// Write is what Countersign means a record to say after a completion. It is compared with the
// read-back, and the two together are the proof (law 3).
type Write struct {
	RecordID    string       `json:"recordId"`
	EmployeeID  string       `json:"employeeId"`
	Status      RecordStatus `json:"status"`
	CompletedAt time.Time    `json:"completedAt"`
	Score       string       `json:"score,omitempty"`
}

// ShownBy reports whether record says what w means: same record, same employee, same instant,
// same score and a status that w leads to. A record submitted for approval and approved
// since is COMPLETED with our date: that is w's success too.
//
// The instant is the same to the precision in which the QMS states it: to the millisecond, or to
// the whole second below, because the contract's completionDate is written in whole seconds and
// says nothing of fractions. That is safe: record, employee and score must agree as well, a record
// takes one completion in its life, and nobody finishes a course twice within a second. The second
// is cut off and never rounded, so that no date moves to the next day; any other second, and any
// other fraction, is another completion.
func (w Write) ShownBy(record Record) bool {
	reached := record.Status == w.Status ||
		(w.Status == RecordPendingApproval && record.Status == RecordCompleted)
	return reached &&
		record.ID == w.RecordID &&
		record.EmployeeID == w.EmployeeID &&
		sameInstant(w.CompletedAt, record.CompletedAt) &&
		(w.Score == "" || !record.TracksScore || sameNumber(w.Score, record.Score))
}

func sameInstant(meant, read time.Time) bool {
	return read.Equal(PrecisionMillisecond.Truncate(meant)) || read.Equal(meant.Truncate(time.Second))
}

func sameNumber(a, b string) bool {
	x, xOK := decimal(a)
	y, yOK := decimal(b)
	return xOK && yOK && x.Cmp(y) == 0
}
