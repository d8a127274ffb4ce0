package lmsapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lmsapi"
)

// ask sends a request and returns status and body.
func ask(t *testing.T, method, address, authorization, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(answer)
}

func start(t *testing.T, o lmsapi.Options) (*lmsapi.LMS, string) {
	t.Helper()
	lms, err := lmsapi.New(o)
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	return lms, server.URL
}

func TestUnknownPlatform(t *testing.T) {
	_, err := lmsapi.New(lmsapi.Options{Platform: "nowhere"})
	require.ErrorContains(t, err, `unknown platform "nowhere", known are absorb, `)
	require.Len(t, lmsapi.Platforms(), 8)
}

func TestEveryPlatformRefusesAStranger(t *testing.T) {
	for _, name := range lmsapi.Platforms() {
		lms, address := start(t, lmsapi.Options{Platform: name})
		require.NotEmpty(t, lms.Credentials(), name)
		status, _ := ask(t, http.MethodGet, address+"/no/such/path", "", "")
		require.Equal(t, http.StatusNotFound, status, name)
		require.Equal(t, 1, lms.Calls(lmsapi.EndpointUnknown), name)
	}
}

// Moodle answers its errors with 200.
func TestMoodleRefusesWith200(t *testing.T) {
	_, address := start(t, lmsapi.Options{Platform: "moodle"})
	form := url.Values{"wstoken": {"wrong"}, "wsfunction": {"core_user_get_users_by_field"}, "moodlewsrestformat": {"json"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/webservice/rest/server.php", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, string(body), `"errorcode":"invalidtoken"`)
}

func TestTokensEndWhenTheyShouldAndByControl(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	lms, address := start(t, lmsapi.Options{Platform: "docebo", Now: func() time.Time { return now }})
	lms.SetTokenLifetime(time.Minute)
	token := func() string {
		credentials := lms.Credentials()
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {credentials["client_id"]}, "client_secret": {credentials["client_secret"]}}
		status, body := ask(t, http.MethodPost, address+"/oauth2/token", "", form.Encode())
		require.Equal(t, http.StatusOK, status)
		_, rest, _ := strings.Cut(body, `"access_token":"`)
		value, _, _ := strings.Cut(rest, `"`)
		require.Contains(t, body, `"expires_in":60`)
		return value
	}
	users := func(token string) int {
		status, _ := ask(t, http.MethodGet, address+"/manage/v1/user", "Bearer "+token, "")
		return status
	}
	first := token()
	require.Equal(t, http.StatusOK, users(first))
	now = now.Add(time.Minute)
	require.Equal(t, http.StatusUnauthorized, users(first))
	second := token()
	status, _ := ask(t, http.MethodPost, address+"/__sim/tokens/revoke", "", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, http.StatusUnauthorized, users(second))
}

func TestControlsFillAndBreak(t *testing.T) {
	lms, address := start(t, lmsapi.Options{Platform: "canvas"})
	authorization := "Bearer " + lms.Credentials()["token"]
	for path, body := range map[string]string{
		"learners": `{"ID":"7","Username":"jane"}`, "courses": `{"ID":"5","Title":"T","Code":"C"}`,
		"enrollments": `{"ID":"1","LearnerID":"7","CourseID":"5","CompletedAt":"2026-04-08T14:30:00Z"}`,
	} {
		status, answer := ask(t, http.MethodPost, address+"/__sim/"+path, "", body)
		require.Equal(t, http.StatusOK, status, answer)
	}
	_, progress := ask(t, http.MethodGet, address+"/api/v1/courses/5/users/7/progress", authorization, "")
	require.Contains(t, progress, `"completed_at":"2026-04-08T14:30:00Z"`)
	status, answer := ask(t, http.MethodPost, address+"/__sim/faults", "", `{"endpoint":"progress","faults":[{"status":503}]}`)
	require.Equal(t, http.StatusOK, status, answer)
	status, _ = ask(t, http.MethodGet, address+"/api/v1/courses/5/users/7/progress", authorization, "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = ask(t, http.MethodPost, address+"/__sim/reset", "", "")
	require.Equal(t, http.StatusOK, status)
	status, _ = ask(t, http.MethodGet, address+"/api/v1/courses/5/users/7/progress", authorization, "")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, 1, lms.Calls(fault.Any), "counted anew")
}
