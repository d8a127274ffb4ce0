package settings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

func budgeted(t *testing.T, budget string) (*settings.Settings, error) {
	t.Helper()
	t.Setenv("SECRET", "a-secret-of-some-length")
	return load(t, fmt.Sprintf(`tenants:
  - id: acme
    name: Acme
    admins: [training@acme.example]
    qms: {url: "https://qms.acme.example", client_id: c, client_secret: "env:SECRET", budget: %s}
    sources: [{id: lms, platform: canonical, auth: {hmac_sha256: {secrets: ["env:SECRET"]}}}]
`, budget))
}

func TestOutagePolicyOfATenant(t *testing.T) {
	s, err := patience(t, "")
	require.NoError(t, err)
	require.Equal(t, training.DefaultOutage(), s.Tenants[0].Policy.Outage)

	s, err = patience(t, "outage: {hold: false, failures: 20, probe: {first: 1m, maximum: 1h}, resume_per_second: 0.5}")
	require.NoError(t, err)
	require.Equal(t, training.Outage{
		Failures: 20, Probe: training.Poll{First: time.Minute, Maximum: time.Hour}, ResumePerSecond: 0.5,
	}, s.Tenants[0].Policy.Outage)

	s, err = patience(t, "outage: {probe: {first: 10m}}")
	require.NoError(t, err)
	require.Equal(t, 10*time.Minute, s.Tenants[0].Policy.Outage.Probe.Maximum)

	for policy, mistake := range map[string]string{
		"outage: {hold: perhaps}":                     "true or false",
		"outage: {failures: 0}":                       "from 1 to 1000",
		"outage: {probe: {first: 1ms}}":               "from 100ms to 24h0m0s",
		"outage: {probe: {first: 2h, maximum: 1h}}":   "probe.maximum must not be below probe.first",
		"outage: {resume_per_second: 0}":              "from 0.01 to 1000",
		"outage: {resume_per_minute: 3}":              "resume_per_minute",
		"outage: {probe: {first: 10s, maximum: 1 h}}": "must be a time span",
	} {
		_, err := patience(t, policy)
		require.ErrorContains(t, err, mistake, policy)
	}
}

func TestBudgetOfAQMS(t *testing.T) {
	s, err := patience(t, "")
	require.NoError(t, err)
	require.Zero(t, s.Tenants[0].QMS.Budget, "no budget without being asked for")

	for text, want := range map[string]settings.Budget{
		"{per_second: 5}":            {PerSecond: 5, Burst: 5, ResetAt: "00:00", Zone: "UTC"},
		"{per_second: 0.5}":          {PerSecond: 0.5, Burst: 1, ResetAt: "00:00", Zone: "UTC"},
		"{per_second: 5, burst: 10}": {PerSecond: 5, Burst: 10, ResetAt: "00:00", Zone: "UTC"},
		`{per_day: 10000, reset_at: "06:00", zone: Europe/Berlin}`: {Burst: 1, PerDay: 10_000, ResetAt: "06:00", Zone: "Europe/Berlin"},
	} {
		s, err := budgeted(t, text)
		require.NoError(t, err, text)
		require.Equal(t, want, s.Tenants[0].QMS.Budget, text)
		var described strings.Builder
		require.NoError(t, s.Describe(&described))
		require.Contains(t, described.String(), "QMS budget")
	}
	for text, mistake := range map[string]string{
		"{}":                                "must have per_second, per_day or both",
		"{burst: 3, per_day: 100}":          "belongs to per_second",
		"{per_second: 1, zone: UTC}":        "belong to per_day",
		"{per_day: 5}":                      "from 10 to 1000000000",
		`{per_day: 100, reset_at: "25:00"}`: "must be a time of day",
		`{per_day: 100, reset_at: "24:00"}`: "midnight is",
		`{per_day: 100, zone: Local}`:       "must be an IANA time zone",
		"{per_hour: 100}":                   "per_hour",
		"100":                               "must be a mapping",
	} {
		_, err := budgeted(t, text)
		require.ErrorContains(t, err, mistake, text)
	}
}
