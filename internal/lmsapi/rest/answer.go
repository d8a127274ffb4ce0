package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

var (
	errNotFound   = errors.New("not found")
	errBadRequest = errors.New("bad request")
)

// NotFound reports whether err is the LMS's own 404: what was asked for is not there. A 404 that is no JSON comes
// from a proxy or a wrong address, and says nothing about that.
func NotFound(err error) bool { return errors.Is(err, errNotFound) }

// BadRequest reports whether err is a 400, which some LMSs answer for an id that they do not have.
func BadRequest(err error) bool { return errors.Is(err, errBadRequest) }

// failure classifies an answer, nil for a good one. The platform's own opinion comes first.
func (c *Client) failure(a outbound.Answer, call Call) *training.Failure {
	f := training.Fail(training.FailureRefused, call.Operation, call.Path, strconv.Itoa(a.Status))
	f.RetryAfter = outbound.RetryAfter(a.Header.Get("Retry-After"), c.cfg.Now())
	if c.manner.Judge != nil && a.Broken == nil {
		if class, detail := c.manner.Judge(a.Status, a.Body); class != "" {
			f.Class = class
			if detail != "" {
				f.Detail = fmt.Sprint(a.Status, " ", detail)
			}
			return f
		}
	}
	switch {
	case a.OK():
		return nil
	case a.Status >= 500, a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly:
		f.Class = training.FailureUnreachable
	case a.Status == http.StatusTooManyRequests:
		f.Class = training.FailureRateLimited
	case a.Status < 400:
		f.Class = training.FailureMisread // a redirect: to a login page, or to another host
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		f.Class = training.FailureCredentials
	case a.Status == http.StatusNotFound:
		if body, err := a.JSON(); err == nil && json.Valid(body) {
			f.Err = errNotFound
		}
	case a.Status == http.StatusBadRequest:
		f.Err = errBadRequest
	}
	return f
}

// decode reads body as one JSON value, numbers as written. Its error holds none of the body.
func decode(body []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(out) == nil {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return errors.New("answer is not the JSON that the LMS documents")
}

// Text is a text, or a number as written: LMSs send one id as 7 here and as "7" there. null is "".
type Text string

// UnmarshalJSON takes a string, a number or null.
func (t *Text) UnmarshalJSON(data []byte) error {
	var number json.Number
	switch {
	case string(data) == "null":
		*t = ""
		return nil
	case len(data) > 0 && data[0] == '"':
		return json.Unmarshal(data, (*string)(t))
	case json.Unmarshal(data, &number) != nil:
		return errors.New("neither a text nor a number")
	}
	*t = Text(number)
	return nil
}
