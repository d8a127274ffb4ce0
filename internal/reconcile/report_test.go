package reconcile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"html"
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

// Nor does one that takes the file apart elsewhere: the rule is csvtable's, and an LMS's course title may hold anything.
func TestCSVComputesNothingBehindOtherSeparators_R144(t *testing.T) {
	r := report()
	rows := r.Rows
	r.Rows = func(kind training.MismatchKind) iter.Seq2[training.Mismatch, error] {
		return func(yield func(training.Mismatch, error) bool) {
			for m, err := range rows(kind) {
				m.Course, m.Detail = `GDPR;=HYPERLINK("https://evil.example")`, "x\n=1+1|-2\t+3"
				if !yield(m, err) {
					return
				}
			}
		}
	}
	var out bytes.Buffer
	require.NoError(t, r.CSV(&out))
	for part := range strings.FieldsFuncSeq(out.String(), func(r rune) bool { return strings.ContainsRune(";|\t\n\r", r) }) {
		require.NotRegexp(t, `^[" ]*[=+@-]`, part)
	}
	require.Contains(t, out.String(), "GDPR;'=HYPERLINK")
}

// A statement's mismatch is told like the others, with its sentences and its id.
func TestReportShowsStatements_R144_R148(t *testing.T) {
	r := report()
	r.Counts = map[training.MismatchKind]reconcile.Count{
		training.MismatchMissingInLRS: {N: 1, New: 1}, training.MismatchVoidedInLRS: {N: 1}, training.MismatchDifferentInLRS: {N: 1},
	}
	r.Parts = append(r.Parts, reconcile.Part{Name: "lrs", Failure: "unreachable: read statement back"})
	r.Rows = func(kind training.MismatchKind) iter.Seq2[training.Mismatch, error] {
		return func(yield func(training.Mismatch, error) bool) {
			yield(training.Mismatch{Kind: kind, Source: "docebo", Course: "GDPR", Detail: "statement 0d6b0fca, another result", Since: noon}, nil)
		}
	}
	for name, write := range map[string]func(reconcile.Report, io.Writer) error{"text": reconcile.Report.Text, "html": reconcile.Report.HTML, "csv": reconcile.Report.CSV} {
		var out bytes.Buffer
		require.NoError(t, write(r, &out))
		text := strings.ToLower(html.UnescapeString(out.String()))
		require.Equal(t, 3, strings.Count(text, "statement 0d6b0fca, another result"), name)
		if name == "csv" {
			require.Contains(t, text, "\nmissing_in_lrs,docebo,gdpr,")
			continue
		}
		require.Contains(t, text, "unreachable: read statement back", name)
		for kind := range r.Counts {
			require.Contains(t, text, strings.ToLower(kind.Title()), name)
			require.Contains(t, text, strings.ToLower(kind.Explain().Do), name)
		}
	}
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
