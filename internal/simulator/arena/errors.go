package arena

import (
	"encoding/json"
	"net/http"

	"countersign/internal/simulator/fault"
)

// problem is an error answer: the numeric code and the stable reason of contract §6.
type problem struct {
	status  int
	code    int
	reason  string
	message string
}

// The errors of the contract.
var (
	errMalformed     = problem{400, 4000, "MALFORMED_BODY", "The body is not a JSON object of this call."}
	errBadDate       = problem{400, 4001, "BAD_DATE", "completionDate is no ISO 8601 date-time with an offset, or lies in the future."}
	errBadStatus     = problem{400, 4002, "BAD_STATUS", "status must be COMPLETED or PENDING_APPROVAL."}
	errNoToken       = problem{401, 4010, "UNAUTHENTICATED", "The access token is missing, malformed, unknown or revoked."}
	errTokenExpired  = problem{401, 4011, "TOKEN_EXPIRED", "The access token has expired."}
	errScope         = problem{403, 4030, "SCOPE_MISSING", "The access token lacks a scope this call needs."}
	errUpdatesOff    = problem{403, 4031, "EXTERNAL_UPDATES_OFF", "External status updates are switched off."}
	errEndpoint      = problem{404, 4040, "UNKNOWN_ENDPOINT", "There is no such endpoint."}
	errNoRecord      = problem{404, 4041, "RECORD_NOT_FOUND", "There is no such training record."}
	errNoEmployee    = problem{404, 4042, "EMPLOYEE_NOT_FOUND", "There is no such employee."}
	errNoTraining    = problem{404, 4043, "TRAINING_NOT_FOUND", "There is no such training."}
	errNotAcceptable = problem{406, 4060, "NOT_ACCEPTABLE", "Accept must allow application/json."}
	errCompleted     = problem{409, 4090, "ALREADY_COMPLETED", "The record is already completed."}
	errExpired       = problem{409, 4091, "RECORD_EXPIRED", "The record has expired."}
	errCancelled     = problem{409, 4092, "RECORD_CANCELLED", "The record was cancelled."}
	errPending       = problem{409, 4093, "ALREADY_PENDING", "The record already waits for approval."}
	errTransition    = problem{409, 4094, "INVALID_TRANSITION", "The record's status does not lead there."}
	errDuplicateRef  = problem{409, 4095, "DUPLICATE_EXTERNAL_REF", "A record with this external reference exists."}
	errMediaType     = problem{415, 4150, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json."}
	errMismatch      = problem{422, 4220, "EMPLOYEE_MISMATCH", "The record belongs to another employee."}
	errRateLimited   = problem{429, 4290, "RATE_LIMITED", "The request budget is spent."}
	errInternal      = problem{500, 5000, "INTERNAL", "Something went wrong."}
)

type errorItem struct {
	Code     int    `json:"code"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	RecordID string `json:"recordId,omitempty"`
}

type errorBody struct {
	Status    int         `json:"status"`
	Errors    []errorItem `json:"errors"`
	RequestID string      `json:"requestId"`
}

// write answers with the contract's error body; recordID is "" for most.
func (p problem) write(w http.ResponseWriter, x *fault.Exchange, recordID string) {
	x.Reason = p.reason
	writeJSON(w, p.status, errorBody{
		Status:    p.status,
		Errors:    []errorItem{{Code: p.code, Reason: p.reason, Message: p.message, RecordID: recordID}},
		RequestID: x.RequestID,
	})
}

// writeScriptedError is the body of a scripted status, in the words the contract has for it.
func writeScriptedError(w http.ResponseWriter, x *fault.Exchange, status int) {
	p := errInternal
	switch status {
	case http.StatusBadRequest:
		p = errMalformed
	case http.StatusUnauthorized:
		p = errNoToken
	case http.StatusForbidden:
		p = errScope
	case http.StatusNotFound:
		p = errEndpoint
	case http.StatusNotAcceptable:
		p = errNotAcceptable
	case http.StatusUnsupportedMediaType:
		p = errMediaType
	case http.StatusTooManyRequests:
		p = errRateLimited
	default:
		if status < http.StatusInternalServerError { // the contract has no word for it
			p = problem{code: 10 * status, message: http.StatusText(status)}
		}
	}
	p.status = status
	p.write(w, x, "")
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The writer is the gate's buffer and every body a plain struct: neither can fail.
	_ = json.NewEncoder(w).Encode(body)
}
