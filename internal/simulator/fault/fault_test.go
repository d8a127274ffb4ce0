package fault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/fault"
)

const work fault.Endpoint = "work"

// system counts its own effects; that is all it does.
type system struct {
	*fault.Gate
	effects atomic.Int32
	url     string
}

func start(t *testing.T, config fault.Config) *system {
	t.Helper()
	config.Clock = fault.NewClock(nil)
	config.Error = func(w http.ResponseWriter, _ *fault.Exchange, status int) { w.WriteHeader(status) }
	s := &system{Gate: fault.NewGate(config)}
	server := httptest.NewServer(fault.Wrap(s.Gate, work, func(r *http.Request) string { return r.URL.Query().Get("id") },
		func(w http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
			text := fault.Attempt(x, func(commit bool) (string, bool) {
				if commit {
					s.effects.Add(1)
				}
				return `{"done":true}`, true
			})
			_, _ = io.WriteString(w, text)
		}))
	t.Cleanup(func() { server.Close(); s.Close() })
	s.url = server.URL
	return s
}

// post answers with the status, 0 when there is no answer or only a part of one.
func (s *system) post(t *testing.T, id string) int {
	t.Helper()
	response, err := http.Post(s.url+"/?id="+id, "application/json", strings.NewReader("{}"))
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

// TestEveryFault: what is answered, and whether the request had an effect.
func TestEveryFault(t *testing.T) {
	cases := map[string]struct {
		fault           fault.Fault
		status, effects int
		late            int
	}{
		"zero value":         {fault.Fault{}, 200, 1, 0},
		"status":             {fault.Status(503, 1), 503, 0, 0},
		"status by field":    {fault.Fault{Status: 502}, 502, 0, 0},
		"commit then status": {fault.CommitThenStatus(500, 1), 500, 1, 0},
		"drop before":        {fault.DropBefore(1), 0, 0, 0},
		"drop after":         {fault.DropAfter(1), 0, 1, 0},
		"silent":             {fault.Silent(1), 200, 0, 0},
		"late":               {fault.LateCommit(-1, 1), 200, 0, 1},
		"late and lost":      {fault.LateCommitLost(-1, 1), 0, 0, 1},
		"late and 504":       {fault.Fault{Answer: fault.AnswerStatus, Status: 504, Apply: fault.ApplyLate, Delay: -1}, 504, 0, 1},
		"malformed":          {fault.Malformed(1), 200, 1, 0},
		"truncated":          {fault.Truncated(1), 0, 1, 0},
		"huge":               {fault.Huge(100, 1), 200, 1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.fault.Validate())
			s := start(t, fault.Config{})
			s.Fault(work, c.fault)
			require.Equal(t, c.status, s.post(t, ""))
			require.EqualValues(t, c.effects, s.effects.Load())
			require.Equal(t, c.late, s.CommitLate())
			require.EqualValues(t, c.effects+c.late, s.effects.Load())
			require.Equal(t, 200, s.post(t, ""), "the fault is used up")
			require.Equal(t, 2, s.Calls(work))
			require.Equal(t, 2, s.Calls(fault.Any))
		})
	}
}

func TestScriptOrder(t *testing.T) {
	s := start(t, fault.Config{})
	s.Fault(fault.Any, fault.Status(500, 1))
	s.Fault(work, fault.Status(501, 2), fault.Fault{Status: 502, Key: "b"}, fault.Status(503, 1))
	for _, want := range []struct {
		id     string
		status int
	}{{"a", 501}, {"a", 501}, {"a", 503}, {"a", 500}, {"a", 200}, {"b", 502}, {"b", 200}} {
		require.Equal(t, want.status, s.post(t, want.id))
	}
}

func TestStandingFaultComesAfterTheScript(t *testing.T) {
	s := start(t, fault.Config{Standing: func(_ fault.Endpoint, key string) (fault.Fault, bool) {
		return fault.Status(503, fault.Forever), key == "cursed"
	}})
	s.Fault(work, fault.Status(429, 1))
	for _, want := range []int{429, 503, 503} {
		require.Equal(t, want, s.post(t, "cursed"))
	}
	require.Equal(t, 200, s.post(t, "other"))
}

