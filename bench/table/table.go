// Package table is what a run says: its rows as the Markdown table of docs/performance.md, or as
// JSON, with everything that is needed to judge them.
package table

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"countersign/bench/figure"
)

// Bound is what a figure is held to; the zero value holds it to nothing.
type Bound struct {
	AtLeast float64 `json:"atLeast,omitempty"`
	AtMost  float64 `json:"atMost,omitempty"`
}

// Holds reports whether the value is within the bound.
func (b Bound) Holds(value float64) bool {
	return (b.AtLeast == 0 || value >= b.AtLeast) && (b.AtMost == 0 || value <= b.AtMost)
}

// None reports whether it bounds nothing.
func (b Bound) None() bool { return b == Bound{} }

// String is the bound as the table shows it.
func (b Bound) String() string {
	switch {
	case b.None():
		return "-"
	case b.AtLeast != 0:
		return ">= " + number(b.AtLeast)
	default:
		return "<= " + number(b.AtMost)
	}
}

// Row is one measure on one database.
type Row struct {
	// Name is what -only takes.
	Name    string `json:"name"`
	Measure string `json:"measure"`
	// Database is "SQLite" or "PostgreSQL", or "" where it does not matter.
	Database string        `json:"database,omitempty"`
	Figure   figure.Spread `json:"figure"`
	Bound    Bound         `json:"bound"`
	// NotMeasured says why there is no figure, "" where there is one.
	NotMeasured string `json:"notMeasured,omitempty"`
	// Record are the absolute numbers, for the record: they are this machine's.
	Record string `json:"record"`
}

// Held is "yes" or "no", or "-" where there is nothing to hold.
func (r Row) Held() string {
	switch {
	case r.NotMeasured != "" || r.Bound.None():
		return "-"
	case r.Bound.Holds(r.Figure.Median):
		return "yes"
	default:
		return "**no**"
	}
}

// Run is everything that was measured at one time.
type Run struct {
	Date    time.Time `json:"date"`
	Commit  string    `json:"commit"`
	Machine string    `json:"machine"`
	// Rounds is how often each measure was repeated, interleaved with its denominator.
	Rounds int `json:"rounds"`
	// Short says that the sizes were small: the figures show that it works, not how fast.
	Short bool  `json:"short,omitempty"`
	Rows  []Row `json:"rows"`
}

// JSON writes the run as one indented document.
func (r Run) JSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the run: %w", err)
	}
	return nil
}

// Markdown writes the run as docs/performance.md has it.
func (r Run) Markdown(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s at commit `%s`: %s. Median of %d rounds, and (min..max).\n\n",
		r.Date.UTC().Format("2006-01-02 15:04 MST"), r.Commit, r.Machine, r.Rounds)
	if r.Short {
		b.WriteString("**A short run: it shows that everything is measured, not how fast anything is.**\n\n")
	}
	b.WriteString("| Measure | Database | Figure | Hold to | Held | For the record |\n|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		shown := "not measured: " + row.NotMeasured
		if row.NotMeasured == "" {
			shown = Show(row.Figure)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", cell(row.Measure), cell(row.Database),
			cell(shown), row.Bound, row.Held(), cell(row.Record))
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// cell keeps a text inside its cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// Show is a spread as text, "0.36 (0.31..0.40)"; a single round has none.
func Show(s figure.Spread) string {
	if len(s.Rounds) < 2 {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s..%s)", number(s.Median), number(s.Min), number(s.Max))
}

// number shows three significant digits, and whole numbers as such.
func number(v float64) string {
	if math.Abs(v) >= 100 || v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
