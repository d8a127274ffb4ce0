package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// SignatureHeader carries the signature of the raw body.
const SignatureHeader = "X-Hub-Signature-256"

// Options configure a sender.
type Options struct {
	// URL is the webhook address.
	URL string
	// Secret signs every body.
	Secret string
	// Client is http.DefaultClient with a timeout of 10 s when nil: the patience of an LMS.
	Client *http.Client
	// Retries are the waits before each repetition after a lost answer, 429 or 5xx; none
	// means that a delivery is tried once.
	Retries []time.Duration
	// Wait waits between attempts; a timer when nil.
	Wait func(ctx context.Context, d time.Duration) error
}

// Sender posts signed deliveries. It is safe for concurrent use.
type Sender struct{ options Options }

// Answer is what the receiver said at last.
type Answer struct {
	Status   int
	Body     []byte
	Attempts int
}

const patience = 10 * time.Second

// maxAnswer is how much of an answer is kept, in bytes.
const maxAnswer = 64 << 10

// New makes a sender.
func New(options Options) *Sender {
	if options.Client == nil {
		options.Client = &http.Client{Timeout: patience}
	}
	if options.Wait == nil {
		options.Wait = wait
	}
	return &Sender{options}
}

// Send posts the envelope. Every attempt carries the same bytes.
func (s *Sender) Send(ctx context.Context, e Envelope) (Answer, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return Answer{}, fmt.Errorf("encode delivery %s: %w", e.ID, err)
	}
	return s.SendBody(ctx, body)
}

// SendBody signs and posts body as it stands. The error is that of the last attempt when none
// brought an answer; an answer of any status is no error.
func (s *Sender) SendBody(ctx context.Context, body []byte) (Answer, error) {
	for attempt := 1; ; attempt++ {
		answer, err := s.post(ctx, body)
		answer.Attempts = attempt
		again := err != nil || answer.Status == http.StatusTooManyRequests || answer.Status >= 500
		if !again || attempt > len(s.options.Retries) {
			return answer, err
		}
		if stop := s.options.Wait(ctx, s.options.Retries[attempt-1]); stop != nil {
			return answer, fmt.Errorf("send delivery: %w", stop)
		}
	}
}

func (s *Sender) post(ctx context.Context, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("send delivery: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, Sign(s.options.Secret, body))
	response, err := s.options.Client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("send delivery: %w", err)
	}
	// The answer has been read by then; a failing Close says nothing about it.
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("read answer to delivery: %w", err)
	}
	return Answer{Status: response.StatusCode, Body: data}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
