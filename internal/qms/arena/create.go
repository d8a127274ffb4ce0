package arena

import (
	"context"
	"net/http"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// Create asks for a training record once (R98). A reference that is taken already is answered
// with the id of the record that has it, so a creation can be repeated (contract §6).
func (c *Client) Create(ctx context.Context, n training.NewRecord, requestID string) (string, error) {
	call := call{
		operation: "create record", key: n.TrainingID, method: http.MethodPost, write: true, requestID: requestID,
		template: "/training/records", path: "/training/records", body: n,
	}
	if n.EmployeeID == "" || n.TrainingID == "" || n.ExternalRef == "" { // without a reference it would not be repeatable
		return "", training.Fail(training.FailureDefect, call.operation, call.key, "employee, training and reference are required")
	}
	got, err := c.ask(ctx, call)
	if err != nil {
		return "", err
	}
	var id string
	switch {
	case got.Status == http.StatusConflict && got.reason == duplicateRef:
		id = got.recordID()
	case !got.OK():
		return "", got.failure(call, c.now())
	default:
		var body wireRecord
		if err := got.decode(&body); err != nil {
			return "", training.Fail(training.FailureMisread, call.operation, call.key, err.Error())
		}
		id = body.ID
	}
	if !outbound.Segment(id) {
		return "", training.Fail(training.FailureMisread, call.operation, call.key, "answer names no record")
	}
	return id, nil
}

// duplicateRef is the contract's word for a reference that is taken.
const duplicateRef = "DUPLICATE_EXTERNAL_REF"

// recordID is the id of the record that an error answer names, "" if it names none.
func (a answer) recordID() string {
	var body struct {
		Errors []struct {
			RecordID string `json:"recordId"`
		} `json:"errors"`
	}
	if a.decode(&body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].RecordID
}
