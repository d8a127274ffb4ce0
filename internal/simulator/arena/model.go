package arena

import (
	"time"

	"countersign/internal/training"
)

// User is an employee as the QMS knows them.
type User struct {
	EmployeeID string    `json:"employeeId"`
	Email      string    `json:"email"`
	FullName   string    `json:"fullName"`
	Active     bool      `json:"active"`
	UpdatedAt  time.Time `json:"updatedAt"`
}

// Training is a training program.
type Training struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Revision         string `json:"revision,omitempty"`
	TracksScore      bool   `json:"tracksScore"`
	ApprovalRequired bool   `json:"approvalRequired"`
}

// Record is a training record: one employee's assignment to one training.
type Record struct {
	ID               string                `json:"id"`
	EmployeeID       string                `json:"employeeId"`
	TrainingID       string                `json:"trainingId"`
	TrainingName     string                `json:"trainingName"`
	Revision         string                `json:"revision"`
	Status           training.RecordStatus `json:"status"`
	AssignedDate     time.Time             `json:"assignedDate"`
	DueDate          *time.Time            `json:"dueDate"`
	CompletionDate   *time.Time            `json:"completionDate"`
	Score            *float64              `json:"score"`
	TracksScore      bool                  `json:"tracksScore"`
	ApprovalRequired bool                  `json:"approvalRequired"`
	Locked           bool                  `json:"locked"`
	ExternalRef      string                `json:"externalRef"`
	UpdatedAt        time.Time             `json:"updatedAt"`
	Version          int                   `json:"version"`
}

// Account is a service account of the QMS.
type Account struct {
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	Scopes       []string `json:"scopes"`
}

// The scopes of a service account. The bridge owns the first three; ScopeApprove stands for
// the person in the QMS's own user interface.
const (
	ScopeWrite   = "training.records.write"
	ScopeStatus  = "training.status.update"
	ScopeUsers   = "user.read"
	ScopeApprove = "training.records.approve"
)

// BridgeScopes are what the vendor grants a bridge's service account (R113).
func BridgeScopes() []string { return []string{ScopeWrite, ScopeStatus, ScopeUsers} }

// Change is one effective transition of a record, as its history shows it.
type Change struct {
	RecordID  string                `json:"recordId"`
	At        time.Time             `json:"at"`
	Actor     string                `json:"actor"`
	From      training.RecordStatus `json:"from"`
	To        training.RecordStatus `json:"to"`
	RequestID string                `json:"requestId"`
	Comment   string                `json:"comment"`
}

// Switches choose between readings of the contract. The zero value is the contract's default:
// acknowledgements only, 403 for a missing scope, external updates on, silence for what is
// switched off or missing, and dates to the millisecond.
type Switches struct {
	// CompleteResponse is "ack" or "record": what a 200 to a completion carries.
	CompleteResponse string `json:"completeResponse"`
	// ScopeErrorStatus is 403 or 401.
	ScopeErrorStatus int `json:"scopeErrorStatus"`
	// ExternalUpdatesOff switches "Allow external status updates" off (R109).
	ExternalUpdatesOff bool `json:"externalUpdatesOff"`
	// ExternalUpdatesOffAnswer is "silent" or "403".
	ExternalUpdatesOffAnswer string `json:"externalUpdatesOffAnswer"`
	// MissingField is "silent" or "400": the answer to a required field, or a score that the
	// program tracks, that is not there.
	MissingField string `json:"missingField"`
	// DatePrecision is "millisecond", "second" (cut off) or "rounded" (to the nearest second):
	// what the QMS keeps of a completion date.
	DatePrecision string `json:"datePrecision"`
}

// The values of Switches.
const (
	ResponseAck    = "ack"
	ResponseRecord = "record"
	Silent         = "silent"
	Answer403      = "403"
	Answer400      = "400"

	PrecisionMillisecond = "millisecond"
	PrecisionSecond      = "second"
	PrecisionRounded     = "rounded"
)

// kept is what the QMS keeps of a completion date.
func (s Switches) kept(at time.Time) time.Time {
	switch s.DatePrecision {
	case PrecisionSecond:
		return at.Truncate(time.Second)
	case PrecisionRounded:
		return at.Round(time.Second)
	default:
		return at.Truncate(time.Millisecond)
	}
}

func (s Switches) normal() Switches {
	if s.CompleteResponse == "" {
		s.CompleteResponse = ResponseAck
	}
	if s.ScopeErrorStatus == 0 {
		s.ScopeErrorStatus = 403
	}
	if s.ExternalUpdatesOffAnswer == "" {
		s.ExternalUpdatesOffAnswer = Silent
	}
	if s.MissingField == "" {
		s.MissingField = Silent
	}
	if s.DatePrecision == "" {
		s.DatePrecision = PrecisionMillisecond
	}
	return s
}

func (s Switches) valid() bool {
	s = s.normal()
	return (s.CompleteResponse == ResponseAck || s.CompleteResponse == ResponseRecord) &&
		(s.ScopeErrorStatus == 401 || s.ScopeErrorStatus == 403) &&
		(s.ExternalUpdatesOffAnswer == Silent || s.ExternalUpdatesOffAnswer == Answer403) &&
		(s.MissingField == Silent || s.MissingField == Answer400) &&
		(s.DatePrecision == PrecisionMillisecond || s.DatePrecision == PrecisionSecond || s.DatePrecision == PrecisionRounded)
}
