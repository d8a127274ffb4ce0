package arenav1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// notManager is the vendor's number for "only this plan's training manager may".
const notManager = 4217

// answer is what came back.
type answer struct {
	outbound.Answer

	code int // the error's number, 0 if there is none
}

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
	detail := strconv.Itoa(a.Status)
	if a.code != 0 {
		detail += fmt.Sprintf(" code %d", a.code)
	}
	f := training.Fail(training.FailureRefused, call.operation, call.key, detail)
	switch {
	case a.Status >= 500, a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly:
		f.Class, f.RetryAfter = training.FailureUnreachable, outbound.RetryAfter(a.Header.Get("Retry-After"), now)
	case a.Status == http.StatusTooManyRequests:
		f.Class, f.RetryAfter = training.FailureRateLimited, a.limitedFor(now)
	case a.Status < 400:
		f.Class = training.FailureMisread // a redirect: to a login page, or to another host
	case call.enrolls && (a.Status == http.StatusForbidden || a.code == notManager):
		f.Class = training.FailureEnrollForbidden
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		f.Class = training.FailureCredentials
	case a.Status == http.StatusBadRequest && call.missing != "":
		f.Class = call.missing // an object that does not exist is a 400 here; 404 is an endpoint that does not
	}
	return f
}

// limitedFor is how long a 429 asks to be left alone: what it says itself, else until the budget is new.
func (a answer) limitedFor(now time.Time) time.Duration {
	if wait := outbound.RetryAfter(a.Header.Get("Retry-After"), now); wait > 0 {
		return wait
	}
	if a.Header.Get("X-Arena-Next-Request-Limit-Reset") == "" {
		return 0
	}
	return min(max(resetAt(a.Header, now).Sub(now), 0), longestWait)
}

// decode reads the body as one JSON object. Its errors hold none of it.
func (a answer) decode(out any) error {
	body, err := a.JSON()
	switch {
	case err != nil:
		return err
	case !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return errors.New("answer is not a JSON object")
	case json.Unmarshal(body, out) != nil:
		return errors.New("answer is not the JSON of the API")
	}
	return nil
}
