package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"countersign/internal/lms"
	"countersign/internal/process"

	"github.com/stretchr/testify/require"
)

const tenantsFile = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: "https://arena.acme.example", client_id: svc-countersign, client_secret: env:CHECK_QMS_SECRET}
    employee_id: external_id
    courses: [{code: COMP-2026, training: TP-0042}]
    sources:
      - id: lms
        platform: canonical
        domains: [acme.lms.example.com]
        auth: {hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}
`

func configured(t *testing.T, yaml string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(file, []byte(yaml), 0o600))
	t.Setenv("COUNTERSIGN_TENANTS", file)
	t.Setenv("CHECK_QMS_SECRET", "the-secret-of-the-qms")
	t.Setenv("CHECK_LMS_SECRET", "the-secret-of-the-lms")
	t.Setenv("CHECK_OLD_SECRET", "the-secret-before-that")
}

func TestCheckShowsWhatWouldRunAndNoSecret_R207(t *testing.T) {
	configured(t, tenantsFile)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"check"}, nil, &out, &out))
	for _, shown := range []string{"tenant acme", "1 mapped", "4 attempts", "env:CHECK_LMS_SECRET", "COUNTERSIGN_LISTEN"} {
		require.Contains(t, out.String(), shown)
	}
	require.NotContains(t, out.String(), "the-secret")
}

func TestCheckReportsEveryMistakeWithItsLine(t *testing.T) {
	configured(t, `tenants:
  - id: Acme!
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: "http://arena.acme.example", client_id: svc, client_secret: in-the-clear}
    sources: [{id: lms, platform: docbo, auth: {hmac_sha256: {secrets: [env:CHECK_LMS_SECRET]}}}]
`)
	var out bytes.Buffer
	err := run(t.Context(), []string{"check"}, nil, &out, &out)
	for _, mistake := range []string{"countersign.yml:2:", "countersign.yml:5:", `unknown platform "docbo"`} {
		require.ErrorContains(t, err, mistake)
	}
	require.NotContains(t, err.Error(), "in-the-clear")
}

func TestUnknownCommandIsAnError(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"check", "more"}} {
		require.ErrorContains(t, run(t.Context(), args, nil, nil, nil), "usage:")
	}
	for _, args := range [][]string{{"replay"}, {"replay", "-unmapped"}, {"replay", "-source", "lms", "acme", "f"}, {"explain", "acme"}, {"send"},
		{"reconcile"}, {"reconcile", "report"}, {"reconcile", "list", "-tenant", "acme", "more"}, {"reconcile", "-tenant", "acme", "-from", "08.04.2026"}} {
		var said bytes.Buffer
		require.Error(t, run(t.Context(), args, nil, &said, &said), args)
		require.Contains(t, said.String(), "usage:", args)
	}
	require.ErrorContains(t, run(t.Context(), []string{"replay", "acme", "no-fingerprint"}, nil, nil, nil), "64 lower-case")
}

// Asking for help is no mistake: no line of an error behind it, and main ends with 0.
func TestHelpIsNoMistake(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"help"}} {
		var said bytes.Buffer
		require.NoError(t, run(t.Context(), args, nil, &said, nil))
		require.Contains(t, said.String(), "reconcile …")
	}
	for _, name := range []string{"pause", "resume", "replay", "explain", "doctor", "reconcile", "send", "csv"} {
		var said bytes.Buffer
		require.ErrorIs(t, run(t.Context(), []string{name, "-h"}, nil, &said, &said), flag.ErrHelp, name)
		require.Regexp(t, "(?i)usage", said.String(), name)
	}
}

func TestHealthcheckOfNobodyFails(t *testing.T) {
	t.Setenv("COUNTERSIGN_LISTEN", "127.0.0.1:1")
	require.ErrorContains(t, run(t.Context(), []string{"healthcheck"}, nil, nil, nil), "healthcheck:")
}

func TestSourcesAreFoundByPathAndByDomain_R162(t *testing.T) {
	configured(t, tenantsFile)
	_, loaded, err := process.Load()
	require.NoError(t, err)
	all, err := newSources(loaded, verifiers{})
	require.NoError(t, err)
	byPath, ok := all.Source("acme", "lms")
	require.True(t, ok)
	byDomain, ok := all.ByDomain("acme.lms.example.com")
	require.True(t, ok)
	require.Equal(t, byPath.ID, byDomain.ID)
	require.Equal(t, "canonical", byPath.Adapter.Platform())
	_, err = byPath.Verifier.Verify(lms.Request{Method: "POST", Body: []byte("{}")})
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	_, ok = all.Source("globex", "lms")
	require.False(t, ok)
	_, ok = all.ByDomain("globex.lms.example.com")
	require.False(t, ok)
}
