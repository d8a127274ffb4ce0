package xapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"countersign/internal/training"
)

// DefaultVersion is what nearly every LRS speaks. IEEE 9274.1.1 is version 2.0.
const DefaultVersion = "1.0.3"

// maxAnswer is how much of an answer is read, in bytes. A statement of ours has about one KB.
const maxAnswer = 1 << 20

// ClientConfig is one LRS and our account there.
type ClientConfig struct {
	// Endpoint is the base address, e.g. "https://lrs.example/xapi"; a trailing "/" or
	// "/statements" is taken off.
	Endpoint string
	// Username and Password are the key and secret for HTTP Basic.
	Username string
	Password string
	// Version is the X-Experience-API-Version header; DefaultVersion when "".
	Version string
	// HTTP makes the requests; nil for an ordinary client. Its timeout is 30 seconds unless it
	// has one. Redirects are never followed: they would carry the credentials elsewhere.
	HTTP *http.Client
	// Log takes what is worth knowing and nobody's data; nil for none.
	Log *slog.Logger
}

// Client puts statements into one LRS and reads them back. It is safe for concurrent use.
//
// Its errors are *training.Failure, except for context.Canceled, which passes through.
// They name the operation and the statement id, never the LRS's words: an LRS repeats in them
// what it was sent.
type Client struct {
	base     string
	username string
	password string
	version  string
	http     *http.Client
	log      *slog.Logger
}

// NewClient checks the settings; it makes no request.
func NewClient(cfg ClientConfig) (*Client, error) {
	u, err := url.Parse(cfg.Endpoint)
	switch {
	case err != nil:
		return nil, errors.New("LRS endpoint: not a URL") // url.Error would show it
	case (u.Scheme != "https" && u.Scheme != "http") || u.Host == "":
		return nil, errors.New("LRS endpoint: want http(s)://host/path")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("LRS endpoint: user name, query or fragment in the address")
	}
	base := strings.TrimRight(cfg.Endpoint, "/")
	base = strings.TrimRight(strings.TrimSuffix(base, "/statements"), "/")

	c := &Client{
		base: base, username: cfg.Username, password: cfg.Password,
		version: cmp.Or(cfg.Version, DefaultVersion),
		http:    &http.Client{Timeout: 30 * time.Second}, log: cfg.Log,
	}
	if cfg.HTTP != nil {
		own := *cfg.HTTP
		own.Timeout = cmp.Or(own.Timeout, c.http.Timeout)
		c.http = &own
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Put stores a statement under its id, once: sending the same bytes again changes nothing,
// whatever became of the attempts before. A 409 is settled by reading what the LRS holds.
func (c *Client) Put(ctx context.Context, id string, body []byte) error {
	const operation = "put statement"
	answer, err := c.do(ctx, operation, id, http.MethodPut, "/statements", url.Values{"statementId": {id}}, body)
	if err != nil {
		return err
	}
	switch answer.status {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusConflict:
		return c.settle(ctx, id, body)
	}
	return answer.failure(operation, id)
}

// settle decides a 409: the LRS holds something under this id. It means success where that says
// the same, because LRSs answer 409 to other spellings, and some to every repeat. What somebody
// has voided is for a person to judge; what is missing the LRS does not show yet.
func (c *Client) settle(ctx context.Context, id string, body []byte) error {
	const operation = "read statement back"
	shown, err := c.ReadBack(ctx, id, body)
	if err != nil {
		return err
	}
	switch shown.Standing {
	case Different:
		return training.Fail(training.FailureStatementConflict, operation, id, "409 Conflict, other "+shown.Part)
	case Voided:
		return training.Fail(training.FailureStatementConflict, operation, id, "409 Conflict, voided")
	case Missing:
		return training.Fail(training.FailureUnreachable, operation, id, "409 Conflict, but not readable yet")
	}
	c.log.InfoContext(ctx, "statement was there already", "statement", id)
	return nil
}

// About returns the xAPI versions the LRS speaks: a connection test that writes nothing.
func (c *Client) About(ctx context.Context) ([]string, error) {
	const operation = "read about"
	answer, err := c.do(ctx, operation, "", http.MethodGet, "/about", nil, nil)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, answer.failure(operation, "")
	}
	var about struct {
		Version []string `json:"version"`
	}
	if answer.cut {
		return nil, answer.tooLarge(operation, "")
	}
	if err := json.Unmarshal(answer.body, &about); err != nil || len(about.Version) == 0 {
		return nil, training.Fail(training.FailureMisread, operation, "", "no list of versions")
	}
	return about.Version, nil
}

// do makes one request and reads the whole answer.
func (c *Client) do(ctx context.Context, operation, id, method, path string, query url.Values, body []byte) (answer, error) {
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, training.FailWith(training.FailureDefect, operation, id, err)
	}
	request.Header.Set("X-Experience-API-Version", c.version)
	request.Header.Set("Accept", "application/json")
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	request.SetBasicAuth(c.username, c.password)

	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, unreachable(ctx, operation, id, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return answer{}, unreachable(ctx, operation, id, err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: text}
	if len(text) > maxAnswer {
		got.body, got.cut = text[:maxAnswer], true
	}
	return got, nil
}

// unreachable is a request without an answer: whether it was stored is not known, and the same
// bytes may be sent again.
func unreachable(ctx context.Context, operation, id string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s %s: %w", operation, id, context.Canceled)
	}
	f := training.FailWith(training.FailureUnreachable, operation, id, err)
	f.Detail = "no answer"
	return f
}
