package arena

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// Complete asks for the transition that w means (R94, R99–R105). What the QMS would accept and
// silently ignore, an empty required field, is refused here, before it is sent (R106).
func (c *Client) Complete(ctx context.Context, w training.Write, requestID string) error {
	call := call{
		operation: "complete record", key: w.RecordID, method: http.MethodPost, write: true, requestID: requestID,
		template: "/training/records/{id}/complete", path: "/training/records/" + url.PathEscape(w.RecordID) + "/complete",
		body: wireCompletion{
			EmployeeID: w.EmployeeID, CompletionDate: completionDate(w.CompletedAt),
			Status: string(w.Status), Score: json.Number(w.Score),
		},
	}
	switch {
	case !outbound.Segment(w.RecordID):
		return training.Fail(training.FailureRecordMissing, call.operation, call.key, "not a record id")
	case !outbound.Segment(w.EmployeeID):
		return training.Fail(training.FailureIncomplete, call.operation, call.key, "no employee id")
	case w.CompletedAt.IsZero():
		return training.Fail(training.FailureIncomplete, call.operation, call.key, "no completion date")
	case w.Status != training.RecordCompleted && w.Status != training.RecordPendingApproval:
		return training.Fail(training.FailureDefect, call.operation, call.key, "a completion leads to COMPLETED or PENDING_APPROVAL only")
	}
	err := c.do(ctx, call, nil)
	if failure, ok := errors.AsType[*training.Failure](err); ok && failure.Class == training.FailureEmployeeUnknown {
		c.employees.forget(w.EmployeeID) // gone since it was asked for
	}
	return err
}

// Decide carries an approval or rejection over, in the approver's name. The scope for it is
// normally not granted to a service account; then it is FailureApprovalForbidden.
func (c *Client) Decide(ctx context.Context, recordID string, d training.Decision, requestID string) error {
	words := map[training.Action]string{training.ActionApprove: "APPROVE", training.ActionReject: "REJECT"}
	call := call{
		operation: "decide record", key: recordID, method: http.MethodPost, write: true, approval: true, requestID: requestID,
		template: "/training/records/{id}/approval", path: "/training/records/" + url.PathEscape(recordID) + "/approval",
		body: struct {
			Decision string `json:"decision"`
			Approver string `json:"approver"`
			Comment  string `json:"comment"`
		}{words[d.Action], d.By, d.Reason},
	}
	if !outbound.Segment(recordID) {
		return training.Fail(training.FailureRecordMissing, call.operation, call.key, "not a record id")
	}
	if err := d.Validate(training.ApprovalActions()); err != nil {
		return training.FailWith(training.FailureDefect, call.operation, call.key, err)
	}
	return c.do(ctx, call, nil)
}
