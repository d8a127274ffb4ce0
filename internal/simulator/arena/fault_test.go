package arena_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func TestScriptedStatuses(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	body := completion(t, training.RecordCompleted, nil)
	r.sim.Fault(arena.EndpointComplete, fault.Status(503, 2), fault.RateLimited("7", 1), fault.RateLimited("", 1), fault.CommitThenStatus(500, 1))
	post := func() (*http.Response, string) {
		response, err := r.send("POST", "/api/v1/training/records/"+id+"/complete", body)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		data, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response, reason(t, string(data))
	}
	for _, want := range []struct {
		status        int
		reason, after string
	}{{503, "INTERNAL", ""}, {503, "INTERNAL", ""}, {429, "RATE_LIMITED", "7"}, {429, "RATE_LIMITED", ""}} {
		response, word := post()
		require.Equal(t, want.status, response.StatusCode)
		require.Equal(t, want.reason, word)
		require.Equal(t, want.after, response.Header.Get("Retry-After"))
		require.Empty(t, r.sim.Changes(id))
	}
	response, _ := post()
	require.Equal(t, 500, response.StatusCode)
	require.Len(t, r.sim.Changes(id), 1, "committed, then 500")
	response, word := post()
	require.Equal(t, 409, response.StatusCode)
	require.Equal(t, "ALREADY_COMPLETED", word)
	require.Equal(t, 6, r.sim.Calls(arena.EndpointComplete))
}

func TestEverythingDownForever(t *testing.T) {
	r := newRig(t)
	r.sim.Fault(fault.Any, fault.Status(503, fault.Forever))
	for _, path := range []string{"/api/v1/health", "/api/v1/users/" + employee, "/nowhere", "/api/v1/health"} {
		status, _ := r.do("GET", path, "")
		require.Equal(t, 503, status)
	}
	r.sim.ClearFaults()
	status, _ := r.do("GET", "/api/v1/health", "")
	require.Equal(t, 200, status)
}

func TestFaultForOneRecord(t *testing.T) {
	r := newRig(t)
	bad, good := r.record(plain, ""), r.record(plain, "")
	r.sim.Fault(arena.EndpointRecord, fault.Fault{Status: 502, Times: fault.Forever, Key: bad})
	status, _ := r.do("GET", "/api/v1/training/records/"+bad, "")
	require.Equal(t, 502, status)
	status, _ = r.do("GET", "/api/v1/training/records/"+good, "")
	require.Equal(t, 200, status)
}

// TestLostAnswers: the caller learns nothing; whether something happened is another question.
func TestLostAnswers(t *testing.T) {
	cases := []struct {
		name    string
		fault   fault.Fault
		changes int
	}{
		{"dropped before", fault.DropBefore(1), 0},
		{"dropped after", fault.DropAfter(1), 1},
		{"cut off", fault.Truncated(1), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			id := r.record(plain, "")
			r.sim.Fault(arena.EndpointComplete, c.fault)
			response, err := r.send("POST", "/api/v1/training/records/"+id+"/complete", completion(t, training.RecordCompleted, nil))
			if err == nil {
				_, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			require.Error(t, err)
			require.Len(t, r.sim.Changes(id), c.changes)
			require.Equal(t, 1, r.sim.Calls(arena.EndpointComplete), "a POST is not repeated by the HTTP client")
		})
	}
}

func TestSpoiltAnswers(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	r.sim.Fault(arena.EndpointRecord, fault.Malformed(1), fault.Huge(1<<20, 1))
	status, body := r.do("GET", "/api/v1/training/records/"+id, "")
	require.Equal(t, 200, status)
	require.False(t, json.Valid([]byte(body)))
	status, body = r.do("GET", "/api/v1/training/records/"+id, "")
	require.Equal(t, 200, status)
	require.Greater(t, len(body), 1<<20)
	require.True(t, json.Valid([]byte(body)))
}

func TestSilentAndLate_R106(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	body := completion(t, training.RecordCompleted, nil)
	r.sim.Fault(arena.EndpointComplete, fault.Silent(1), fault.LateCommit(-1, 1))
	for range 2 {
		status, answer := r.complete(id, body)
		require.Equal(t, 200, status)
		require.Contains(t, answer, `"accepted":true`)
		require.Equal(t, training.RecordAssigned, r.status(id))
	}
	require.Equal(t, 1, r.sim.CommitLate())
	require.Equal(t, training.RecordCompleted, r.status(id))
	require.Len(t, r.sim.Changes(id), 1)
	require.Zero(t, r.sim.CommitLate())
}

// TestLateCommitIsCheckedAgain: what came late finds the record completed by somebody faster.
func TestLateCommitIsCheckedAgain(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	r.sim.Fault(arena.EndpointComplete, fault.LateCommit(-1, 1))
	_, _ = r.complete(id, completion(t, training.RecordCompleted, nil))
	status, _ := r.complete(id, completion(t, training.RecordCompleted, nil))
	require.Equal(t, 200, status)
	require.Equal(t, 1, r.sim.CommitLate())
	require.Len(t, r.sim.Changes(id), 1)
}

func TestLateCommitByTime(t *testing.T) {
	due := make(chan time.Time)
	sim := arena.New(arena.Options{After: func(d time.Duration) <-chan time.Time {
		require.Equal(t, time.Minute, d)
		return due
	}})
	r := startRig(t, newClock(), sim)
	id := r.record(plain, "")
	r.sim.Fault(arena.EndpointComplete, fault.LateCommitLost(time.Minute, 1))
	_, err := r.send("POST", "/api/v1/training/records/"+id+"/complete", completion(t, training.RecordCompleted, nil))
	require.Error(t, err)
	require.Equal(t, training.RecordAssigned, r.status(id))
	due <- time.Time{}
	require.Eventually(t, func() bool { return r.status(id) == training.RecordCompleted }, 5*time.Second, time.Millisecond)
}

func TestLatency(t *testing.T) {
	waits := make(chan time.Duration, 1)
	due := make(chan time.Time, 1)
	sim := arena.New(arena.Options{After: func(d time.Duration) <-chan time.Time { waits <- d; return due }})
	r := startRig(t, newClock(), sim)
	r.sim.Fault(arena.EndpointHealth, fault.Slow(30*time.Second, 1))
	due <- time.Time{}
	status, _ := r.do("GET", "/api/v1/health", "")
	require.Equal(t, 200, status)
	require.Equal(t, 30*time.Second, <-waits)
}

// TestHangingCallIsReleased: Close ends a call that would never be answered.
func TestHangingCallIsReleased(t *testing.T) {
	r := newRig(t)
	r.sim.Fault(arena.EndpointHealth, fault.Slow(-1, fault.Forever))
	failed := make(chan error, 1)
	go func() {
		_, err := r.send("GET", "/api/v1/health", "")
		failed <- err
	}()
	require.Eventually(t, func() bool { return r.sim.Calls(arena.EndpointHealth) > 0 }, 5*time.Second, time.Millisecond)
	require.NoError(t, r.sim.Close())
	require.Error(t, <-failed)
}
