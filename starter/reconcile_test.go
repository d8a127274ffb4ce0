package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

func reconcileFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "completions.csv")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// Rows that cannot be read are named by line before anything is stored, and a file without a source, or one that
// is none, is refused.
func TestUploadIsCheckedFirst_R128(t *testing.T) {
	s := start(t, tenantsFile)
	acme, ok := s.Tenants.Tenant("acme")
	require.True(t, ok)
	var out bytes.Buffer
	file := reconcileFile(t, "email,course_id,completed_at\njane@acme.example,7,2026-04-08\njane@acme.example,7,tomorrow\n")
	id, err := uploadFile(t.Context(), s.Journal, acme, "lms", file, &out)
	require.NoError(t, err)
	require.Contains(t, out.String(), "line 3: completed_at")
	require.Contains(t, out.String(), "1 rows can be read, 1 cannot")
	require.NotContains(t, out.String(), "jane")
	kept, err := s.Journal.Delivery(t.Context(), "acme", id)
	require.NoError(t, err)
	require.Equal(t, journal.VerdictIgnored, kept.Verdict, "the file itself is no completion")
	require.Empty(t, s.count(t))

	for name, refused := range map[string]struct{ source, file string }{
		"without a source": {"", file}, "no file": {"lms", file + ".gone"}, "no header": {"lms", reconcileFile(t, "1,2,3\n")},
	} {
		_, err := uploadFile(t.Context(), s.Journal, acme, refused.source, refused.file, &out)
		require.Error(t, err, name)
	}
}

// endless is a run that does not end while anybody waits for it.
type endless struct{ client.WorkflowRun }

func (endless) GetRunID() string { return "r-1" }

func (endless) Get(ctx context.Context, _ any) error {
	<-ctx.Done()
	return ctx.Err()
}

// Whoever stops waiting has not stopped the run, and is told where its report will be.
func TestRunGoesOnWithoutWhoeverWaits_R144(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out bytes.Buffer
	err := awaitReport(ctx, endless{}, "acme", &out)
	require.ErrorContains(t, err, "the run goes on: starter reconcile report -tenant acme -run r-1")
	require.NotContains(t, err.Error(), "canceled")
}

// The report of a run is written from the journal, page by page; without a run there is none.
func TestReportIsReadFromTheJournal_R144(t *testing.T) {
	s := start(t, tenantsFile)
	_, err := readReport(t.Context(), s.Journal, "acme", "")
	require.ErrorIs(t, err, journal.ErrNotFound)
	now := time.Now()
	_, err = s.Journal.BeginReconciliation(t.Context(), journal.Reconciliation{Tenant: "acme", Run: "r-1", From: now.Add(-time.Hour), To: now})
	require.NoError(t, err)
	var all []training.Mismatch
	for n := range rowsAtOnce + 10 {
		all = append(all, training.Mismatch{Kind: training.MismatchNoMapping, Origin: training.MismatchFromCompletion, Key: time.Duration(n).String(), Course: "GDPR"})
	}
	require.NoError(t, s.Journal.PutMismatches(t.Context(), "acme", "r-1", all))
	require.NoError(t, s.Journal.GiveUpReconciliationPart(t.Context(), "acme", "r-1", "lms/lms", "unreachable: 503"))
	require.NoError(t, s.Journal.EndReconciliation(t.Context(), "acme", "r-1"))
	report, err := readReport(t.Context(), s.Journal, "acme", "")
	require.NoError(t, err)
	require.Equal(t, len(all), report.Total().N)
	var out bytes.Buffer
	require.NoError(t, report.CSV(&out))
	require.Equal(t, len(all)+1, bytes.Count(out.Bytes(), []byte("\n")))
	out.Reset()
	require.NoError(t, report.Text(&out))
	require.Contains(t, out.String(), "NOT COMPARED: lms/lms: unreachable: 503")
}

// Dates and scores are for the one who asked, also where a file that others may read stood before.
func TestReportFileIsOursAlone_R144(t *testing.T) {
	s := start(t, tenantsFile)
	_, err := s.Journal.BeginReconciliation(t.Context(), journal.Reconciliation{Tenant: "acme", Run: "r-1"})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "report.csv")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o600))
	require.NoError(t, os.Chmod(file, 0o644))
	_, err = command(t, "reconcile", "report", "-tenant", "acme", "-format", "csv", "-o", file)
	require.NoError(t, err)
	about, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), about.Mode().Perm())
}

// What is asked for up to tomorrow ends where events have had their time to arrive.
func TestWindowEndsWhereEventsHaveSettled_R88(t *testing.T) {
	most := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	earlier := most.Add(-time.Hour)
	require.Equal(t, most, settled(earlier, time.Time{}, most))
	require.Equal(t, most, settled(earlier, most.AddDate(0, 0, 1), most))
	require.Equal(t, most, settled(time.Time{}, most.AddDate(0, 0, 1), most))
	require.Equal(t, earlier, settled(time.Time{}, earlier, most))
	require.Zero(t, settled(time.Time{}, time.Time{}, most), "the workflow chooses")
}

func TestEveryTenantHasItsTimeOfDay_R143(t *testing.T) {
	s := start(t, tenantsFile)
	plans := daily(s.Process)
	require.Len(t, plans, 1)
	require.Empty(t, plans[0].At, "none was asked for")
	require.Equal(t, "acme", plans[0].Input.Tenant)
	require.NoError(t, plans[0].Input.Settings.Validate())
}
