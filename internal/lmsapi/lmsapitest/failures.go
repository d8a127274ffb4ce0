package lmsapitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// requireFailure checks the class ("" for any) and that nothing which must stay in got out.
func requireFailure(t *testing.T, err error, class training.FailureClass) *training.Failure {
	t.Helper()
	var failure *training.Failure
	require.ErrorAs(t, err, &failure)
	if class != "" {
		require.Equal(t, class, failure.Class, failure.Error())
	}
	require.NotEmpty(t, failure.Operation)
	encoded, encodeErr := json.Marshal(failure)
	require.NoError(t, encodeErr)
	jane := Jane()
	for _, shown := range []string{failure.Error(), string(encoded), err.Error(), fmt.Sprint(errors.Unwrap(err))} {
		for _, secret := range []string{jane.ID, jane.Username, jane.Email, jane.ExternalID, jane.LastName, "s3cret"} {
			require.NotContains(t, shown, secret)
		}
	}
	return failure
}

func testFailures(t *testing.T, spec Spec) {
	for name, tc := range map[string]struct {
		fault fault.Fault
		want  training.FailureClass
	}{
		"500":          {fault.Status(500, fault.Forever), training.FailureUnreachable},
		"503":          {fault.Status(503, fault.Forever), training.FailureUnreachable},
		"dropped":      {fault.DropBefore(fault.Forever), training.FailureUnreachable},
		"403":          {fault.Status(403, fault.Forever), training.FailureCredentials},
		"401 for ever": {fault.Status(401, fault.Forever), training.FailureCredentials},
		"422":          {fault.Status(422, fault.Forever), training.FailureRefused},
		"302":          {fault.Status(302, fault.Forever), training.FailureMisread},
		"malformed":    {fault.Malformed(fault.Forever), training.FailureMisread},
		"cut off":      {fault.Truncated(fault.Forever), training.FailureMisread},
		"huge":         {fault.Huge(0, fault.Forever), training.FailureMisread},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, spec, nil)
			w.lms.Fault(fault.Any, tc.fault)
			requireFailure(t, w.lookup(t), tc.want)
			w.lms.ClearFaults()
			w.pass(time.Minute) // past what is left alone after a failure
			require.NoError(t, w.lookup(t), "it was the LMS's fault, and over")
		})
	}
	t.Run("one 401 is a fresh token_R15", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		require.NoError(t, w.lookup(t))
		before := w.tokenCalls()
		w.lms.RevokeTokens()
		if spec.Manner.Fetch != nil {
			require.NoError(t, w.lookup(t))
			require.Equal(t, before+1, w.tokenCalls())
		}
	})
	t.Run("silence ends with the caller's time", func(t *testing.T) {
		w := newWorld(t, spec, func(cfg *rest.Config) { cfg.HTTP = &http.Client{Timeout: 100 * time.Millisecond} })
		w.lms.Fault(fault.Any, fault.Slow(-1, fault.Forever))
		requireFailure(t, w.lookup(t), training.FailureUnreachable)
	})
	t.Run("the caller gives up", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.client.Lookup(ctx, spec.Event)
		require.ErrorIs(t, err, context.Canceled)
		var failure *training.Failure
		require.NotErrorAs(t, err, &failure, "nothing is wrong with the LMS")
	})
}

// Something else than the LMS answers: a login page, a proxy's words, another host.
func testStrangers(t *testing.T, spec Spec) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			if _, err := io.WriteString(w, "<html><body>Please log in</body></html>"); err != nil {
				t.Errorf("answer: %v", err)
			}
		}
	}
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   training.FailureClass
	}{
		"a login page":       {page(http.StatusOK), training.FailureMisread},
		"a proxy's 404":      {page(http.StatusNotFound), training.FailureRefused},
		"a proxy's 502":      {page(http.StatusBadGateway), training.FailureUnreachable},
		"a list for a thing": {jsonAnswer(t, `[[]]`), training.FailureMisread},
		"a number":           {jsonAnswer(t, `7`), training.FailureMisread},
		"nothing":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }, training.FailureMisread},
		"another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, training.FailureMisread},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.answer)
			t.Cleanup(server.Close)
			w := newWorld(t, spec, func(cfg *rest.Config) { cfg.URL = server.URL })
			requireFailure(t, w.lookup(t), tc.want)
			requireFailure(t, w.client.Check(t.Context()), tc.want)
		})
	}
	t.Run("nobody", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		w := newWorld(t, spec, func(cfg *rest.Config) { cfg.URL = server.URL })
		requireFailure(t, w.lookup(t), training.FailureUnreachable)
	})
}

func jsonAnswer(t *testing.T, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, err := io.WriteString(w, body); err != nil {
			t.Errorf("answer: %v", err)
		}
	}
}
