package arena

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// reasons is the contract's list of error words (§6) and what each says about a 4xx answer.
// A word that is not in it is not repeated anywhere: it is text of unknown content.
var reasons = map[string]training.FailureClass{
	"UNAUTHENTICATED":        training.FailureCredentials,
	"TOKEN_EXPIRED":          training.FailureCredentials,
	"SCOPE_MISSING":          training.FailureCredentials,
	"EXTERNAL_UPDATES_OFF":   training.FailureUpdatesOff,
	"UNKNOWN_ENDPOINT":       training.FailureRefused,
	"RECORD_NOT_FOUND":       training.FailureRecordMissing,
	"EMPLOYEE_NOT_FOUND":     training.FailureEmployeeUnknown,
	"TRAINING_NOT_FOUND":     training.FailureCourseUnmapped,
	"NOT_ACCEPTABLE":         training.FailureRefused,
	"ALREADY_COMPLETED":      training.FailureCompletedElse,
	"RECORD_EXPIRED":         training.FailureRecordExpired,
	"RECORD_CANCELLED":       training.FailureRecordCancelled,
	"ALREADY_PENDING":        training.FailureApprovalNeeded, // whoever submitted it, a person must decide first
	"INVALID_TRANSITION":     training.FailureRefused,
	duplicateRef:             training.FailureRefused, // Create reads the id in it
	"UNSUPPORTED_MEDIA_TYPE": training.FailureRefused,
	"EMPLOYEE_MISMATCH":      training.FailureEmployeeMismatch,
	"MALFORMED_BODY":         training.FailureRefused,
	"BAD_DATE":               training.FailureRefused,
	"BAD_STATUS":             training.FailureRefused,
	"RATE_LIMITED":           training.FailureRateLimited,
	"INTERNAL":               training.FailureUnreachable,
}

// word is the reason of an error answer, "" if it has none that the contract knows.
func (a answer) word() string {
	var body struct {
		Errors []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
	}
	if a.decode(&body) != nil || len(body.Errors) == 0 {
		return ""
	}
	if _, known := reasons[body.Errors[0].Reason]; !known {
		return ""
	}
	return body.Errors[0].Reason
}

// failure classifies an answer that is not 2xx. The status comes first and the reason refines
// it: a proxy's error page has a status too, but no reason.
func (a answer) failure(call call, now time.Time) *training.Failure {
	f := training.Fail(training.FailureRefused, call.operation, call.key, strings.TrimSpace(fmt.Sprint(a.Status, " ", a.reason)))
	f.RetryAfter = outbound.RetryAfter(a.Header.Get("Retry-After"), now)
	switch {
	case a.Status >= 500, a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly:
		f.Class = training.FailureUnreachable
	case a.Status == http.StatusTooManyRequests:
		f.Class = training.FailureRateLimited
	case a.Status < 400:
		f.Class = training.FailureMisread // a redirect: to a login page, or to another host
	case call.approval && (a.Status == http.StatusForbidden || a.reason == "SCOPE_MISSING"):
		f.Class = training.FailureApprovalForbidden
	case a.Status == http.StatusForbidden && a.reason == "EXTERNAL_UPDATES_OFF":
		f.Class = training.FailureUpdatesOff
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		f.Class = training.FailureCredentials
	case a.reason != "":
		f.Class = reasons[a.reason]
	}
	return f
}

// decode reads the body as one JSON object, whole, in UTF-8 and labelled as such. Its errors
// hold none of the body.
func (a answer) decode(out any) error {
	body, err := a.JSON()
	switch {
	case err != nil:
		return err
	case !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return errors.New("answer is not a JSON object")
	case json.Unmarshal(body, out) != nil:
		return errors.New("answer is not the JSON of the contract")
	}
	return nil
}
