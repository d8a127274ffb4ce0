package doctor

import (
	"encoding/json"
	"io"
	"time"
)

// Schema names the form of the JSON report. Fields and checks are added under the same name; one that changes
// its meaning or goes makes a new name.
const Schema = "countersign.doctor/1"

// Report is the result of one run.
type Report struct {
	Schema string `json:"schema"`
	// At is when the run began, in UTC, and TookMS how long it took, in milliseconds.
	At     time.Time `json:"at"`
	TookMS int64     `json:"tookMs"`
	// Verdict is the worst level among the findings.
	Verdict Level `json:"verdict"`
	// Counts is how many findings there are of each level.
	Counts   map[Level]int `json:"counts"`
	Tenants  []Subject     `json:"tenants"`
	Findings []Finding     `json:"findings"`
}

// Subject is a tenant that was looked at.
type Subject struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// levels from the best to the worst.
var levels = [...]Level{OK, Note, Warning, Error}

// NewReport counts the findings.
func NewReport(at time.Time, took time.Duration, tenants []Subject, findings []Finding) Report {
	r := Report{
		Schema: Schema, At: at.UTC(), TookMS: took.Milliseconds(), Verdict: OK,
		Counts: map[Level]int{OK: 0, Note: 0, Warning: 0, Error: 0}, Tenants: tenants, Findings: findings,
	}
	if r.Tenants == nil {
		r.Tenants = []Subject{} // lists are lists in JSON, also empty ones
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	for _, f := range findings {
		r.Counts[f.Level]++
	}
	for _, level := range levels {
		if r.Counts[level] > 0 {
			r.Verdict = level
		}
	}
	return r
}

// The exit codes, as monitoring plug-ins and `terraform plan -detailed-exitcode` keep "worth a look" apart from
// "broken".
const (
	ExitFine     = 0
	ExitErrors   = 1
	ExitWarnings = 2 // only where warnings are to count
)

// ExitCode is ExitErrors for an error among the findings. Warnings alone are ExitFine, unless strict.
func (r Report) ExitCode(strict bool) int {
	switch {
	case r.Counts[Error] > 0:
		return ExitErrors
	case strict && r.Counts[Warning] > 0:
		return ExitWarnings
	default:
		return ExitFine
	}
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
