package arenav1

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/training"
)

// largestBody is the longest answer that is read, in bytes. A page of 400 records has about 300 kB.
const largestBody = 4 << 20

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

// answer is what came back, read to its end or to where it broke.
type answer struct {
	status int
	header http.Header
	body   []byte
	broken error // why the body could not be read to its end
	code   int   // the error's number, 0 if there is none
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// read sends a GET and decodes its answer.
func (c *Client) read(ctx context.Context, call call, out any) error {
	call.method = http.MethodGet
	got, err := c.ask(ctx, call)
	switch {
	case err != nil:
		return err
	case !got.ok():
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
	if err == nil && !got.ok() {
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
	if err != nil || got.status != http.StatusUnauthorized {
		return got, err
	}
	second, err := c.door.get(ctx, first)
	if err != nil || second == first {
		return got, err
	}
	got, err = c.send(ctx, call, second)
	if err == nil && got.status == http.StatusUnauthorized {
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
	if headerText(call.requestID) {
		req.Header.Set("X-Request-ID", call.requestID) // not in the help; for the logs of what stands between
	}
	p.show(req, c.now())
	got, err := c.exchange(ctx, call, req)
	if err == nil {
		c.budget.note(got.header, c.now())
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
	res, err := c.http.Do(req)
	if err != nil {
		err = unanswered(ctx, call.operation, call.key, err)
		c.record(ctx, call, start, slog.String("error", err.Error()))
		return answer{}, err
	}
	got := readAnswer(res)
	late, ok := errors.AsType[net.Error](got.broken)
	interrupted := got.broken != nil && (ctx.Err() != nil || ok && late.Timeout())
	if interrupted && !(call.method == http.MethodPost && got.ok()) {
		err = unanswered(ctx, call.operation, call.key, got.broken)
		c.record(ctx, call, start, slog.String("error", err.Error()))
		return answer{}, err
	}
	c.record(ctx, call, start, slog.Int("status", got.status), slog.Int("code", got.code))
	return got, nil
}

func readAnswer(res *http.Response) answer {
	defer res.Body.Close()
	got := answer{status: res.StatusCode, header: res.Header}
	got.body, got.broken = io.ReadAll(io.LimitReader(res.Body, largestBody+1))
	if len(got.body) > largestBody {
		got.broken = errTooLarge
	}
	if !got.ok() {
		got.code = got.number()
	}
	return got
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

// encoded is body as JSON; what is sent are plain structs.
func encoded(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		return nil
	}
	return text
}
