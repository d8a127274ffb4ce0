package arena

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// largestBody is the longest answer that is read, in bytes. A page of 100 records has about 50 kB.
const largestBody = 1 << 20

// longestRequestID is what the contract allows for X-Request-ID.
const longestRequestID = 128

// call is one request in the words of the contract.
type call struct {
	operation string // for failures: "complete record"
	key       string // for failures: a record id, or a path with the person left out
	method    string
	template  string // for the log: "/training/records/{id}/complete"
	path      string // escaped, below /api/v1
	query     url.Values
	body      any
	requestID string // made up when empty
	// write marks a call that changes something: any 2xx is then an answer, because an
	// unreadable body after it says nothing about whether the change was made.
	write    bool
	approval bool // 403 means that this account may not approve
}

// answer is what came back.
type answer struct {
	outbound.Answer
	reason string // the contract's stable word of an error, "" if none was understood
}

// do sends the call and decodes a 2xx into out (nil: do not look).
func (c *Client) do(ctx context.Context, call call, out any) error {
	got, err := c.ask(ctx, call)
	switch {
	case err != nil:
		return err
	case !got.OK():
		return got.failure(call, c.now())
	case call.write:
		return nil
	}
	if err := got.decode(out); err != nil {
		return &training.Failure{Class: training.FailureMisread, Operation: call.operation, Key: call.key, Detail: err.Error(), Err: err}
	}
	return nil
}

// ask sends the call and returns the answer, of whatever status. After a 401 it sends the call
// once more with another token; a 401 was not executed, so that is safe for writes too.
func (c *Client) ask(ctx context.Context, call call) (answer, error) {
	if call.requestID == "" {
		call.requestID = uuid.NewString()
	}
	if !outbound.HeaderText(call.requestID, longestRequestID) {
		return answer{}, training.Fail(training.FailureDefect, call.operation, call.key, "request id is not 1 to 128 visible ASCII characters")
	}
	body, err := encode(call)
	if err != nil {
		return answer{}, err
	}
	token, err := c.tokens.Get(ctx, nil)
	if err != nil {
		return answer{}, err
	}
	got, err := c.send(ctx, call, body, token)
	if err != nil || got.Status != http.StatusUnauthorized {
		return got, err
	}
	other, err := c.tokens.Get(ctx, token)
	if err != nil {
		return answer{}, err
	}
	if other == token {
		return got, nil
	}
	got, err = c.send(ctx, call, body, other)
	if err == nil && got.Status == http.StatusUnauthorized {
		c.tokens.RefusedFresh()
	}
	return got, err
}

func encode(call call) ([]byte, error) {
	if call.body == nil {
		return nil, nil
	}
	body, err := json.Marshal(call.body)
	if err != nil {
		return nil, training.FailWith(training.FailureDefect, call.operation, call.key, err)
	}
	return body, nil
}

func (c *Client) send(ctx context.Context, call call, body []byte, token *outbound.Token) (answer, error) {
	target := c.root + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(body))
	if err != nil {
		return answer{}, training.Fail(training.FailureDefect, call.operation, call.key, "request cannot be built")
	}
	req.Header.Set("Authorization", "Bearer "+token.Value)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.exchange(ctx, call, req)
}

// exchange makes one HTTP exchange and logs it. Its error is the caller's cancellation, or a
// *training.Failure when no answer came.
func (c *Client) exchange(ctx context.Context, call call, req *http.Request) (answer, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Request-ID", call.requestID)
	if err := c.spend(ctx); err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", call.operation, call.key, err)
	}
	start := c.now()
	answered, err := outbound.Do(c.http, req, largestBody)
	if err != nil {
		err = outbound.Unanswered(ctx, call.operation, call.key, err)
		c.record(ctx, call, start, slog.String("error", err.Error()))
		return answer{}, err
	}
	got := read(answered)
	if got.Interrupted(ctx) && !(call.write && got.OK()) {
		err = outbound.Unanswered(ctx, call.operation, call.key, got.Broken)
		c.record(ctx, call, start, slog.String("error", err.Error()))
		return answer{}, err
	}
	attrs := []slog.Attr{slog.Int("status", got.Status)}
	if got.reason != "" {
		attrs = append(attrs, slog.String("reason", got.reason))
	}
	c.record(ctx, call, start, attrs...)
	return got, nil
}

// read looks for the reason of an error answer.
func read(answered outbound.Answer) answer {
	got := answer{Answer: answered}
	if !got.OK() {
		got.reason = got.word()
	}
	return got
}

// record logs a call (R130). The message of an error answer is left out, because it may name
// the employee; its reason word says the same. Successful reads are for debugging only.
func (c *Client) record(ctx context.Context, call call, start time.Time, outcome ...slog.Attr) {
	level := slog.LevelInfo
	if len(outcome) == 1 && outcome[0].Key == "status" && outcome[0].Value.Int64() < 300 && !call.write {
		level = slog.LevelDebug
	}
	attrs := append([]slog.Attr{
		slog.String("method", call.method),
		slog.String("path", "/api/v1"+call.template),
		slog.String("key", call.key),
		slog.String("request_id", call.requestID),
		slog.Duration("duration", c.now().Sub(start)),
	}, outcome...)
	c.log.LogAttrs(ctx, level, "qms call", attrs...)
}
