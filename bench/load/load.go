// Package load sends signed completions as an LMS would and takes the time until each is
// acknowledged: as fast as a number of connections allows, or at a steady pace.
package load

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Secret signs the deliveries.
	Secret = "s3cret-of-the-measuring-lms"
	// SignatureHeader carries the signature.
	SignatureHeader = "X-Hub-Signature-256"
	// Domain is the LMS's, Course what everybody finishes, ApprovalCourse what asks for an approval.
	Domain, Course, ApprovalCourse = "acme.lms.example.com", "COMP-2026", "ASEPTIC-2026"
	// Size is that of a body in bytes.
	Size = 1 << 10
	// Connections is how many an LMS opens at once.
	Connections = 64
	// patience is how long an LMS waits for an answer (R6).
	patience = 30 * time.Second
)

// Delivery is a signed body.
type Delivery struct {
	body      []byte
	signature string
}

// Deliveries makes n completions of a course, each of another learner; first is the number of
// the first learner. None repeats unless the numbers do.
func Deliveries(first, n int, course string) []Delivery {
	all := make([]Delivery, n)
	for i := range all {
		body := event(first+i, course)
		mac := hmac.New(sha256.New, []byte(Secret))
		mac.Write(body)
		all[i] = Delivery{body, "sha256=" + hex.EncodeToString(mac.Sum(nil))}
	}
	return all
}

// firstEmployee keeps the numbers out of the way of the ids by which the simulated QMS is steered.
const firstEmployee = 1_000_000

// event is a canonical envelope of exactly Size bytes.
func event(learner int, course string) []byte {
	learner += firstEmployee
	event := fmt.Sprintf(`{"id":"wh-%d","event":"course.completion","version":"1.0","fired_at":"2026-04-08T14:30:22.000Z",`+
		`"timestamp":1775658622,"original_domain":%q,"payload":{"user":{"id":%d,"email":"l%d@example.com",`+
		`"first_name":"Jordan","last_name":"Lee","external_id":"HR-%d"},"course":{"id":5541,"title":"Annual Compliance Training 2026",`+
		`"code":%q,"completion_date":"2026-04-08T14:30:00Z","score":91.5,"passed":true},`+
		`"certificate":{"issued":true,"expiry_date":"2027-04-08T00:00:00Z"}},"note":"`, learner, Domain, learner, learner, learner, course)
	const end = `"}`
	return []byte(event + strings.Repeat("x", Size-len(event)-len(end)) + end)
}

// Client keeps its connections open. It is safe for concurrent use.
type Client struct{ http *http.Client }

// NewClient makes a client of at most Connections connections.
func NewClient() *Client {
	return &Client{&http.Client{
		Timeout:   patience,
		Transport: &http.Transport{MaxIdleConnsPerHost: Connections, MaxConnsPerHost: Connections},
	}}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Result is what became of a number of deliveries, all of them acknowledged.
type Result struct {
	// Took is the time from the first request to the last answer.
	Took time.Duration
	// Latencies are those of the single deliveries, in no order.
	Latencies []time.Duration
}

// Add puts another result behind this one.
func (r *Result) Add(other Result) {
	r.Took += other.Took
	r.Latencies = append(r.Latencies, other.Latencies...)
}

// PerSecond is how many were acknowledged a second.
func (r Result) PerSecond() float64 { return float64(len(r.Latencies)) / r.Took.Seconds() }

// Burst sends everything over Connections connections, each of which sends its next delivery
// when the one before is answered.
func (c *Client) Burst(ctx context.Context, url string, all []Delivery) (Result, error) {
	latencies, errs := make([]time.Duration, len(all)), make([]error, Connections)
	var next atomic.Int64
	var senders sync.WaitGroup
	start := time.Now()
	for s := range Connections {
		senders.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(all)); n = next.Add(1) - 1 {
				begun := time.Now()
				if err := c.deliver(ctx, url, all[n]); err != nil {
					errs[s] = err
					return
				}
				latencies[n] = time.Since(begun)
			}
		})
	}
	senders.Wait()
	return Result{time.Since(start), latencies}, errors.Join(errs...)
}

// Paced sends one delivery after each pause, whether or not those before are answered, and ends
// with the last answer or, after what is under way, when stop is closed. A latency counts from
// when the delivery was due, so that a stall is not measured once only.
func (c *Client) Paced(ctx context.Context, url string, all []Delivery, pause time.Duration, stop <-chan struct{}) (Result, error) {
	var (
		under sync.WaitGroup
		mu    sync.Mutex
		r     Result
		errs  []error
	)
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
send:
	for n, d := range all {
		due := start.Add(time.Duration(n) * pause)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-stop:
			break send
		case <-ctx.Done():
			errs = append(errs, ctx.Err())
			break send
		}
		under.Go(func() {
			err := c.deliver(ctx, url, d)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			r.Latencies = append(r.Latencies, time.Since(due))
		})
	}
	under.Wait()
	r.Took = time.Since(start)
	return r, errors.Join(errs...)
}

func (c *Client) deliver(ctx context.Context, url string, d Delivery) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, d.signature)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("deliver: %s", response.Status)
	}
	return nil
}
