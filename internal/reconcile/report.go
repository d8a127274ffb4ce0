package reconcile

import (
	"bufio"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strings"
	"time"

	"countersign/internal/csvtable"
	"countersign/internal/training"

	_ "embed"
)

// Report is what one run has found, for people (R144). It holds dates and scores of learners, and no names.
type Report struct {
	Tenant, Run string
	From, To    time.Time
	StartedAt   time.Time
	// EndedAt is zero while the run is under way.
	EndedAt time.Time
	// Source is the only source compared, "" for all.
	Source string
	DryRun bool
	Parts  []Part
	Counts map[training.MismatchKind]Count
	// Rows yields the mismatches of a kind; they are written as they come, however many there are.
	Rows func(training.MismatchKind) iter.Seq2[training.Mismatch, error]
}

// Part is one comparison of the run.
type Part struct {
	Name   string
	Looked int
	Done   bool
	// Failure says why the part could not be compared, "" if it was.
	Failure string
}

// Count is how many mismatches of a kind there are.
type Count struct{ N, Started, Carried, New int }

// Total is the sum over all kinds.
func (r Report) Total() Count {
	var t Count
	for _, c := range r.Counts {
		t.N, t.Started, t.Carried, t.New = t.N+c.N, t.Started+c.Started, t.Carried+c.Carried, t.New+c.New
	}
	return t
}

// Kinds are those of which there is any, in the order of the report.
func (r Report) Kinds() []training.MismatchKind {
	var some []training.MismatchKind
	for _, kind := range training.MismatchKinds() {
		if r.Counts[kind].N > 0 {
			some = append(some, kind)
		}
	}
	return some
}

// State says in words how the run stands.
func (r Report) State() string {
	if r.EndedAt.IsZero() {
		return "under way, or ended from outside: the report is not complete"
	}
	for _, part := range r.Parts {
		if part.Failure != "" {
			return "ended; not everything could be compared"
		}
	}
	return "complete"
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}

// note is what is to be said of a mismatch beside the two sides.
func note(m training.Mismatch) string {
	var all []string
	if m.Started {
		all = append(all, "started")
	}
	if m.Carried {
		all = append(all, "not looked at again in this run")
	}
	if m.Detail != "" {
		all = append(all, m.Detail)
	}
	return strings.Join(all, "; ")
}

// Text writes the report for a terminal.
func (r Report) Text(w io.Writer) error {
	out := bufio.NewWriter(w)
	total := r.Total()
	fmt.Fprintf(out, "Reconciliation of %s, run %s\n%s; completions of %s to %s\n", r.Tenant, r.Run, r.State(), moment(r.From), moment(r.To))
	if r.DryRun {
		fmt.Fprintln(out, "dry run: nothing was started")
	}
	fmt.Fprintf(out, "%d mismatches, %d of them new, %d started, %d carried over\n", total.N, total.New, total.Started, total.Carried)
	for _, part := range r.Parts {
		if part.Failure != "" {
			fmt.Fprintf(out, "NOT COMPARED: %s: %s\n", part.Name, oneLine(part.Failure))
		}
	}
	for _, kind := range r.Kinds() {
		words := kind.Explain()
		fmt.Fprintf(out, "\n%s: %d\n  %s\n  %s\n  %s\n", strings.ToUpper(kind.Title()), r.Counts[kind].N, words.Happened, words.Means, words.Do)
		for m, err := range r.Rows(kind) {
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "  - %s", oneLine(orDash(m.Course)))
			for _, part := range []struct{ name, value string }{
				{"source", m.Source}, {"completion", string(m.Fingerprint)}, {"record", m.RecordID},
				{"LMS says", m.LMS}, {"here", m.QMS}, {"since", moment(m.Since)}, {"", note(m)},
			} {
				if part.value != "" {
					fmt.Fprintf(out, ", %s", strings.TrimSpace(part.name+" "+oneLine(part.value)))
				}
			}
			fmt.Fprintln(out)
		}
	}
	return out.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// oneLine keeps what an LMS has sent from drawing on a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return ' '
		}
		return r
	}, text)
}

// columns are those of the CSV report.
func columns() []csvtable.Column {
	var all []csvtable.Column
	for _, name := range []string{
		"kind", "source", "course", "completion", "record", "completed_at", "lms", "here", "detail", "started", "carried", "since", "run",
	} {
		all = append(all, csvtable.Column{Name: name})
	}
	return all
}

// CSV writes one row for each mismatch, as RFC 4180 says, in UTF-8. Nothing in it is a formula to a spreadsheet, whatever it
// takes the file apart at.
func (r Report) CSV(w io.Writer) error {
	out, err := csvtable.NewWriter(w, columns())
	if err != nil {
		return err
	}
	for _, kind := range r.Kinds() {
		for m, err := range r.Rows(kind) {
			if err != nil {
				return err
			}
			at := ""
			if !m.At.IsZero() {
				at = m.At.UTC().Format(time.RFC3339)
			}
			err = out.Write([]string{
				string(m.Kind), m.Source, m.Course, string(m.Fingerprint), m.RecordID, at, m.LMS, m.QMS, m.Detail,
				fmt.Sprint(m.Started), fmt.Sprint(m.Carried), m.Since.UTC().Format(time.RFC3339), r.Run,
			})
			if err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

//go:embed report.html
var page string

// HTML writes the report as one page that needs nothing else, to be read and printed.
func (r Report) HTML(w io.Writer) error {
	pages, err := template.New("").Funcs(template.FuncMap{
		"moment": moment,
		"note":   func(m training.Mismatch) string { return oneLine(note(m)) },
		"dash":   func(text string) string { return orDash(oneLine(text)) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the report's page: %w", err)
	}
	out := bufio.NewWriter(w)
	if err := pages.ExecuteTemplate(out, "head", r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	for _, kind := range r.Kinds() {
		err := pages.ExecuteTemplate(out, "kind", struct {
			Title string
			N     int
			Words training.Explanation
		}{kind.Title(), r.Counts[kind].N, kind.Explain()})
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		for m, err := range r.Rows(kind) {
			if err != nil {
				return err
			}
			if err := pages.ExecuteTemplate(out, "row", m); err != nil {
				return fmt.Errorf("write report: %w", err)
			}
		}
		if err := pages.ExecuteTemplate(out, "end", nil); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if err := pages.ExecuteTemplate(out, "foot", nil); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return out.Flush()
}
