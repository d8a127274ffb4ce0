package arena_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

type recordPage struct {
	Count   int            `json:"count"`
	Offset  int            `json:"offset"`
	Limit   int            `json:"limit"`
	Results []arena.Record `json:"results"`
}

func (r *rig) list(query string) recordPage {
	r.t.Helper()
	status, body := r.do("GET", "/api/v1/training/records?"+query, "")
	require.Equal(r.t, 200, status, body)
	var page recordPage
	require.NoError(r.t, json.Unmarshal([]byte(body), &page))
	return page
}

func TestRecordSearch(t *testing.T) {
	r := newRig(t)
	first := r.record(plain, "")
	r.clock.Advance(time.Minute)
	second := r.record(plain, training.RecordCancelled)
	other := r.sim.AddRecord(arena.Record{EmployeeID: "EMP2", TrainingID: plain, ExternalRef: "lms:1"}).ID
	minute := url.QueryEscape(r.clock.Now().Format(time.RFC3339))
	_, _ = r.complete(first, completion(t, training.RecordCompleted, nil))

	ids := func(query string) []string {
		found := []string{}
		for _, record := range r.list(query).Results {
			found = append(found, record.ID)
		}
		return found
	}
	require.Equal(t, []string{first, second}, ids("employeeId="+employee+"&trainingId="+plain))
	require.Equal(t, []string{first, other}, ids("status=ASSIGNED,COMPLETED"))
	require.Equal(t, []string{other}, ids("externalRef=lms:1"))
	require.Equal(t, []string{first, second, other}, ids("updatedSince="+minute))
	require.Equal(t, []string{first}, ids("completedSince=2026-04-08T14:30:00Z"))
	require.Empty(t, ids("completedSince=2026-04-08T14:30:01Z"))
	require.Empty(t, ids("employeeId=EMP404"), "an unknown employee is an empty list, not a 404")
	for _, bad := range []string{"status=DONE", "limit=0", "offset=-1", "limit=x", "updatedSince=yesterday"} {
		status, body := r.do("GET", "/api/v1/training/records?"+bad, "")
		require.Equal(t, 400, status, bad)
		require.Equal(t, "MALFORMED_BODY", reason(t, body))
	}
}

func TestRecordPages(t *testing.T) {
	r := newRig(t)
	for range 45 {
		r.record(plain, "")
	}
	page := r.list("")
	require.Equal(t, 45, page.Count)
	require.Equal(t, 20, page.Limit)
	require.Len(t, page.Results, 20)
	page = r.list("offset=40&limit=1000")
	require.Equal(t, 400, page.Limit, "the vendor's maximum")
	require.Len(t, page.Results, 5)
	require.Empty(t, r.list("offset=100").Results)
}

func TestCreateRecord_R98(t *testing.T) {
	r := newRig(t)
	create := func(body string) (int, string) { return r.do("POST", "/api/v1/training/records", body) }
	body := `{"employeeId":"` + employee + `","trainingId":"` + plain + `","externalRef":"lms:acme:1"}`
	response, err := r.send("POST", "/api/v1/training/records", body)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, 201, response.StatusCode)
	var record arena.Record
	require.NoError(t, json.NewDecoder(response.Body).Decode(&record))
	require.Equal(t, "/api/v1/training/records/"+record.ID, response.Header.Get("Location"))
	require.Equal(t, training.RecordAssigned, record.Status)
	require.Equal(t, "GDPR introduction", record.TrainingName)

	status, again := create(body)
	require.Equal(t, 409, status)
	require.Equal(t, "DUPLICATE_EXTERNAL_REF", reason(t, again))
	require.Contains(t, again, `"recordId":"`+record.ID+`"`)
	require.Len(t, r.sim.Records(), 1)

	for _, c := range []struct{ body, reason string }{
		{`{"employeeId":"EMP404","trainingId":"TP-0042"}`, "EMPLOYEE_NOT_FOUND"},
		{`{"employeeId":"EMP2","trainingId":"TP-9"}`, "TRAINING_NOT_FOUND"},
		{`{"employeeId":"EMP2"}`, "MALFORMED_BODY"},
	} {
		_, answer := create(c.body)
		require.Equal(t, c.reason, reason(t, answer))
	}
}

