package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// The longest answers that are read, in bytes. A page of 1,000 enrollments has about 1 MB; a Moodle's list of courses,
// which comes whole and with their summaries, some 4 kB a course.
const (
	largestAnswer = 4 << 20
	largestWhole  = 32 << 20
)

// userAgent tells the LMS's administrator who calls.
const userAgent = "Countersign (+LMS lookup)"

// Call is one reading request.
type Call struct {
	// Operation is for failures: "look up user".
	Operation string
	// Method is GET when empty, POST when Form or Body is set.
	Method string
	// Path stands below the URL and names the endpoint in failures, in the log and in the budget; each "{}" in it is
	// replaced by one of Args, escaped. It holds no person: "/users/{}".
	Path string
	Args []string
	// Query holds no e-mail address and no name: addresses are logged by whoever stands in between.
	Query url.Values
	// Form and Body are the request's body: form fields, or something to encode as JSON.
	Form url.Values
	Body any
	// Header goes with the request, before Sign.
	Header http.Header
	// Open leaves out token and signature: the call gets the token, or carries credentials itself.
	Open bool
	// Whole says that the platform answers with everything at once and has no pages to ask for: of such an answer
	// 32 MiB are read, of others 4.
	Whole bool
}

// Do makes the call and decodes a 2xx into out (nil: do not look). The header is the answer's, e.g. for links to the
// next page. Its error is a *training.Failure, or the caller's own cancellation; NotFound tells a 404 apart.
func (c *Client) Do(ctx context.Context, call Call, out any) (http.Header, error) {
	got, err := c.ask(ctx, call)
	if err != nil {
		return nil, err
	}
	if failure := c.failure(got, call); failure != nil {
		return nil, failure
	}
	if out == nil {
		return got.Header, nil
	}
	body, err := got.JSON()
	if err == nil {
		err = decode(body, out)
	}
	if err != nil {
		return nil, &training.Failure{Class: training.FailureMisread, Operation: call.Operation, Key: call.Path, Detail: err.Error(), Err: err}
	}
	return got.Header, nil
}

// ask makes the call, once more with a fresh token after a 401: one that was refused was not carried out.
func (c *Client) ask(ctx context.Context, call Call) (outbound.Answer, error) {
	if call.Open || c.tokens == nil {
		return c.send(ctx, call, "")
	}
	token, err := c.tokens.Get(ctx, nil)
	if err != nil {
		return outbound.Answer{}, err
	}
	got, err := c.send(ctx, call, token.Value)
	if err != nil || got.Status != http.StatusUnauthorized {
		return got, err
	}
	other, err := c.tokens.Get(ctx, token)
	if err != nil {
		return outbound.Answer{}, err
	}
	if other == token {
		return got, nil
	}
	got, err = c.send(ctx, call, other.Value)
	if err == nil && got.Status == http.StatusUnauthorized {
		c.tokens.RefusedFresh()
	}
	return got, err
}

// send makes one HTTP exchange, if the budget has one left, and logs it.
func (c *Client) send(ctx context.Context, call Call, token string) (outbound.Answer, error) {
	req, err := c.request(ctx, call)
	if err != nil {
		return outbound.Answer{}, err
	}
	if !call.Open {
		c.manner.Sign(req, token)
	}
	if wait, ok := c.budgets.take(call.Path, begin(ctx), c.cfg.Now()); !ok {
		failure := training.Fail(training.FailureRateLimited, call.Operation, call.Path, "our budget of calls is used up")
		failure.RetryAfter = wait
		return outbound.Answer{}, failure
	}
	start := c.cfg.Now()
	largest := int64(largestAnswer)
	if call.Whole {
		largest = largestWhole
	}
	got, err := outbound.Do(c.http, req, largest)
	if err == nil && got.Interrupted(ctx) {
		err = got.Broken
	}
	if err != nil {
		err = outbound.Unanswered(ctx, call.Operation, call.Path, err)
		c.record(ctx, call, start, slog.LevelInfo, slog.String("error", err.Error()))
		return outbound.Answer{}, err
	}
	if got.Status == http.StatusTooManyRequests {
		c.budgets.close(call.Path, c.cfg.Now().Add(outbound.RetryAfter(got.Header.Get("Retry-After"), c.cfg.Now())))
	}
	level := slog.LevelInfo
	if got.OK() {
		level = slog.LevelDebug
	}
	c.record(ctx, call, start, level, slog.Int("status", got.Status))
	return got, nil
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	path, ok := fill(call.Path, call.Args)
	if !ok {
		return nil, training.Fail(training.FailureRefused, call.Operation, call.Path, "an id of the event cannot stand in an address")
	}
	target := c.root + path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	var body io.Reader
	media, method := "", http.MethodGet
	switch {
	case call.Form != nil:
		body, media, method = strings.NewReader(call.Form.Encode()), "application/x-www-form-urlencoded", http.MethodPost
	case call.Body != nil:
		encoded, err := json.Marshal(call.Body)
		if err != nil {
			return nil, training.FailWith(training.FailureDefect, call.Operation, call.Path, err)
		}
		body, media, method = bytes.NewReader(encoded), "application/json", http.MethodPost
	}
	if call.Method != "" {
		method = call.Method
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, training.Fail(training.FailureDefect, call.Operation, call.Path, "request cannot be built")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	return req, nil
}

// fill replaces each "{}" in path by the next of args; ok is false where one of them cannot stand there.
func fill(path string, args []string) (filled string, ok bool) {
	parts := strings.Split(path, "{}")
	if len(parts) != len(args)+1 {
		return "", false
	}
	var out strings.Builder
	for i, part := range parts {
		out.WriteString(part)
		if i == len(args) {
			break
		}
		if !outbound.Segment(args[i]) {
			return "", false
		}
		out.WriteString(url.PathEscape(args[i]))
	}
	return out.String(), true
}

// record logs a call, without its arguments: they may name a person.
func (c *Client) record(ctx context.Context, call Call, start time.Time, level slog.Level, outcome slog.Attr) {
	c.cfg.Log.LogAttrs(ctx, level, "lms call", slog.String("platform", c.manner.Platform), slog.String("operation", call.Operation),
		slog.String("path", call.Path), slog.Duration("duration", c.cfg.Now().Sub(start)), outcome)
}
