package lrs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/lrs"
)

const (
	idA = "0f0e5b4a-1f5c-5d0e-9a3b-1c2d3e4f5a6b"
	idB = "0f0e5b4a-1f5c-5d0e-9a3b-1c2d3e4f5a6c"
)

// statement is a good statement with the given id; pairs of old and new edit its text.
func statement(id string, edits ...string) string {
	text := `{"id":"` + id + `","actor":{"objectType":"Agent","account":{"homePage":"https://acme.example.com","name":"10291"}},` +
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/completed","display":{"en-US":"completed"}},` +
		`"object":{"objectType":"Activity","id":"https://acme.example.com/courses/5541","definition":{"name":{"en-US":"GDPR"},"type":"http://adlnet.gov/expapi/activities/course"}},` +
		`"result":{"score":{"scaled":0.915,"raw":91.5,"min":0,"max":100},"success":true,"completion":true,"duration":"PT1H30M"},` +
		`"context":{"registration":"` + idB + `","platform":"canonical","contextActivities":{"category":[{"id":"https://acme.example.com/p"}]},"extensions":{"https://acme.example.com/x":null}},` +
		`"timestamp":"2026-04-08T14:30:00.000Z"}`
	if id == "" {
		text = strings.Replace(text, `"id":"",`, "", 1)
	}
	return strings.NewReplacer(edits...).Replace(text)
}

type rig struct {
	t      *testing.T
	store  *lrs.LRS
	server *httptest.Server
}

func newRig(t *testing.T) *rig {
	t.Helper()
	now := time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)
	return startRig(t, lrs.New(lrs.Options{Now: func() time.Time { return now }}))
}

func startRig(t *testing.T, store *lrs.LRS) *rig {
	t.Helper()
	server := httptest.NewServer(store.Handler())
	t.Cleanup(func() { server.Close(); require.NoError(t, store.Close()) })
	store.AddAccount("key", "secret")
	return &rig{t, store, server}
}

func (r *rig) send(method, path, body string, extra ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("key", "secret")
	request.Header.Set("X-Experience-API-Version", "1.0.3")
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(extra); i += 2 {
		request.Header.Del(extra[i])
		if extra[i+1] != "" {
			request.Header.Set(extra[i], extra[i+1])
		}
	}
	return http.DefaultClient.Do(request)
}

func (r *rig) do(method, path, body string, extra ...string) (int, string) {
	r.t.Helper()
	response, err := r.send(method, path, body, extra...)
	require.NoError(r.t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(data)
}

func (r *rig) put(id, body string) int {
	r.t.Helper()
	status, _ := r.do("PUT", "/xapi/statements?statementId="+id, body)
	return status
}

func TestStoreAndReadBack_R148(t *testing.T) {
	r := newRig(t)
	require.Equal(t, 204, r.put(idA, statement(idA)))
	status, body := r.do("POST", "/xapi/statements", statement(idB))
	require.Equal(t, 200, status)
	require.JSONEq(t, `["`+idB+`"]`, body)

	response, err := r.send("GET", "/xapi/statements?statementId="+idA, "")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, "1.0.3", response.Header.Get("X-Experience-API-Version"))
	require.Equal(t, "2026-04-08T15:00:00.000Z", response.Header.Get("X-Experience-API-Consistent-Through"))
	var full map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&full))
	require.Equal(t, "2026-04-08T15:00:00.000Z", full["stored"])
	require.Equal(t, "1.0.0", full["version"])
	require.Equal(t, "2026-04-08T14:30:00.000Z", full["timestamp"])
	stored, ok := r.store.Statement(idA)
	require.True(t, ok)
	require.Equal(t, statement(idA), string(stored.Raw), "kept to the byte")
	require.Equal(t, "key", stored.Authority)

	status, _ = r.do("GET", "/xapi/statements?statementId="+strings.Replace(idA, "0f0e", "aaaa", 1), "")
	require.Equal(t, 404, status)
	_, list := r.do("GET", "/xapi/statements?limit=1", "")
	require.Contains(t, list, idB)
	require.NotContains(t, list, idA, "newest first")
	_, list = r.do("GET", "/xapi/statements?verb=http://adlnet.gov/expapi/verbs/passed", "")
	require.JSONEq(t, `{"statements":[],"more":""}`, list)
	status, _ = r.do("GET", "/xapi/statements?color=red", "")
	require.Equal(t, 400, status)
}

func TestStatementWithoutIDIsStoredEachTime(t *testing.T) {
	r := newRig(t)
	for range 2 {
		status, _ := r.do("POST", "/xapi/statements", statement(""))
		require.Equal(t, 200, status)
	}
	require.Len(t, r.store.Statements(), 2)
}

