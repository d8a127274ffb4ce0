package arena_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

func TestControlsOverHTTP(t *testing.T) {
	r := newRig(t)
	control := func(method, path, body string, status int) string {
		t.Helper()
		got, answer := r.do(method, "/__sim/"+path, body)
		require.Equal(t, status, got, answer)
		return answer
	}
	control("POST", "seed", `{"users":[{"employeeId":"EMP9","active":true}],"trainings":[{"id":"TP-9"}],
		"records":[{"id":"TR-9","employeeId":"EMP9","trainingId":"TP-9"}],"accounts":[{"clientId":"x","clientSecret":"y"}]}`, 200)
	require.Equal(t, training.RecordAssigned, r.status("TR-9"))
	require.Contains(t, control("GET", "state", "", 200), `"TR-9"`)

	control("POST", "records/TR-9/lock", `{"locked":true}`, 200)
	record, _ := r.sim.Record("TR-9")
	require.True(t, record.Locked)
	control("POST", "records/TR-9/status", `{"status":"PENDING_APPROVAL"}`, 200)
	control("POST", "records/TR-9/decision", `{"decision":"APPROVE","approver":"qa"}`, 200)
	require.Equal(t, training.RecordCompleted, r.status("TR-9"))
	var changes []arena.Change
	require.NoError(t, json.Unmarshal([]byte(control("GET", "changes?recordId=TR-9", "", 200)), &changes))
	require.Equal(t, r.sim.Changes("TR-9"), changes)

	control("PUT", "switches", `{"externalUpdatesOff":true}`, 200)
	require.True(t, r.sim.Switches().ExternalUpdatesOff)
	control("POST", "faults", `{"endpoint":"health","faults":[{"status":503,"times":-1}]}`, 200)
	status, _ := r.do("GET", "/api/v1/health", "")
	require.Equal(t, 503, status)
	require.Contains(t, control("GET", "faults", "", 200), `"times": -1`)
	control("DELETE", "faults?endpoint=health", "", 200)
	control("DELETE", "faults", "", 200)
	require.Empty(t, r.sim.Faults())
	require.Contains(t, control("POST", "late", "", 200), `"committed": 0`)

	require.Contains(t, control("GET", "calls", "", 200), `"health": 1`)
	require.Contains(t, control("GET", "log?limit=1", "", 200), `"fault": "status/never"`)
	control("PUT", "tokens/lifetime", `{"lifetime":"2m"}`, 200)
	control("PUT", "clock", `{"offset":"2h"}`, 200)
	status, _ = r.do("GET", "/api/v1/users/EMP9", "")
	require.Equal(t, 401, status)
	control("POST", "tokens/expire", "", 200)
	control("POST", "tokens/revoke", "", 200)
	control("POST", "reset", "", 200)
	require.Empty(t, r.sim.Records())
	require.Zero(t, r.sim.Calls("health"))

	for path, body := range map[string]string{
		"faults":                   `{"endpoint":"complet","faults":[{"status":503}]}`,
		"records/TR-9/lock":        `{"locked":true}`,
		"records/TR-9/status":      `{"status":"DONE"}`,
		"records/TR-9/decision":    `{"decision":"maybe"}`,
		"seed":                     `{"user":[]}`,
		"records/TR-9/status?more": `{`,
	} {
		control("POST", path, body, 400)
	}
	control("POST", "faults", `{"endpoint":"*","faults":[{"answer":"explode"}]}`, 400)
	control("PUT", "tokens/lifetime", `{"lifetime":"soon"}`, 400)
	control("PUT", "clock", `{"offset":"soon"}`, 400)
	control("PUT", "switches", `{"completeResponse":"poem"}`, 400)
}

func TestControlsAnswerOnLoopbackOnly(t *testing.T) {
	sim := arena.New(arena.Options{})
	post := func(remote, site string) int {
		request := httptest.NewRequest("POST", "/__sim/reset", nil)
		request.RemoteAddr = remote
		request.Header.Set("Sec-Fetch-Site", site)
		response := httptest.NewRecorder()
		sim.Handler().ServeHTTP(response, request)
		return response.Code
	}
	require.Equal(t, http.StatusForbidden, post("192.0.2.7:5000", ""))
	require.Equal(t, http.StatusForbidden, post("127.0.0.1:5000", "cross-site"), "a page elsewhere must not press our buttons")
	require.Equal(t, http.StatusOK, post("127.0.0.1:5000", ""))
	require.Equal(t, http.StatusOK, post("[::1]:5000", "same-origin"))
}

func TestStateSurvivesRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arena.jsonl")
	c := newClock()
	open := func() *arena.Arena {
		sim, err := arena.Open(path, arena.Options{Now: c.Now})
		require.NoError(t, err)
		return sim
	}
	sim := open()
	server := startRig(t, c, sim)
	id := server.record(approved, "")
	require.NoError(t, sim.SetSwitches(arena.Switches{CompleteResponse: arena.ResponseRecord}))
	status, _ := server.complete(id, completion(t, training.RecordPendingApproval, nil))
	require.Equal(t, 200, status)
	// No Close: the process was killed, in the middle of a line.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"kind":"record","val`)
	require.NoError(t, err)
	require.NoError(t, file.Close())

	again := open()
	require.Equal(t, sim.Records(), again.Records())
	require.Equal(t, sim.Changes(id), again.Changes(id))
	require.Equal(t, sim.Users(), again.Users())
	require.Equal(t, sim.Trainings(), again.Trainings())
	require.Equal(t, sim.Switches(), again.Switches())
	require.NotEqual(t, id, again.AddRecord(arena.Record{EmployeeID: employee, TrainingID: plain}).ID)
	require.NoError(t, again.Decide(id, arena.Approve, "qa", ""))
	require.NoError(t, again.Close())

	third := open()
	record, _ := third.Record(id)
	require.Equal(t, training.RecordCompleted, record.Status)
	require.Len(t, third.Changes(id), 2)
	third.Reset()
	require.NoError(t, third.Close())
	empty := open()
	require.Empty(t, empty.Records())
	require.NoError(t, empty.Close())
}

func TestBrokenStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arena.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\"kind\":\"weather\",\"value\":1}\n"), 0o600))
	_, err := arena.Open(path, arena.Options{})
	require.ErrorContains(t, err, "line 1")

	_, err = arena.Open(filepath.Join(t.TempDir(), "missing", "arena.jsonl"), arena.Options{})
	require.Error(t, err)
}

// TestUnsavedStateIsNotHidden: when a change cannot be saved any more, no call succeeds.
func TestUnsavedStateIsNotHidden(t *testing.T) {
	sim, err := arena.Open(filepath.Join(t.TempDir(), "arena.jsonl"), arena.Options{})
	require.NoError(t, err)
	r := startRig(t, newClock(), sim)
	id := r.record(plain, "")
	require.NoError(t, sim.Close())
	status, _ := r.complete(id, completion(t, training.RecordCompleted, nil))
	require.Equal(t, 500, status, "not even the first one that is not saved")
	status, body := r.do("GET", "/api/v1/health", "")
	require.Equal(t, 500, status)
	require.Equal(t, "INTERNAL", reason(t, body))
}
