// Package load sends the traffic of a run the way an LMS does: at a steady pace, over several
// connections, each delivery again after a while when it brought no answer or a 5xx, and not
// for ever. Everything it does is in the ledger before it does it.
package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/traffic"
	"countersign/internal/simulator/sender"
)

// Options are what New needs.
type Options struct {
	URL     string
	Traffic traffic.Traffic
	Ledger  *ledger.Ledger
	// Pace is the pause between two deliveries.
	Pace time.Duration
	// Retries are the waits before each repetition of a delivery that was not answered, or with a
	// 5xx or 429; then the sender gives it up. nil means Retries().
	Retries []time.Duration
	// Before is called before a delivery is sent the first time.
	Before func(delivery int)
	// Refused counts the answers 5xx and 429; nil counts nothing.
	Refused *atomic.Int64
}

// Sender sends. It is safe for concurrent use.
type Sender struct {
	options Options
	client  *http.Client
	sends   atomic.Int64

	mu  sync.Mutex
	err error // the first failure that is ours
}

const (
	// patience is how long a sender waits for an answer.
	patience = 10 * time.Second
	// connections is how many deliveries are under way at once.
	connections = 64
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 64 << 10
)

// Retries are the usual waits: a sender of the patient kind, in a hurry.
func Retries() []time.Duration {
	return []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}
}

// New makes a sender.
func New(options Options) *Sender {
	if options.Retries == nil {
		options.Retries = Retries()
	}
	return &Sender{options: options, client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections},
	}}
}

// Run sends everything in order and returns when the last delivery is acknowledged or given up.
func (s *Sender) Run(ctx context.Context) error {
	var under sync.WaitGroup
	ticks := time.NewTicker(s.options.Pace)
	defer ticks.Stop()
	for i := range s.options.Traffic.Deliveries {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
		s.options.Before(i)
		under.Go(func() { s.deliver(ctx, s.options.Traffic.Deliveries[i]) })
	}
	under.Wait()
	return s.failure(ctx)
}

// Again sends everything once more at once, as an administrator of the LMS does.
func (s *Sender) Again(ctx context.Context) error {
	return s.parallel(ctx, s.options.Traffic.Deliveries)
}

// Herd sends one delivery n times at once.
func (s *Sender) Herd(ctx context.Context, d traffic.Delivery, n int) error {
	many := make([]traffic.Delivery, n)
	for i := range many {
		many[i] = d
	}
	return s.parallel(ctx, many)
}

func (s *Sender) parallel(ctx context.Context, deliveries []traffic.Delivery) error {
	var under sync.WaitGroup
	next := make(chan traffic.Delivery)
	for range connections {
		under.Go(func() {
			for d := range next {
				s.deliver(ctx, d)
			}
		})
	}
	for _, d := range deliveries {
		next <- d
	}
	close(next)
	under.Wait()
	return s.failure(ctx)
}

func (s *Sender) failure(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return ctx.Err()
}

func (s *Sender) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// deliver sends until there is an answer that settles it.
func (s *Sender) deliver(ctx context.Context, d traffic.Delivery) {
	waits := s.options.Retries
	for attempt := 0; ; attempt++ {
		settled, err := s.send(ctx, d)
		if err != nil {
			s.fail(err)
			return
		}
		if settled || attempt == len(waits) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(waits[attempt]):
		}
	}
}

// send makes one request. Its error is ours; the receiver's is in the ledger.
func (s *Sender) send(ctx context.Context, d traffic.Delivery) (settled bool, err error) {
	e := ledger.Entry{Kind: ledger.Sending, Send: int(s.sends.Add(1)), Delivery: d.Number, Key: d.Key}
	if d.Poison != traffic.Sound {
		e.Key = -1 // nothing is owed to what was forged or broken
	}
	if err := s.options.Ledger.Write(e); err != nil {
		return false, err
	}
	begun := time.Now()
	status, body, postErr := s.post(ctx, d)
	e.Took = time.Since(begun)
	if postErr != nil {
		e.Kind = ledger.Silence
		return false, s.options.Ledger.Write(e)
	}
	e.Kind, e.Status = ledger.Answered, status
	if status == http.StatusOK {
		if err := note(&e, body); err != nil {
			return false, fmt.Errorf("delivery %d: %w", d.Number, err)
		}
	}
	settled = status < 500 && status != http.StatusTooManyRequests
	if !settled && s.options.Refused != nil {
		s.options.Refused.Add(1)
	}
	return settled, s.options.Ledger.Write(e)
}

func (s *Sender) post(ctx context.Context, d traffic.Delivery) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, nil, err
	}
	// Without it net/http would repeat a request on its own, past the ledger.
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(sender.SignatureHeader, d.Signature)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, body, err
}
