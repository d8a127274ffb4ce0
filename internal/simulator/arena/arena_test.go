package arena_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

// clock is a hand-set clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a QMS over real HTTP with one employee, three trainings and a caller with a token.
type rig struct {
	t      *testing.T
	sim    *arena.Arena
	server *httptest.Server
	clock  *clock
	token  string
}

const (
	employee = "EMP12345"
	plain    = "TP-0042"
	scored   = "TP-0043"
	approved = "TP-0044"
)

func newRig(t *testing.T) *rig {
	t.Helper()
	c := newClock()
	return startRig(t, c, arena.New(arena.Options{Now: c.Now}))
}

func startRig(t *testing.T, c *clock, sim *arena.Arena) *rig {
	t.Helper()
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() { server.Close(); require.NoError(t, sim.Close()) })
	sim.AddAccount(arena.Account{ClientID: "svc-bridge", ClientSecret: "s3cret", Scopes: arena.BridgeScopes()})
	sim.AddUser(arena.User{EmployeeID: employee, Email: "Jordan.Lee@example.com", FullName: "Jordan Lee", Active: true})
	sim.AddUser(arena.User{EmployeeID: "EMP2", Email: "sam@example.com", FullName: "Sam", Active: true})
	sim.AddTraining(arena.Training{ID: plain, Name: "GDPR introduction", Revision: "B"})
	sim.AddTraining(arena.Training{ID: scored, Name: "Safety", TracksScore: true})
	sim.AddTraining(arena.Training{ID: approved, Name: "GMP", ApprovalRequired: true})
	r := &rig{t: t, sim: sim, server: server, clock: c}
	r.token = r.login("")
	return r
}

func (r *rig) login(scope string) string {
	r.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"svc-bridge"}, "client_secret": {"s3cret"}}
	if scope != "" {
		form.Set("scope", scope)
	}
	status, body := r.do("POST", "/api/v1/auth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(r.t, 200, status, body)
	return field(r.t, body, "access_token")
}

// do sends one request with the usual headers; extra are more headers, "" leaves one out.
func (r *rig) do(method, path, body string, extra ...string) (int, string) {
	r.t.Helper()
	response, err := r.send(method, path, body, extra...)
	require.NoError(r.t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(data)
}

func (r *rig) send(method, path, body string, extra ...string) (*http.Response, error) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL+path, strings.NewReader(body))
	require.NoError(r.t, err)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(extra); i += 2 {
		request.Header.Del(extra[i])
		if extra[i+1] != "" {
			request.Header.Set(extra[i], extra[i+1])
		}
	}
	return http.DefaultClient.Do(request)
}

func (r *rig) record(trainingID string, status training.RecordStatus) string {
	return r.sim.AddRecord(arena.Record{EmployeeID: employee, TrainingID: trainingID, Status: status}).ID
}

func (r *rig) complete(id, body string) (int, string) {
	r.t.Helper()
	return r.do("POST", "/api/v1/training/records/"+id+"/complete", body)
}

func (r *rig) status(id string) training.RecordStatus {
	r.t.Helper()
	record, ok := r.sim.Record(id)
	require.True(r.t, ok)
	return record.Status
}

// completion is a good body for status; edits change or remove (nil) fields.
func completion(t *testing.T, status training.RecordStatus, edits map[string]any) string {
	t.Helper()
	fields := map[string]any{"employeeId": employee, "completionDate": "2026-04-08T14:30:00Z", "status": status, "score": 91.5}
	for name, value := range edits {
		if fields[name] = value; value == nil {
			delete(fields, name)
		}
	}
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	return string(data)
}

func field(t *testing.T, body, name string) string {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &fields), body)
	text, _ := fields[name].(string)
	return text
}

// reason is the stable word of an error body, "" for anything else.
func reason(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Errors []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(bytes.NewBufferString(body)).Decode(&answer); err != nil || len(answer.Errors) == 0 {
		return ""
	}
	return answer.Errors[0].Reason
}
