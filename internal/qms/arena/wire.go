package arena

import (
	"encoding/json"
	"errors"
	"time"

	"countersign/internal/training"
)

// wireRecord is the training record as the contract writes it (§6).
type wireRecord struct {
	ID               string       `json:"id"`
	EmployeeID       string       `json:"employeeId"`
	TrainingID       string       `json:"trainingId"`
	Status           string       `json:"status"`
	CompletionDate   *string      `json:"completionDate"`
	Score            *json.Number `json:"score"`
	TracksScore      bool         `json:"tracksScore"`
	ApprovalRequired bool         `json:"approvalRequired"`
	Locked           bool         `json:"locked"`
	ExternalRef      string       `json:"externalRef"`
}

// record checks what a proof will rest on. Its errors hold no values.
func (w wireRecord) record() (training.Record, error) {
	r := training.Record{
		ID: w.ID, EmployeeID: w.EmployeeID, TrainingID: w.TrainingID, Status: training.RecordStatus(w.Status),
		TracksScore: w.TracksScore, ApprovalRequired: w.ApprovalRequired, Locked: w.Locked, ExternalRef: w.ExternalRef,
	}
	switch {
	case r.ID == "" || r.EmployeeID == "":
		return training.Record{}, errors.New("record without id or employee")
	case !r.Status.Valid():
		return training.Record{}, errors.New("record in an unknown status")
	}
	if w.CompletionDate != nil && *w.CompletionDate != "" {
		at, err := time.Parse(time.RFC3339, *w.CompletionDate)
		if err != nil {
			return training.Record{}, errors.New("record with a completion date that is not RFC 3339")
		}
		r.CompletedAt = at.UTC()
	}
	if w.Score != nil {
		r.Score = w.Score.String()
	}
	return r, nil
}

// wireCompletion is the body of a completion (R99–R103).
type wireCompletion struct {
	EmployeeID     string      `json:"employeeId"`
	CompletionDate string      `json:"completionDate"`
	Status         string      `json:"status"`
	Score          json.Number `json:"score,omitempty"` // as written, never through a binary fraction
}

// completionDate writes an instant in the only form the contract shows: in UTC, in whole seconds
// (R101). Whether Arena takes a fraction, and then keeps it, cuts it off or rounds it, is UNKNOWN,
// so none is sent; it stays in the journal and on the certificate. Cut off, never rounded: rounding
// could reach the next day.
func completionDate(t time.Time) string {
	return t.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05Z")
}
