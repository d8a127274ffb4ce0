package hooksink

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign/internal/simulator/fault"
)

// Options configure a sink; the zero value takes everything that is well formed, in real time.
type Options struct {
	// Secret is the key of the Standard Webhooks receiver, base64 with or without whsec_; "" takes
	// every signature.
	Secret string
	// Keep is how many messages are kept; 0 means 200.
	Keep int
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// After waits for latencies; time.After when nil.
	After func(time.Duration) <-chan time.Time
}

// Message is a post that took effect: it stands in the channel, or the receiver has it.
type Message struct {
	At       time.Time
	Endpoint fault.Endpoint
	Path     string
	Header   http.Header
	// Body is the post as received.
	Body []byte
	// Problem says why nobody sees it though it was answered with success, "" when they do.
	Problem string
	// Again is true for a webhook-id that was taken before: a receiver acts on the first only.
	Again bool
}

// Sink is the running other side. It is safe for concurrent use.
type Sink struct {
	*fault.Gate

	key     []byte
	keep    int
	clock   *fault.Clock
	handler http.Handler

	mu       sync.Mutex
	messages []Message
	seen     map[string]bool // webhook ids
	received int
	arrived  chan struct{} // closed and replaced at every message
}

// New makes an empty sink. The error is a secret that is not base64; it does not show it.
func New(options Options) (*Sink, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(options.Secret, "whsec_"))
	if err != nil {
		return nil, errors.New("webhook sink: the secret is not base64")
	}
	s := &Sink{
		key: key, keep: options.Keep, clock: fault.NewClock(options.Now),
		seen: map[string]bool{}, arrived: make(chan struct{}),
	}
	if s.keep <= 0 {
		s.keep = 200
	}
	s.Gate = fault.NewGate(fault.Config{Clock: s.clock, After: options.After, Error: writeScripted})
	s.handler = s.routes()
	return s, nil
}

// Handler serves the three receivers and the controls.
func (s *Sink) Handler() http.Handler { return s.handler }

// Messages lists what took effect and is kept, oldest first: at one endpoint, or at all with
// fault.Any.
func (s *Sink) Messages(endpoint fault.Endpoint) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.messages), func(m Message) bool {
		return endpoint != fault.Any && m.Endpoint != endpoint
	})
}

// Wait waits until n messages have taken effect since the start, at any endpoint; the error is that
// of ctx.
func (s *Sink) Wait(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		received, arrived := s.received, s.arrived
		s.mu.Unlock()
		if received >= n {
			return s.Messages(fault.Any), nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return s.Messages(fault.Any), fmt.Errorf("wait for %d messages, have %d: %w", n, received, ctx.Err())
		}
	}
}

// Reset forgets messages, faults, counters, log and clock offset.
func (s *Sink) Reset() {
	s.Gate.Reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.seen, s.received = nil, map[string]bool{}, 0
}

func (s *Sink) take(r *http.Request, x *fault.Exchange, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := Message{At: s.clock.Now(), Endpoint: x.Endpoint, Path: r.URL.Path, Header: r.Header.Clone(), Body: x.Body, Problem: problem}
	if id := r.Header.Get(headerID); x.Endpoint == EndpointWebhook && id != "" {
		m.Again, s.seen[id] = s.seen[id], true
	}
	if s.messages = append(s.messages, m); len(s.messages) > s.keep {
		s.messages = slices.Delete(s.messages, 0, 1)
	}
	s.received++
	close(s.arrived)
	s.arrived = make(chan struct{})
}
