package settings_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

func reconciliationOf(t *testing.T, line string) (*settings.Settings, error) {
	t.Helper()
	t.Setenv("SECRET", "a-secret-of-some-length")
	t.Setenv("OTHER", "another-secret-of-some-length")
	return load(t, fmt.Sprintf(`tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {url: "https://qms.acme.example", client_id: c, client_secret: "env:SECRET"}
    sources:
      - {id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:SECRET"]}}}
      - {id: trial, platform: canonical, mode: test, auth: {hmac_sha256: {secrets: ["env:OTHER"]}}}
    %s
`, line))
}

func TestReconciliationOfATenant_R143(t *testing.T) {
	s, err := reconciliationOf(t, "")
	require.NoError(t, err)
	r := s.Tenants[0].Reconciliation
	require.Empty(t, r.Daily, "nothing runs without being asked for")
	want := training.DefaultReconciliation()
	want.Sources = []training.ReconciledSource{{ID: "lms", Platform: "canonical", Listed: true}, {ID: "trial", Platform: "canonical"}}
	require.Equal(t, want, r.Rules, "and on demand it runs by the defaults; what is in test mode is not listed")

	s, err = reconciliationOf(t, `reconciliation: {daily: "03:00", time_zone: Europe/Berlin, window: 72h, settle: 1h, same_within: 2h, late_after: 8h, per_second: 0.5, statements: 0.25, sources: [lms]}`)
	require.NoError(t, err)
	require.Equal(t, settings.Reconciliation{Daily: "03:00", Rules: training.Reconciliation{
		Window: 72 * time.Hour, Settle: time.Hour, SameWithin: 2 * time.Hour, LateAfter: 8 * time.Hour, PerSecond: 0.5, Statements: 0.25, TimeZone: "Europe/Berlin",
		Sources: []training.ReconciledSource{{ID: "lms", Platform: "canonical", Listed: true}, {ID: "trial", Platform: "canonical"}},
	}}, s.Tenants[0].Reconciliation)
	var out bytes.Buffer
	require.NoError(t, s.Describe(&out))
	require.Contains(t, out.String(), "daily at 03:00 Europe/Berlin; 72h0m0s back, at most 0.5 reads a second")
}

// Reading statements back costs the LRS a request each: a tenant has all of them read, a share, or none.
func TestStatementsThatAreReadBack_R143_R148(t *testing.T) {
	const lrs = `lrs: {url: "https://lrs.acme.example/xapi", username: u, password: "env:OTHER", home_page: "https://lms.acme.example", course_url: "https://lms.acme.example/c/{id}"}
    reconciliation: {daily: "03:00"%s}`
	for line, want := range map[string]string{
		"": "; every statement is read back", ", statements: 0": "; no statement is read back", ", statements: 0.25": "; 25 % of the statements are read back",
	} {
		s, err := reconciliationOf(t, fmt.Sprintf(lrs, line))
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, s.Describe(&out))
		require.Contains(t, out.String(), "reads a second"+want)
	}
}

func TestReconciliationThatIsRefused(t *testing.T) {
	for line, mistake := range map[string]string{
		`{daily: "3:00"}`:                "must be a time of day in quotes",
		`{daily: "24:00"}`:               `from "00:00" to "23:59"`,
		`{daily: 180}`:                   "must be a text",
		`{time_zone: Local}`:             "must be an IANA time zone",
		`{window: 30m}`:                  "from 1h0m0s to 2160h0m0s",
		`{window: 1h, settle: 2h}`:       "window must be longer than settle",
		`{per_second: 0}`:                "must be a number from 0.1 to 1000",
		`{statements: 2}`:                "must be a number from 0 to 1",
		`{statements: some}`:             "must be a number",
		`{sources: [portal]}`:            `the tenant has no source "portal"`,
		`{sources: [trial]}`:             "in mode: test",
		`{sources: lms}`:                 "must be a list",
		`{weekly: "03:00"}`:              "unknown key",
		`{late_after: 0s}`:               "from 1m0s",
		`{same_within: 200h}`:            "to 168h0m0s",
		`{daily: "03:00", sources: [1]}`: "must be a text",
	} {
		_, err := reconciliationOf(t, "reconciliation: "+line)
		require.ErrorContains(t, err, mistake, line)
	}
}