func TestDirectory_R114(t *testing.T) {
	r := newRig(t)
	status, body := r.do("GET", "/api/v1/users/"+employee, "")
	require.Equal(t, 200, status)
	require.Equal(t, employee, field(t, body, "employeeId"))
	status, body = r.do("GET", "/api/v1/users/EMP404", "")
	require.Equal(t, 404, status)
	require.Equal(t, "EMPLOYEE_NOT_FOUND", reason(t, body))
	_, body = r.do("GET", "/api/v1/users?email=jordan.lee@EXAMPLE.com", "")
	require.Contains(t, body, employee)
	_, body = r.do("GET", "/api/v1/trainings?name=gdpr", "")
	require.Contains(t, body, `"count":1`)
	_, body = r.do("GET", "/api/v1/trainings?number="+scored, "")
	require.Contains(t, body, "Safety")
	status, _ = r.do("GET", "/api/v1/health", "", "Authorization", "")
	require.Equal(t, 200, status)
}

func TestTransport_R104(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	path := "/api/v1/training/records/" + id
	body := completion(t, training.RecordCompleted, nil)
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		reason                   string
	}{
		{"old path", "POST", "/api/training/complete", body, nil, 404, "UNKNOWN_ENDPOINT"},
		{"wrong method", "PUT", path + "/complete", body, nil, 404, "UNKNOWN_ENDPOINT"},
		{"no Accept", "GET", path, "", []string{"Accept", ""}, 406, "NOT_ACCEPTABLE"},
		{"other Accept", "GET", path, "", []string{"Accept", "text/html, application/xml"}, 406, "NOT_ACCEPTABLE"},
		{"Accept excludes", "GET", path, "", []string{"Accept", "*/*, application/json;q=0"}, 406, "NOT_ACCEPTABLE"},
		{"Accept anything", "GET", path, "", []string{"Accept", "text/html, */*;q=0.1"}, 200, ""},
		{"no Content-Type", "POST", path + "/complete", body, []string{"Content-Type", ""}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"other Content-Type", "POST", path + "/complete", body, []string{"Content-Type", "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"no token", "GET", path, "", []string{"Authorization", ""}, 401, "UNAUTHENTICATED"},
		{"other scheme", "GET", path, "", []string{"Authorization", "Basic eDp5"}, 401, "UNAUTHENTICATED"},
		{"with charset", "POST", path + "/complete", body, []string{"Content-Type", "application/json; charset=utf-8"}, 200, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, answer := r.do(c.method, c.path, c.body, c.headers...)
			require.Equal(t, c.status, status, answer)
			require.Equal(t, c.reason, reason(t, answer))
		})
	}
}

func TestRequestIDIsEchoed_R105(t *testing.T) {
	r := newRig(t)
	echo := func(sent string) string {
		response, err := r.send("GET", "/api/v1/users/EMP404", "", "X-Request-ID", sent)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		var body struct {
			RequestID string `json:"requestId"`
		}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
		require.Equal(t, response.Header.Get("X-Request-ID"), body.RequestID)
		return body.RequestID
	}
	require.Equal(t, "req-1", echo("req-1"))
	require.Equal(t, strings.Repeat("x", 128), echo(strings.Repeat("x", 128)))
	for _, refused := range []string{"", strings.Repeat("x", 129), "two words"} {
		made := echo(refused)
		require.NotEmpty(t, made)
		require.NotEqual(t, refused, made)
	}
	log := r.sim.Log(0)
	require.Equal(t, "req-1", log[1].RequestID)
	require.Equal(t, "svc-bridge", log[1].Subject)
	require.Equal(t, "EMPLOYEE_NOT_FOUND", log[1].Reason)
}
