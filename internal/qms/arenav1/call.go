package arenav1

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// largestBody is the longest answer that is read, in bytes. A page of 400 records has about 300 kB.
const largestBody = 4 << 20

// longestRequestID bounds what we make up ourselves.
const longestRequestID = 128

// call is one request.
type call struct {
	operation string // for failures: "read roster"
	key       string // for failures: a plan; never a person
	method    string
	template  string // for the log: "/trainingplans/{guid}/users"
	path      string // escaped, below /v1
	query     url.Values

	contentType string
	body        []byte
	requestID   string

	// missing is the class of a 400 that says that what the path names does not exist.
	missing training.FailureClass
	// enrolls marks the call that only a plan's manager may make.
	enrolls bool
}

// read sends a GET and decodes its answer.
func (c *Client) read(ctx context.Context, call call, out any) error {
	call.method = http.MethodGet
	got, err := c.ask(ctx, call)
	switch {
	case err != nil:
		return err
	case !got.OK():
		return got.failure(call, c.now())
	}
	if err := got.decode(out); err != nil {
		return &training.Failure{Class: training.FailureMisread, Operation: call.operation, Key: call.key, Detail: err.Error(), Err: err}
	}
	return nil
}

// write sends a POST. Any 2xx is an answer: an unreadable body after it says nothing about whether the
// change was made.
func (c *Client) write(ctx context.Context, call call) error {
	call.method = http.MethodPost
	got, err := c.ask(ctx, call)
	if err == nil && !got.OK() {
		return got.failure(call, c.now())
	}
	return err
}

// ask sends the call and returns the answer, of whatever status. After a 401 it signs in and sends the
// call once more; a 401 was not executed, so that is safe for writes too.
func (c *Client) ask(ctx context.Context, call call) (answer, error) {
	if err := c.budget.spent(c.cfg.Reserve, call, c.now()); err != nil {
		return answer{}, err
	}
	first, err := c.door.get(ctx, nil)
	if err != nil {
		return answer{}, err
	}
	got, err := c.send(ctx, call, first)
	if err != nil || got.Status != http.StatusUnauthorized {
		return got, err
	}
	second, err := c.door.get(ctx, first)
	if err != nil || second == first {
		return got, err
	}
	got, err = c.send(ctx, call, second)
	if err == nil && got.Status == http.StatusUnauthorized {
		c.door.refusedFresh(ctx)
	}
	return got, err
}

func (c *Client) send(ctx context.Context, call call, p *pass) (answer, error) {
	target := c.root + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(call.body))
	if err != nil {
		return answer{}, training.Fail(training.FailureDefect, call.operation, call.key, "request cannot be built")
	}
	if call.contentType != "" {
		req.Header.Set("Content-Type", call.contentType)
	}
	if outbound.HeaderText(call.requestID, longestRequestID) {
		req.Header.Set("X-Request-ID", call.requestID) // not in the help; for the logs of what stands between
	}
	p.show(req, c.now())
	got, err := c.exchange(ctx, call, req)
	if err == nil {
		c.budget.note(got, c.now())
	}
	return got, err
}

// exchange makes one HTTP exchange and logs it. Its error is the caller's cancellation, or a
// *training.Failure when no answer came.
func (c *Client) exchange(ctx context.Context, call call, req *http.Request) (answer, error) {
	req.Header.Set("Accept", "application/json")
	if c.cfg.UsageReason != "" {
		req.Header.Set("Arena-Usage-Reason", c.cfg.UsageReason)
	}
	if c.cfg.Spend != nil {
		if err := c.cfg.Spend(ctx); err != nil {
			return answer{}, err
		}
	}
	start := c.now()
	plain, err := outbound.Do(c.http, req, largestBody)
	got := answer{Answer: plain}
	if err == nil && got.Interrupted(ctx) && !(call.method == http.MethodPost && got.OK()) {
		err = got.Broken
	}
	if err != nil {
		err = outbound.Unanswered(ctx, call.operation, call.key, err)
		c.record(ctx, call, start, slog.String("error", err.Error()))
		return answer{}, err
	}
	if !got.OK() {
		got.code = got.number()
	}
	c.record(ctx, call, start, slog.Int("status", got.Status), slog.Int("code", got.code))
	return got, nil
}

// record logs a call (R130). What an error answer says is left out, because it may name somebody; its
// number says the same. Successful reads are for debugging only.
func (c *Client) record(ctx context.Context, call call, start time.Time, outcome ...slog.Attr) {
	level := slog.LevelInfo
	if outcome[0].Key == "status" && outcome[0].Value.Int64() < 300 && call.method == http.MethodGet {
		level = slog.LevelDebug
	}
	attrs := append([]slog.Attr{
		slog.String("method", call.method),
		slog.String("path", call.template),
		slog.String("key", call.key),
		slog.Duration("duration", c.now().Sub(start)),
	}, outcome...)
	c.log.LogAttrs(ctx, level, "qms call", attrs...)
}
