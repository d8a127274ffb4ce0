package arenav1

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

var errTooLarge = errors.New("answer is larger than 4 MiB")

// notManager is the vendor's number for "only this plan's training manager may".
const notManager = 4217

// number is the code of an error answer, 0 if it has none.
func (a answer) number() int {
	var body struct {
		Errors []struct {
			Code int `json:"code"`
		} `json:"errors"`
	}
	if a.decode(&body) != nil || len(body.Errors) == 0 {
		return 0
	}
	return body.Errors[0].Code
}

// failure classifies an answer that is not 2xx, by its status and by what was asked. The vendor has
// renumbered its codes once, so a number decides only beside a status.
func (a answer) failure(call call, now time.Time) *training.Failure {
	detail := strconv.Itoa(a.status)
	if a.code != 0 {
		detail += fmt.Sprintf(" code %d", a.code)
	}
	f := training.Fail(training.FailureRefused, call.operation, call.key, detail)
	switch {
	case a.status >= 500, a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly:
		f.Class, f.RetryAfter = training.FailureUnreachable, retryAfter(a.header.Get("Retry-After"), now)
	case a.status == http.StatusTooManyRequests:
		f.Class, f.RetryAfter = training.FailureRateLimited, a.limitedFor(now)
	case a.status < 400:
		f.Class = training.FailureMisread // a redirect: to a login page, or to another host
	case call.enrolls && (a.status == http.StatusForbidden || a.code == notManager):
		f.Class = training.FailureEnrollForbidden
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		f.Class = training.FailureCredentials
	case a.status == http.StatusBadRequest && call.missing != "":
		f.Class = call.missing // an object that does not exist is a 400 here; 404 is an endpoint that does not
	}
	return f
}

// limitedFor is how long a 429 asks to be left alone: what it says itself, else until the budget is new.
func (a answer) limitedFor(now time.Time) time.Duration {
	if wait := retryAfter(a.header.Get("Retry-After"), now); wait > 0 {
		return wait
	}
	if a.header.Get("X-Arena-Next-Request-Limit-Reset") == "" {
		return 0
	}
	return min(max(resetAt(a.header, now).Sub(now), 0), longestWait)
}

// decode reads the body as one JSON object, whole, in UTF-8 and labelled as such. Its errors hold none of
// the body.
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
		return errors.New("answer is not the JSON of the API")
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
	// url.Error repeats the address, which may hold an e-mail address.
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
