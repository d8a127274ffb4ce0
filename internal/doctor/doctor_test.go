package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// levelsOf is the level of each check; the worst, where one has several findings.
func levelsOf(findings []Finding) map[string]Level {
	all := map[string]Level{}
	for _, f := range findings {
		if rank(f.Level) >= rank(all[f.Check]) {
			all[f.Check] = f.Level
		}
	}
	return all
}

func rank(l Level) int {
	for i, level := range levels {
		if level == l {
			return i
		}
	}
	return -1
}

// the is the one finding of a check.
func the(t testing.TB, findings []Finding, check string) Finding {
	t.Helper()
	var found []Finding
	for _, f := range findings {
		if f.Check == check {
			found = append(found, f)
		}
	}
	require.Len(t, found, 1, "%s among %+v", check, findings)
	return found[0]
}

func TestABrokenCheckHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		says := func(text string) func(context.Context) []Finding {
			return func(context.Context) []Finding { return []Finding{fine("says", "%s", text)} }
		}
		found := Examine(t.Context(), []Check{
			{Name: "first", Tenant: "acme", Run: says("first")},
			{Name: "deaf", Run: func(context.Context) []Finding { <-release; return nil }},
			{Name: "panics", Run: func(context.Context) []Finding { panic("s3cret") }},
			{Name: "slow", Run: func(ctx context.Context) []Finding {
				<-ctx.Done()
				return []Finding{fine("slow", "half of it")}
			}},
			{Name: "last", Run: says("last")},
		}, time.Minute)
		close(release)
		require.Len(t, found, 5)
		require.Equal(t, Finding{Tenant: "acme", Check: "says", Level: OK, Text: "first"}, found[0])
		require.Equal(t, "no answer within 1m0s", found[1].Text)
		require.Equal(t, Error, found[2].Level)
		require.NotContains(t, found[2].Text+found[2].Fix, "s3cret")
		require.Equal(t, "half of it", found[3].Text)
		require.Equal(t, "last", found[4].Text)
	})
}

func TestExitCodeCountsWarningsOnlyWhenStrict(t *testing.T) {
	for _, test := range []struct {
		levels         []Level
		lenient, harsh int
		verdict        Level
	}{
		{nil, 0, 0, OK},
		{[]Level{OK, Note}, 0, 0, Note},
		{[]Level{OK, Warning}, 0, 2, Warning},
		{[]Level{Error, Warning, OK}, 1, 1, Error},
	} {
		var findings []Finding
		for _, level := range test.levels {
			findings = append(findings, Finding{Level: level})
		}
		r := NewReport(noon, time.Second, nil, findings)
		require.Equal(t, []int{test.lenient, test.harsh}, []int{r.ExitCode(false), r.ExitCode(true)}, test.levels)
		require.Equal(t, test.verdict, r.Verdict)
	}
}

func report() Report {
	return NewReport(noon, 1400*time.Millisecond, []Subject{{"acme", "Acme Medical"}, {"globex", "Globex"}}, []Finding{
		fine("journal.schema", "the schema is this version's"),
		{Tenant: "acme", Check: "qms.updates", Level: Error, Text: "external status updates are\x1b[2J switched off", Fix: "switch <them> on"},
		{Tenant: "acme", Check: "sources.auth", Subject: "lms", Level: OK, Text: "its senders prove who they are"},
		{Tenant: "acme", Check: "sources.mode", Subject: "lms", Level: Warning, Text: "test mode", Fix: "set mode: live"},
		{Tenant: "acme", Check: "sources.auth", Subject: "portal", Level: OK, Text: "its senders prove who they are"},
		{Tenant: "globex", Check: "qms.budget", Level: Note, Text: "not said"},
	})
}

func TestReportForPeople(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().Print(&out, false))
	require.Equal(t, `Countersign doctor, 2026-04-08 12:00 UTC, took 1.4 s; nothing was written

installation
  ok    journal.schema  the schema is this version's

tenant acme (Acme Medical)
  FAIL  qms.updates   external status updates are [2J switched off
                      → switch <them> on
  ok    sources.auth  lms, portal: its senders prove who they are
  WARN  sources.mode  lms: test mode
                      → set mode: live

tenant globex (Globex)
  note  qms.budget  not said

1 failure, 1 warning, 1 note, 3 ok
`, out.String())
	out.Reset()
	require.NoError(t, report().Print(&out, true))
	require.Contains(t, out.String(), "qms.updates")
	for _, left := range []string{"installation", "globex", "sources.auth"} {
		require.NotContains(t, out.String(), left)
	}
}

// TestReportForPrograms holds the schema: whoever changes what stands here changes the name of the schema too.
func TestReportForPrograms(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().WriteJSON(&out))
	require.Contains(t, out.String(), `"fix": "switch <them> on"`)
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	findings := got["findings"].([]any)
	delete(got, "findings")
	require.Equal(t, map[string]any{
		"schema": "countersign.doctor/1", "at": "2026-04-08T12:00:00Z", "tookMs": 1400.0, "verdict": "error",
		"counts":  map[string]any{"ok": 3.0, "note": 1.0, "warning": 1.0, "error": 1.0},
		"tenants": []any{map[string]any{"id": "acme", "name": "Acme Medical"}, map[string]any{"id": "globex", "name": "Globex"}},
	}, got)
	require.Equal(t, map[string]any{"check": "journal.schema", "level": "ok", "text": "the schema is this version's"}, findings[0])
	require.Equal(t, map[string]any{"tenant": "acme", "check": "sources.mode", "subject": "lms", "level": "warning", "text": "test mode", "fix": "set mode: live"}, findings[3])

	out.Reset()
	require.NoError(t, NewReport(noon, 0, nil, nil).WriteJSON(&out))
	require.Contains(t, out.String(), `"findings": []`)
}
