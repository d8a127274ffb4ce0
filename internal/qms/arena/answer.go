package arena

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"countersign/internal/training"
)

// longestWait bounds a Retry-After. The vendor's request budget runs for 24 hours; anything
// longer is a mistake.
const longestWait = 24 * time.Hour

var errTooLarge = errors.New("answer is larger than 1 MiB")

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
	f := training.Fail(training.FailureRefused, call.operation, call.key, strings.TrimSpace(fmt.Sprint(a.status, " ", a.reason)))
	f.RetryAfter = retryAfter(a.header.Get("Retry-After"), now)
	switch {
	case a.status >= 500, a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly:
		f.Class = training.FailureUnreachable
	case a.status == http.StatusTooManyRequests:
		f.Class = training.FailureRateLimited
	case a.status < 400:
		f.Class = training.FailureMisread // a redirect: to a login page, or to another host
	case call.approval && (a.status == http.StatusForbidden || a.reason == "SCOPE_MISSING"):
		f.Class = training.FailureApprovalForbidden
	case a.status == http.StatusForbidden && a.reason == "EXTERNAL_UPDATES_OFF":
		f.Class = training.FailureUpdatesOff
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		f.Class = training.FailureCredentials
	case a.reason != "":
		f.Class = reasons[a.reason]
	}
	return f
}

// decode reads the body as one JSON object, whole, in UTF-8 and labelled as such. Its errors
// hold none of the body.
func (a answer) decode(out any) error {
	media, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case errors.Is(a.broken, errTooLarge):
		return errTooLarge
	case a.broken != nil:
		return errors.New("answer is cut off")
	case err != nil || media != "application/json":
		return errors.New("answer is not application/json")
	case charset != "" && !strings.EqualFold(charset, "utf-8"), !utf8.Valid(a.body):
		return errors.New("answer is not UTF-8")
	case !bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n"), []byte("{")):
		return errors.New("answer is not a JSON object")
	case json.Unmarshal(a.body, out) != nil:
		return errors.New("answer is not the JSON of the contract")
	}
	return nil
}

// retryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3); 0 for anything else.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// unanswered turns the error of an exchange without an answer into a failure. The caller's own
// cancellation stays what it is: nothing is wrong with the QMS.
func unanswered(ctx context.Context, operation, key string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s %s: %w", operation, key, context.Canceled)
	}
	// url.Error repeats the address, which may hold an employee id.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &training.Failure{
		Class: training.FailureUnreachable, Operation: operation, Key: key,
		Detail: silence(err), Err: fmt.Errorf("%s: %w", operation, err),
	}
}

// silence names the kind of silence in words of our own.
func silence(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "timeout"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "host not found"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate not trusted"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	default:
		return "no answer"
	}
}