func TestRequestRules(t *testing.T) {
	r := newRig(t)
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"no version", "GET", "/xapi/statements", "", []string{"X-Experience-API-Version", ""}, 400},
		{"version 2", "GET", "/xapi/statements", "", []string{"X-Experience-API-Version", "2.0.0"}, 400},
		{"version 0.95", "GET", "/xapi/statements", "", []string{"X-Experience-API-Version", "0.95"}, 400},
		{"version 1.0", "GET", "/xapi/statements", "", []string{"X-Experience-API-Version", "1.0"}, 200},
		{"about needs neither", "GET", "/xapi/about", "", []string{"X-Experience-API-Version", "", "Authorization", ""}, 200},
		{"no credentials", "GET", "/xapi/statements", "", []string{"Authorization", ""}, 401},
		{"wrong credentials", "GET", "/xapi/statements", "", []string{"Authorization", "Basic a2V5Om5v"}, 401},
		{"text/plain", "POST", "/xapi/statements", statement(idA), []string{"Content-Type", "text/plain"}, 400},
		{"charset", "POST", "/xapi/statements", "[]", []string{"Content-Type", "application/json; charset=utf-8"}, 200},
		{"other path", "POST", "/statements", statement(idA), nil, 404},
		{"too large", "POST", "/xapi/statements", strings.Repeat(" ", 1<<20) + statement(idA), nil, 413},
		{"no id in the address", "PUT", "/xapi/statements", statement(idA), nil, 400},
		{"other id in the address", "PUT", "/xapi/statements?statementId=" + idB, statement(idA), nil, 400},
		{"bad id in the address", "PUT", "/xapi/statements?statementId=7", statement(""), nil, 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, body := r.do(c.method, c.path, c.body, c.headers...)
			require.Equal(t, c.status, status, body)
		})
	}
	require.Empty(t, r.store.Statements())
}

// TestRepeats is the table "second send under the same id" of two real stores, for the ways
// to compare.
func TestRepeats(t *testing.T) {
	base := statement(idA)
	cases := []struct {
		name, second string
		spec, picky  int
	}{
		{"same bytes", base, 204, 204},
		{"other instant format", statement(idA, "14:30:00.000Z", "16:30:00+02:00"), 204, 409},
		{"other instant", statement(idA, "14:30:00.000Z", "14:30:01.000Z"), 409, 409},
		{"no timestamp", statement(idA, `,"timestamp":"2026-04-08T14:30:00.000Z"`, ""), 409, 409},
		{"course renamed", statement(idA, "GDPR", "GDPR 2"), 204, 409},
		{"display changed", statement(idA, `:"completed"`, `:"done"`), 204, 409},
		{"object type left out", statement(idA, `"objectType":"Activity",`, ""), 204, 409},
		{"number format", statement(idA, "0.915", "0.9150"), 204, 204},
		{"other score", statement(idA, "0.915", "0.92"), 409, 409},
		{"duration format", statement(idA, "PT1H30M", "PT90M"), 409, 409},
		{"white space", " " + base, 204, 204},
		{"id left out", statement(""), 204, 204},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for how, want := range map[lrs.Compare]int{lrs.CompareSpec: c.spec, lrs.ComparePicky: c.picky, lrs.CompareRefuse: 409} {
				r := newRig(t)
				require.NoError(t, r.store.SetCompare(how))
				require.Equal(t, 204, r.put(idA, base))
				require.Equal(t, want, r.put(idA, c.second), how)
				stored, _ := r.store.Statement(idA)
				require.Equal(t, base, string(stored.Raw), "nothing changes, whatever is answered")
				require.Equal(t, 2, r.store.Sends(idA))
				require.Len(t, r.store.Statements(), 1)
			}
		})
	}
}

func TestBatchIsAllOrNothing(t *testing.T) {
	r := newRig(t)
	post := func(body string) int {
		status, _ := r.do("POST", "/xapi/statements", body)
		return status
	}
	require.Equal(t, 200, post("[]"))
	require.Equal(t, 400, post("["+statement(idA)+","+statement(idB, "completed", "")+",{}]"))
	require.Equal(t, 400, post("["+statement(idA)+","+statement(idA)+"]"), "same id twice")
	require.Equal(t, 400, post("["+statement(idA)))
	require.Empty(t, r.store.Statements())
	require.Equal(t, 200, post(statement(idA)))
	require.Equal(t, 409, post("["+statement(idB)+","+statement(idA, "0.915", "0.5")+"]"))
	require.Len(t, r.store.Statements(), 1)
	require.Equal(t, 200, post("["+statement(idB)+","+statement(idA)+"]"))
	require.Len(t, r.store.Statements(), 2)
}

