package reconcile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"countersign/internal/reconcile"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

const hostile = "=HYPERLINK(\"https://evil.example\")<script>alert(1)</script>\x1b[2J"

func report() reconcile.Report {
	return reconcile.Report{
		Tenant: "acme", Run: "r-1", From: noon.AddDate(0, 0, -2), To: noon, StartedAt: noon, EndedAt: noon.Add(time.Minute),
		Parts: []reconcile.Part{{Name: "lms/docebo", Failure: "unreachable: list completions"}, {Name: "journal", Looked: 12, Done: true}},
		Counts: map[training.MismatchKind]reconcile.Count{
			training.MismatchMissingInQMS:  {N: 1, Started: 1, New: 1},
			training.MismatchDifferentDate: {N: 1, Carried: 1},
		},
		Rows: func(kind training.MismatchKind) iter.Seq2[training.Mismatch, error] {
			return func(yield func(training.Mismatch, error) bool) {
				m := training.Mismatch{Kind: kind, Source: "docebo", Course: hostile, Fingerprint: "f00d", LMS: "-1", Since: noon.AddDate(0, 0, -7)}
				m.Started, m.Carried = kind == training.MismatchMissingInQMS, kind == training.MismatchDifferentDate
				yield(m, nil)
			}
		},
	}
}

func TestReportSaysWhatAndSinceWhen_R144(t *testing.T) {
	for name, write := range map[string]func(reconcile.Report, io.Writer) error{"text": reconcile.Report.Text, "html": reconcile.Report.HTML} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, write(report(), &out))
			text := out.String()
			for _, want := range []string{
				"2 mismatches", "2026-04-01 12:00 UTC", "not everything could be compared", "lms/docebo", "started", "not looked at again",
				training.MismatchMissingInQMS.Explain().Do, training.MismatchDifferentDate.Explain().Happened,
			} {
				require.Contains(t, text, want)
			}
			require.NotContains(t, text, "\x1b", "nothing draws on the terminal")
		})
	}
}

func TestPageNeedsNothingAndRunsNothing(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().HTML(&out))
	page := out.String()
	require.NotContains(t, page, "<script")
	require.Contains(t, page, "@media print")
	for _, reference := range []string{"src=", "href=", "url(", "@import"} {
		require.NotContains(t, page, reference)
	}
}

// A spreadsheet takes what begins with =, +, - or @ for a formula.
func TestCSVComputesNothing_R144(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().CSV(&out))
	all, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, all, 3)
	for _, row := range all {
		for _, cell := range row {
			require.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r"), cell)
		}
	}
	require.Equal(t, "'"+hostile, all[1][2])
}

func TestReportThatCannotBeReadIsNoReport(t *testing.T) {
	broken := report()
	broken.Rows = func(training.MismatchKind) iter.Seq2[training.Mismatch, error] {
		return func(yield func(training.Mismatch, error) bool) {
			yield(training.Mismatch{}, errors.New("journal is closed"))
		}
	}
	for _, write := range []func(reconcile.Report, io.Writer) error{reconcile.Report.Text, reconcile.Report.HTML, reconcile.Report.CSV} {
		require.ErrorContains(t, write(broken, io.Discard), "journal is closed")
	}
}

func TestRunThatHasNotEndedSaysSo(t *testing.T) {
	r := report()
	r.EndedAt = time.Time{}
	require.Contains(t, r.State(), "not complete")
}