func TestLogIsBounded(t *testing.T) {
	s := start(t, fault.Config{LogSize: 3})
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		s.post(t, id)
	}
	log := s.Log(0)
	require.Len(t, log, 3)
	require.Equal(t, "id=6", log[0].Query)
	require.Equal(t, "id=8", s.Log(1)[0].Query)
	require.Equal(t, log[0].BodyHash, log[1].BodyHash)
	require.NotEmpty(t, log[0].BodyHash)
	require.Equal(t, 8, s.Calls(work))
	s.Reset()
	require.Empty(t, s.Log(0))
	require.Zero(t, s.Calls(work))
}

func TestResetForgetsLateCommits(t *testing.T) {
	due := make(chan time.Time, 1)
	s := start(t, fault.Config{After: func(time.Duration) <-chan time.Time { return due }})
	s.Fault(work, fault.LateCommit(time.Minute, 1))
	require.Equal(t, 200, s.post(t, ""))
	s.Reset()
	s.Close()
	due <- time.Time{}
	require.Zero(t, s.CommitLate())
	require.Zero(t, s.effects.Load())
}

func TestFaultAsJSON(t *testing.T) {
	var f fault.Fault
	require.NoError(t, json.Unmarshal([]byte(`{"times":-1,"status":429,"retryAfter":"7","latencyMs":250,"key":"TR-1"}`), &f))
	require.Equal(t, fault.Fault{Times: fault.Forever, Status: 429, RetryAfter: "7", Latency: 250 * time.Millisecond, Key: "TR-1"}, f)
	data, err := json.Marshal(f)
	require.NoError(t, err)
	var again fault.Fault
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, f, again)
	for _, bad := range []fault.Fault{{Answer: "explode"}, {Apply: "perhaps"}, {Status: 99}, {Times: -2}, {Size: -1}} {
		require.Error(t, bad.Validate())
	}
}

func TestClockShift(t *testing.T) {
	at := time.Date(2026, 4, 8, 15, 0, 0, 999_999, time.UTC)
	c := fault.NewClock(func() time.Time { return at })
	require.Equal(t, at.Truncate(time.Millisecond), c.Now())
	c.SetOffset(-time.Hour)
	require.Equal(t, 14, c.Now().Hour())
	require.Equal(t, -time.Hour, c.Offset())
}

func TestStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.jsonl")
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	open := func() (*fault.StateFile, []string) {
		var lines []string
		s, err := fault.OpenState(path, logger, func(l fault.Line) error { lines = append(lines, l.Kind+string(l.Value)); return nil })
		require.NoError(t, err)
		return s, lines
	}
	s, lines := open()
	require.Empty(t, lines)
	s.Rewrite(func(add func(string, any)) { add("a", 1) })
	s.Save("b", "two")
	require.NoError(t, s.Err())
	require.NoError(t, s.Close())
	s, lines = open()
	require.Equal(t, []string{"a1", `b"two"`}, lines)

	s.Rewrite(func(add func(string, any)) { add("c", 3) })
	s.Save("d", func() {})
	require.ErrorContains(t, s.Err(), "encode d")
	require.Contains(t, log.String(), "not saved any more")
	s.Save("e", 5)
	require.NoError(t, s.Close())
	_, lines = open()
	require.Equal(t, []string{"c3"}, lines, "nothing after the first failure")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")

	refused := errors.New("refused")
	_, err = fault.OpenState(path, logger, func(fault.Line) error { return refused })
	require.ErrorIs(t, err, refused)
	require.NoError(t, os.WriteFile(path, []byte("not json\n"), 0o600))
	_, err = fault.OpenState(path, logger, func(fault.Line) error { return nil })
	require.ErrorContains(t, err, "line 1")

	var none *fault.StateFile
	none.Save("x", 1)
	none.Rewrite(nil)
	require.NoError(t, none.Err())
	require.NoError(t, none.Close())
}
