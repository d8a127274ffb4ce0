package lmsapitest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// testTooLarge demands that a list which is larger than is read of an answer is never taken for a shorter one.
func testTooLarge(t *testing.T, spec Spec) {
	t.Run("is a failure that says so", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		require.NoError(t, w.lookup(t)) // there is a token then
		w.lms.Fault(fault.Any, fault.Huge(0, fault.Forever))
		_, err := w.client.(lmsapi.Lister).Completions(t.Context(), window(), "")
		requireFailure(t, err, training.FailureMisread)
		require.ErrorContains(t, err, " MiB, the most that is read")
	})
	if spec.PageSize == "" {
		return
	}
	t.Run("is read in smaller pages", func(t *testing.T) {
		plenty := func(cfg *rest.Config) { cfg.PerHour = 1_000_000 }
		w := newWorld(t, spec, plenty)
		want := populate(w)
		once := w.list(t, window())
		require.Len(t, once, want)
		server := httptest.NewServer(longRows(t, w.lms.Handler(), spec.PageSize, 30))
		t.Cleanup(server.Close)
		w.url = server.URL
		w.client = w.connect(t, plenty)
		require.ElementsMatch(t, once, w.list(t, window()))
	})
}

// longRows is an LMS whose rows are so long that no more than most fit into an answer of which 4 MiB are read.
func longRows(t *testing.T, lms http.Handler, pageSize string, most int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lms.ServeHTTP(w, r)
		if size, err := strconv.Atoi(r.URL.Query().Get(pageSize)); err != nil || size <= most {
			return
		}
		if _, err := io.Copy(w, bytes.NewReader(bytes.Repeat([]byte(" "), 4<<20))); err != nil {
			t.Logf("the client has hung up: %v", err)
		}
	}
}