func TestVoiding(t *testing.T) {
	r := newRig(t)
	require.Equal(t, 204, r.put(idA, statement(idA)))
	void := func(id, target string) string {
		return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:qa@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":%q}}`, id, target)
	}
	require.Equal(t, 204, r.put(idB, void(idB, idA)))
	status, _ := r.do("GET", "/xapi/statements?statementId="+idA, "")
	require.Equal(t, 404, status)
	status, _ = r.do("GET", "/xapi/statements?voidedStatementId="+idA, "")
	require.Equal(t, 200, status)
	require.Equal(t, 204, r.put(idA, statement(idA)), "same bytes after voiding")
	idC := strings.Replace(idB, "6c", "6d", 1)
	require.Equal(t, 204, r.put(idC, void(idC, idB)))
	status, _ = r.do("GET", "/xapi/statements?statementId="+idB, "")
	require.Equal(t, 200, status, "a voiding statement is not voided")
	status, _ = r.do("POST", "/xapi/statements", statement("", "verbs/completed", "verbs/voided"))
	require.Equal(t, 400, status, "voiding needs a reference")
}

func TestFaults(t *testing.T) {
	r := newRig(t)
	put := func() (int, string) {
		response, err := r.send("PUT", "/xapi/statements?statementId="+idA, statement(idA))
		if err != nil {
			return 0, ""
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	r.store.Fault(lrs.EndpointPut, fault.Status(503, 1), fault.RateLimited("30", 1), fault.Status(401, 1),
		fault.Silent(1), fault.LateCommit(-1, 1), fault.DropBefore(1), fault.DropAfter(1))
	for _, want := range []struct {
		status int
		after  string
		stored int
	}{{503, "", 0}, {429, "30", 0}, {401, "", 0}, {204, "", 0}, {204, "", 0}, {0, "", 0}, {0, "", 1}, {204, "", 1}} {
		status, after := put()
		require.Equal(t, want.status, status)
		require.Equal(t, want.after, after)
		require.Len(t, r.store.Statements(), want.stored)
	}
	require.Equal(t, 1, r.store.CommitLate(), "the late one finds its statement stored already")
	require.Len(t, r.store.Statements(), 1)
	require.Equal(t, 8, r.store.Calls(lrs.EndpointPut))

	r.store.RemoveAccount("key")
	status, _ := put()
	require.Equal(t, 401, status)
}

func TestOneStatementFromManySenders(t *testing.T) {
	r := newRig(t)
	const senders = 30
	statuses := make(chan int, senders)
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			response, err := r.send("PUT", "/xapi/statements?statementId="+idA, statement(idA))
			if err != nil {
				statuses <- 0
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		})
	}
	wg.Wait()
	close(statuses)
	for status := range statuses {
		require.Equal(t, 204, status)
	}
	require.Len(t, r.store.Statements(), 1)
	require.Equal(t, senders, r.store.Sends(idA))
}

func TestStatementsSurviveRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lrs.jsonl")
	store, err := lrs.Open(path, lrs.Options{})
	require.NoError(t, err)
	r := startRig(t, store)
	require.Equal(t, 204, r.put(idA, statement(idA)))

	again, err := lrs.Open(path, lrs.Options{})
	require.NoError(t, err)
	require.Equal(t, store.Statements(), again.Statements())
	again.Reset()
	require.NoError(t, again.Close())
	empty, err := lrs.Open(path, lrs.Options{})
	require.NoError(t, err)
	require.Empty(t, empty.Statements())
	require.NoError(t, empty.Close())

	// When a statement cannot be saved any more, no call succeeds.
	closed := startRig(t, empty)
	require.Equal(t, 500, closed.put(idA, statement(idA)), "not even the first one that is not saved")
	require.Equal(t, 500, closed.put(idB, statement(idB)))
}

func TestControls(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"PUT", "compare", `{"compare":"picky"}`, 200},
		{"PUT", "compare", `{"compare":"kind"}`, 400},
		{"POST", "accounts", `{"key":"k2","secret":"s2"}`, 200},
		{"POST", "faults", `{"endpoint":"put","faults":[{"status":503}]}`, 200},
		{"POST", "faults", `{"endpoint":"complete","faults":[{"status":503}]}`, 400},
		{"GET", "statements", "", 200},
	} {
		status, body := r.do(c.method, "/__sim/"+c.path, c.body)
		require.Equal(t, c.status, status, body)
	}
	require.Equal(t, 503, r.put(idA, statement(idA)))
	require.Equal(t, 204, r.put(idA, statement(idA)))
	status, _ := r.do("POST", "/__sim/reset", "")
	require.Equal(t, 200, status)
	require.Empty(t, r.store.Statements())
}
