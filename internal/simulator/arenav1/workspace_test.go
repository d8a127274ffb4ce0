package arenav1_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arenav1"
)

// rig is a workspace over real HTTP with a manager, a trainee and a plan of two items.
type rig struct {
	t       *testing.T
	sim     *arenav1.Workspace
	url     string
	session string
	plan    arenav1.Plan
	trainee arenav1.User
}

func newRig(t *testing.T, options arenav1.Options) *rig {
	t.Helper()
	options.Now = func() time.Time { return time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC) }
	r := &rig{t: t, sim: arenav1.New(options)}
	server := httptest.NewServer(r.sim.Handler())
	t.Cleanup(func() { server.Close(); r.sim.Close() })
	r.url = server.URL
	manager := arenav1.User{GUID: "UMANAGER", Email: "bridge@acme.example"}
	r.sim.AddAccount(arenav1.Account{User: manager, Password: "secret"})
	r.trainee = r.sim.AddUser(arenav1.User{Email: "jordan@acme.example"})
	r.plan = r.sim.AddPlan(arenav1.Plan{Number: "TRP-1", Manager: manager}, "020-00004", "020-00005")
	r.session = r.login()
	return r
}

func (r *rig) login() string {
	var answer map[string]any
	status, _ := r.do(http.MethodPost, "/v1/login", `{"email":"bridge@acme.example","password":"secret"}`, &answer)
	require.Equal(r.t, http.StatusOK, status)
	return answer["arena_session_id"].(string)
}

func (r *rig) do(method, path, body string, out any) (int, http.Header) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("arena_session_id", r.session)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	if out != nil {
		require.NoError(r.t, json.Unmarshal(text, out), string(text))
	}
	return res.StatusCode, res.Header
}

func TestSecondLoginEndsTheFirstSession(t *testing.T) {
	r := newRig(t, arenav1.Options{})
	first := r.session
	r.session = r.login()
	status, _ := r.do(http.MethodGet, "/v1/trainingplans", "", nil)
	require.Equal(t, http.StatusOK, status)
	r.session = first
	status, _ = r.do(http.MethodGet, "/v1/trainingplans", "", nil)
	require.Equal(t, http.StatusUnauthorized, status)

	var answer struct {
		Status int `json:"status"`
		Errors []struct {
			Code int `json:"code"`
		} `json:"errors"`
	}
	status, _ = r.do(http.MethodPost, "/v1/login", `{"email":"bridge@acme.example","password":"wrong"}`, &answer)
	require.Equal(t, http.StatusBadRequest, status, "a bad login is no 401")
	require.Equal(t, 4001, answer.Errors[0].Code)
}

func TestBudgetIsTheDays(t *testing.T) {
	r := newRig(t, arenav1.Options{Budget: 2})
	for left, want := range []string{"1", "0"} {
		status, header := r.do(http.MethodGet, "/v1/trainingplans", "", nil)
		require.Equal(t, http.StatusOK, status, left)
		require.Equal(t, want, header.Get("X-Arena-Requests-Remaining"))
		require.Equal(t, "2026-04-09T00:00:00Z", header.Get("X-Arena-Next-Request-Limit-Reset"))
	}
	status, _ := r.do(http.MethodGet, "/v1/trainingplans", "", nil)
	require.Equal(t, http.StatusTooManyRequests, status)
}

// There is no call that completes a record: a record is read, and the trainee signs in Arena.
func TestNothingButTheTraineeCompletes(t *testing.T) {
	r := newRig(t, arenav1.Options{})
	plan := "/v1/trainingplans/" + r.plan.GUID
	status, _ := r.do(http.MethodPost, plan+"/users", `{"user":{"guid":"`+r.trainee.GUID+`"},"dueDate":"2026-04-22"}`, nil)
	require.Equal(t, http.StatusCreated, status)
	record := r.sim.Records(r.plan.GUID)[0].GUID
	for _, attempt := range [][2]string{
		{http.MethodPost, plan + "/records"}, {http.MethodPut, plan + "/records/" + record}, {http.MethodDelete, plan + "/records/" + record},
		{http.MethodPost, plan + "/records/" + record + "/complete"}, {http.MethodPost, "/api/v1/training/records/" + record + "/complete"},
	} {
		status, _ = r.do(attempt[0], attempt[1], `{"signedDateTime":"2026-04-08T15:00:00Z"}`, nil)
		require.Equal(t, http.StatusNotFound, status, attempt)
	}
	status, _ = r.do(http.MethodPost, "/__sim/sign", `{"plan":"`+r.plan.GUID+`","user":"`+r.trainee.GUID+`","item":"020-00005"}`, nil)
	require.Equal(t, http.StatusOK, status)
	var page struct {
		Count   int `json:"count"`
		Results []struct {
			Signed *time.Time `json:"signedDateTime"`
		} `json:"results"`
	}
	r.do(http.MethodGet, plan+"/records", "", &page)
	require.Equal(t, 2, page.Count)
	require.Nil(t, page.Results[0].Signed)
	require.NotNil(t, page.Results[1].Signed)

	r.do(http.MethodPut, "/__sim/switches", `{"unsignedHidden":true}`, nil)
	r.do(http.MethodGet, plan+"/records", "", &page)
	require.Equal(t, 1, page.Count)
}
