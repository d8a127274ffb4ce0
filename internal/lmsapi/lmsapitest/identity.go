package lmsapitest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// mixedUp is a way to an LMS on which somebody answers about Jane, whoever is asked for.
type mixedUp struct{ asked string }

// RoundTrip implements http.RoundTripper.
func (m mixedUp) RoundTrip(r *http.Request) (*http.Response, error) {
	again := r.Clone(r.Context())
	target, err := url.Parse(strings.ReplaceAll(r.URL.String(), m.asked, Jane().ID))
	if err != nil {
		return nil, err
	}
	again.URL = target
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		again.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(m.asked), []byte(Jane().ID))))
	}
	return http.DefaultTransport.RoundTrip(again)
}

// An LMS that reads an id in its own way, or a cache in between, must not give a completion somebody else's e-mail
// address, employee number or score.
func testMixedUp(t *testing.T, spec Spec) {
	const asked = "10299" // as long as Jane's
	w := newWorld(t, spec, func(cfg *rest.Config) { cfg.HTTP = &http.Client{Transport: mixedUp{asked}} })
	event := spec.Event
	event.Learner = training.Learner{ID: asked}
	got, err := w.client.Lookup(t.Context(), event)
	if err != nil {
		requireFailure(t, err, training.FailureMisread)
	}
	require.Empty(t, got.Learner)
	require.Empty(t, got.Score)
	require.NotZero(t, w.calls(), "somebody was asked")
}

// Who finished the course again is shown with the result of the second time. It is not the first one's.
func testDoneAgain(t *testing.T, spec Spec) {
	if spec.Undated {
		return
	}
	w := newWorld(t, spec, nil)
	event := spec.Event
	event.CompletedAt = event.CompletedAt.AddDate(-1, 0, 0)
	got, err := w.client.Lookup(t.Context(), event)
	require.NoError(t, err)
	require.Empty(t, got.Score)
	require.Zero(t, got.CompletedAt)
	require.Nil(t, got.ExpiresAt)
}
