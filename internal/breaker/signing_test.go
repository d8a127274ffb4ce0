package breaker_test

import (
	"context"
	"testing"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/qms"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// signing is a client of a QMS that the trainee's signature completes.
type signing struct {
	client
}

func (s *signing) Signatures(context.Context, string) ([]training.Signature, error) {
	return nil, s.read
}
func (s *signing) Attached(context.Context, string, qms.Document) (bool, error) { return false, s.read }
func (s *signing) Attach(context.Context, string, qms.Document, string) error {
	return s.write
}

// What a watched client can do is what it could do before, and all of it is counted.
func TestASigningClientStaysOne(t *testing.T) {
	b := breaker.New(breaker.Config{Failures: 1, Patience: 15 * time.Minute, Now: func() time.Time { return start }})
	_, signs := b.Watch(&client{}, "1").Client().(qms.Signing)
	require.False(t, signs)

	for name, ask := range map[string]func(qms.Signing) error{
		"signatures": func(c qms.Signing) error { _, err := c.Signatures(t.Context(), "TR-1"); return err },
		"attached": func(c qms.Signing) error {
			_, err := c.Attached(t.Context(), "TR-1", qms.Document{Name: "EV-1.pdf"})
			return err
		},
		"attach": func(c qms.Signing) error { return c.Attach(t.Context(), "TR-1", qms.Document{}, "") },
		"record": func(c qms.Signing) error { _, err := c.Record(t.Context(), "TR-1"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			b := breaker.New(breaker.Config{Failures: 1, Patience: 15 * time.Minute, Now: func() time.Time { return start }})
			down := failure(training.FailureUnreachable)
			watch := b.Watch(&signing{client{read: down, write: down}}, "1")
			watched, signs := watch.Client().(qms.Signing)
			require.True(t, signs)
			require.ErrorIs(t, ask(watched), down)
			_, tripped := watch.Tripped()
			require.True(t, tripped)
		})
	}
}
