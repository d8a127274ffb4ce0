package load_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/bench/load"
)

// receiver keeps the bodies and answers with status.
type receiver struct {
	status int
	mu     sync.Mutex
	bodies [][]byte
	signed []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, body)
	r.signed = append(r.signed, request.Header.Get(load.SignatureHeader))
	w.WriteHeader(r.status)
}

func serve(t *testing.T, status int) (*receiver, string) {
	t.Helper()
	r := &receiver{status: status}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL
}

func TestBurstSendsEachDeliveryOnce(t *testing.T) {
	r, url := serve(t, http.StatusOK)
	client := load.NewClient()
	defer client.Close()
	result, err := client.Burst(t.Context(), url, load.Deliveries(7, 200, load.Course))
	require.NoError(t, err)
	require.Len(t, result.Latencies, 200)
	require.NotContains(t, result.Latencies, time.Duration(0))
	require.InDelta(t, 200/result.Took.Seconds(), result.PerSecond(), 1e-6)

	seen := map[string]bool{}
	for i, body := range r.bodies {
		require.Len(t, body, load.Size)
		var e struct {
			Domain  string `json:"original_domain"`
			Payload struct {
				User struct {
					ExternalID string `json:"external_id"`
				} `json:"user"`
				Course struct {
					Code string `json:"code"`
				} `json:"course"`
			} `json:"payload"`
		}
		require.NoError(t, json.Unmarshal(body, &e))
		require.Equal(t, load.Domain, e.Domain)
		require.Equal(t, load.Course, e.Payload.Course.Code)
		require.Len(t, r.signed[i], len("sha256=")+64)
		seen[e.Payload.User.ExternalID] = true
	}
	require.Len(t, seen, 200)
	require.True(t, seen["HR-1000007"], "the first learner has the number asked for")
}

func TestWhatIsNotAcknowledgedIsAnError(t *testing.T) {
	_, url := serve(t, http.StatusServiceUnavailable)
	client := load.NewClient()
	defer client.Close()
	deliveries := load.Deliveries(0, 3, load.Course)
	_, err := client.Burst(t.Context(), url, deliveries)
	require.ErrorContains(t, err, "503")
	_, err = client.Paced(t.Context(), url, deliveries, 0, nil)
	require.ErrorContains(t, err, "503")
}

func TestPacedKeepsItsPaceAndStops(t *testing.T) {
	r, url := serve(t, http.StatusOK)
	client := load.NewClient()
	defer client.Close()
	const pause = 5 * time.Millisecond
	result, err := client.Paced(t.Context(), url, load.Deliveries(0, 10, load.Course), pause, nil)
	require.NoError(t, err)
	require.Len(t, result.Latencies, 10)
	require.GreaterOrEqual(t, result.Took, 9*pause)

	stop := make(chan struct{})
	close(stop)
	before := len(r.bodies)
	result, err = client.Paced(t.Context(), url, load.Deliveries(0, 1000, load.Course), time.Hour, stop)
	require.NoError(t, err)
	require.LessOrEqual(t, len(result.Latencies), 1)
	require.LessOrEqual(t, len(r.bodies), before+1)
}

func TestAddSumsTimeAndKeepsLatencies(t *testing.T) {
	r := load.Result{Took: time.Second, Latencies: []time.Duration{1}}
	r.Add(load.Result{Took: time.Second, Latencies: []time.Duration{2, 3}})
	require.Equal(t, load.Result{Took: 2 * time.Second, Latencies: []time.Duration{1, 2, 3}}, r)
	require.InDelta(t, 1.5, r.PerSecond(), 1e-9)
}
