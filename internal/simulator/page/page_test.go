package page_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lrs"
	"countersign/internal/simulator/mailsink"
	"countersign/internal/simulator/page"
	"countersign/internal/training"
)

type mails []mailsink.Message

func (m mails) Messages() []mailsink.Message { return m }

type rig struct {
	t      *testing.T
	qms    *arena.Arena
	lrs    *lrs.LRS
	server *httptest.Server
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, qms: arena.New(arena.Options{}), lrs: lrs.New(lrs.Options{})}
	handler, err := page.New(page.Options{QMS: []page.QMS{{Name: "acme", Sim: r.qms}}, LRS: r.lrs,
		Mails: mails{{At: time.Unix(0, 0), To: []string{"admin@example.com"}, Subject: "3 completions wait", Text: "<b>look</b>"}}})
	require.NoError(t, err)
	r.server = httptest.NewServer(handler)
	t.Cleanup(r.server.Close)
	return r
}

func (r *rig) get(path string) string {
	r.t.Helper()
	response, err := http.Get(r.server.URL + path)
	require.NoError(r.t, err)
	return r.body(response, http.StatusOK)
}

func (r *rig) press(status int, pairs ...string) string {
	r.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	response, err := http.PostForm(r.server.URL+"/do", form)
	require.NoError(r.t, err)
	return r.body(response, status)
}

func (r *rig) body(response *http.Response, status int) string {
	r.t.Helper()
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, status, response.StatusCode, string(data))
	return string(data)
}

func TestPageShowsEverything(t *testing.T) {
	r := newRig(t)
	empty := r.get("/")
	require.Contains(t, empty, "No records yet")
	require.Contains(t, empty, "No statements yet")

	record := r.qms.AddRecord(arena.Record{EmployeeID: "EMP<1>", TrainingID: "GMP-7", ApprovalRequired: true})
	require.NoError(t, r.qms.SetStatus(record.ID, training.RecordPendingApproval))
	server := httptest.NewServer(r.lrs.Handler())
	defer server.Close()
	r.lrs.AddAccount("k", "s")
	request, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/xapi/statements", strings.NewReader(
		`{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},"object":{"id":"https://x.example/c"}}`))
	require.NoError(t, err)
	request.SetBasicAuth("k", "s")
	request.Header.Set("X-Experience-API-Version", "1.0.3")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	r.body(response, http.StatusOK)

	body := r.get("/?live")
	for _, want := range []string{"acme", record.ID, "PENDING_APPROVAL", "EMP&lt;1&gt;", `value="approve"`, "expapi/verbs/completed", "sent 1×",
		"POST /xapi/statements", "3 completions wait", "&lt;b&gt;look&lt;/b&gt;", "admin@example.com", `http-equiv="refresh"`} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "completed twice")
	for range 2 {
		require.NoError(t, r.qms.SetStatus(record.ID, training.RecordCompleted))
	}
	require.Contains(t, r.get("/"), "completed twice")
}

func TestButtons(t *testing.T) {
	r := newRig(t)
	press := func(do string, more ...string) { r.press(200, append([]string{"qms", "0", "do", do}, more...)...) }
	press("down")
	press("down")
	require.Equal(t, []fault.Fault{{Answer: fault.AnswerStatus, Apply: fault.ApplyNever, Status: 503, Times: fault.Forever, Size: 64 << 20}},
		r.qms.Faults()[fault.Any], "pressing twice is pressing once")
	require.Contains(t, r.get("/"), "down: 503 for every call")
	press("up")
	require.Empty(t, r.qms.Faults())
	for _, do := range []string{"silent", "lost", "late", "commit500"} {
		press(do)
	}
	require.Len(t, r.qms.Faults()[arena.EndpointComplete], 4)
	press("limited")
	require.Len(t, r.qms.Faults()[fault.Any], 1)
	press("expire")
	press("updates-off")
	require.True(t, r.qms.Switches().ExternalUpdatesOff)
	press("updates-on")
	require.False(t, r.qms.Switches().ExternalUpdatesOff)

	id := r.qms.AddRecord(arena.Record{EmployeeID: "EMP1", TrainingID: "T", Status: training.RecordPendingApproval}).ID
	press("reject", "record", id)
	press("lock", "record", id)
	record, _ := r.qms.Record(id)
	require.Equal(t, training.RecordInProgress, record.Status)
	require.True(t, record.Locked)
	press("unlock", "record", id)
	require.NoError(t, r.qms.SetStatus(id, training.RecordPendingApproval))
	press("approve", "record", id, "live", "1")
	record, _ = r.qms.Record(id)
	require.Equal(t, training.RecordCompleted, record.Status)

	r.press(200, "lrs", "down")
	require.NotEmpty(t, r.lrs.Faults())
	r.press(200, "lrs", "up")
	require.Empty(t, r.lrs.Faults())
	r.press(200, "lrs", "lost")
	require.NotEmpty(t, r.lrs.Faults())

	r.press(400, "qms", "0", "do", "approve", "record", id)
	r.press(400, "qms", "0", "do", "explode")
	r.press(400, "qms", "1", "do", "down")
	r.press(400, "lrs", "explode")
}

func TestOtherSitesCannotPress(t *testing.T) {
	r := newRig(t)
	request, err := http.NewRequestWithContext(t.Context(), "POST", r.server.URL+"/do", strings.NewReader("qms=0&do=down"))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://elsewhere.example")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	r.body(response, http.StatusForbidden)
	require.Empty(t, r.qms.Faults())
}
