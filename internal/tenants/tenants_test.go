package tenants_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/notify"
	"countersign/internal/process"
	"countersign/internal/qms"
	"countersign/internal/tenants"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

const yaml = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: "https://arena.acme.example", client_id: svc-countersign, client_secret: env:TENANTS_QMS_SECRET}
    employee_id: external_id
    policy: {escalate_to: [head@acme.example]}
    notices:
      mail: false
      channels: [{id: chat, type: slack, url: env:TENANTS_CHAT}]
      quiet: {from: "22:00", to: "06:00", zone: UTC}
    courses: [{code: COMP-2026, training: TP-0042, approval: true}]
    sources:
      - {id: lms, platform: canonical, auth: {hmac_sha256: {secrets: [env:TENANTS_LMS_SECRET]}}}
      - {id: portal, platform: docebo, employee_id: username, auth: {basic: {username: docebo, secrets: [env:TENANTS_PORTAL_SECRET]}},
         api: {url: "https://acme.docebosaas.com", client_id: app, client_secret: env:TENANTS_API_SECRET}}
`

// wired builds the tenants of the file, over a chat that counts what it takes.
func wired(t *testing.T) (tenants.Tenants, *int) {
	t.Helper()
	taken := 0
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		taken++
		if _, err := io.WriteString(w, "ok"); err != nil {
			t.Errorf("answer: %v", err)
		}
	}))
	t.Cleanup(chat.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "countersign.yml")
	require.NoError(t, os.WriteFile(file, []byte(yaml), 0o600))
	for name, value := range map[string]string{
		"COUNTERSIGN_TENANTS": file, "COUNTERSIGN_JOURNAL": "sqlite:" + filepath.Join(dir, "journal.db"),
		"COUNTERSIGN_TEMPORAL_WEB_URL": "https://temporal.acme.example", "TENANTS_CHAT": chat.URL + "/services/T/B/X",
		"TENANTS_QMS_SECRET": "the-secret-of-the-qms", "TENANTS_LMS_SECRET": "the-secret-of-the-lms", "TENANTS_API_SECRET": "the-secret-of-the-api", "TENANTS_PORTAL_SECRET": "the-secret-of-the-portal",
	} {
		t.Setenv(name, value)
	}
	p, err := process.Open(t.Context(), "test", io.Discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	all, err := tenants.New(p)
	require.NoError(t, err)
	return all, &taken
}

func TestTenantIsWiredAsItsSettingsSay_C14_R15_R133(t *testing.T) {
	all, taken := wired(t)
	acme, ok := all.Find("acme")
	require.True(t, ok)
	_, ok = all.Find("globex")
	require.False(t, ok)

	learner := training.Learner{ExternalID: "HR-1", Username: "jlee"}
	require.Equal(t, "HR-1", acme.EmployeeID("lms", learner))
	require.Equal(t, "jlee", acme.EmployeeID("portal", learner), "the source's own field")
	require.Equal(t, "HR-1", acme.EmployeeID("gone", learner), "the tenant's, for a source that is no longer there")
	id, approval, ok := acme.Training("lms", training.Course{Code: "COMP-2026"})
	require.Equal(t, []any{"TP-0042", true, true}, []any{id, approval, ok})
	require.Nil(t, acme.LRS, "none is configured")
	require.NotNil(t, acme.Escalations)
	require.NotNil(t, acme.LMS("portal"), "its api")
	require.Nil(t, acme.LMS("lms"), "it has none")
	require.Nil(t, acme.LMS("gone"))

	midnight := time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC)
	require.Equal(t, midnight.Add(6*time.Hour), acme.Quiet.Next(midnight))
	require.Contains(t, acme.NoticeLink(""), "WAITING_APPROVAL")
	require.Contains(t, acme.NoticeLink(""), "WAITING_SIGNATURE")
	require.Contains(t, acme.NoticeLink("f00d"), "/workflows/f00d")

	notice := notify.Notice{ID: "acme/1", Tenant: "acme", TenantName: "Acme", Kind: notify.KindReview, At: midnight,
		Failures: []notify.Item{{CourseLabel: "C", Class: training.FailureUnreachable}}}
	for range 2 { // a resend goes over no channel that has taken it
		require.NoError(t, acme.Notices.Send(t.Context(), notice))
		require.Equal(t, 1, *taken)
	}
	require.NoError(t, acme.Escalations.Send(t.Context(), notice))
	require.Equal(t, 2, *taken, "the same notice to others is remembered for them")
}

// Which adapter, and how it knows employees and trainings, is the settings' word.
func TestTenantWhoseTraineesSign(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "countersign.yml")
	require.NoError(t, os.WriteFile(file, []byte(`tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms:
      type: arena-v1
      url: https://api.arenasolutions.com/v1
      oauth: {client_id: app, client_secret: env:TENANTS_QMS_SECRET, token_url: "https://oauth.bom.com/oauth2/token"}
      workspace_id: "898001"
    courses: [{code: COMP-2026, training: TRP-000012, item: 020-00004}, {code: ALL, training: TRP-000012}]
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: [env:TENANTS_LMS_SECRET]}}}]
`), 0o600))
	for name, value := range map[string]string{
		"COUNTERSIGN_TENANTS": file, "COUNTERSIGN_JOURNAL": "sqlite:" + filepath.Join(dir, "journal.db"),
		"TENANTS_QMS_SECRET": "the-secret-of-the-qms", "TENANTS_LMS_SECRET": "the-secret-of-the-lms",
	} {
		t.Setenv(name, value)
	}
	p, err := process.Open(t.Context(), "test", io.Discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	all, err := tenants.New(p)
	require.NoError(t, err)
	acme, _ := all.Find("acme")
	require.Implements(t, (*qms.Signing)(nil), acme.QMS)
	require.Equal(t, "jordan.lee@acme.example", acme.EmployeeID("lms", training.Learner{Email: "Jordan.Lee@acme.example"}))
	for code, want := range map[string]string{"COMP-2026": "TRP-000012/020-00004", "ALL": "TRP-000012"} {
		id, approval, ok := acme.Training("lms", training.Course{Code: code})
		require.Equal(t, []any{want, false, true}, []any{id, approval, ok})
	}
	_, _, ok := acme.Training("lms", training.Course{Code: "OTHER"})
	require.False(t, ok)
}
