package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Reconciliation is how a tenant's LMS, QMS and LRS are compared (R143). It travels in the workflow's input,
// so that a change of settings never changes a run under way.
type Reconciliation struct {
	// Window is how far back a run looks when nobody says from when.
	Window time.Duration
	// Settle is how old a completion must be before it counts as missing: its event may be under way
	// still. A run ends its window there.
	Settle time.Duration
	// SameWithin is how far two instants of one learner in one course may lie apart and still be one
	// completion whose date differs. Beyond it they are two (R91).
	SameWithin time.Duration
	// LateAfter is how long a completion may be under way or wait for people before the report names it.
	LateAfter time.Duration
	// PerSecond bounds the reads of the QMS that a run makes, and those of the LRS.
	PerSecond float64
	// Statements is the share of the delivered statements that a run reads back at the LRS: 1 all, 0 none. Inputs of
	// before have none.
	Statements float64
	// TimeZone is the IANA zone of dates without one, in uploaded files.
	TimeZone string
	// Sources are the tenant's sources, by which a completion finds its platform.
	Sources []ReconciledSource
}

// ReconciledSource is a source that takes part.
type ReconciledSource struct {
	ID       string `json:"id"`
	Platform string `json:"platform"`
	// Listed says that its LMS is asked for what it holds.
	Listed bool `json:"listed,omitempty"`
}

// DefaultReconciliation looks two days back, so that each completion is looked at twice, and asks the
// QMS, and the LRS for every statement, five times a second at most.
func DefaultReconciliation() Reconciliation {
	return Reconciliation{
		Window: 48 * time.Hour, Settle: 15 * time.Minute, SameWithin: 24 * time.Hour, LateAfter: 24 * time.Hour,
		PerSecond: 5, Statements: 1, TimeZone: "UTC",
	}
}

// Validate reports numbers with which nothing could be compared.
func (r Reconciliation) Validate() error {
	switch {
	case r.Window <= r.Settle || r.Settle < 0:
		return errors.New("reconciliation: window must be longer than settle")
	case r.SameWithin < 0 || r.LateAfter <= 0:
		return errors.New("reconciliation: same_within and late_after must be time spans")
	case r.PerSecond <= 0:
		return errors.New("reconciliation: per_second must be more than 0")
	case r.Statements < 0 || r.Statements > 1:
		return errors.New("reconciliation: statements must be a share from 0 to 1")
	}
	return nil
}

// Source finds a source that takes part.
func (r Reconciliation) Source(id string) (ReconciledSource, bool) {
	for _, s := range r.Sources {
		if s.ID == id {
			return s, true
		}
	}
	return ReconciledSource{}, false
}

// As JSON, where operators read it in the Temporal Web UI, durations are words: "48h0m0s".
type reconciliationJSON struct {
	Window     string             `json:"window"`
	Settle     string             `json:"settle"`
	SameWithin string             `json:"sameWithin"`
	LateAfter  string             `json:"lateAfter"`
	PerSecond  float64            `json:"perSecond"`
	Statements float64            `json:"statements,omitempty"`
	TimeZone   string             `json:"timeZone"`
	Sources    []ReconciledSource `json:"sources"`
}

// MarshalJSON writes durations as words.
func (r Reconciliation) MarshalJSON() ([]byte, error) {
	return json.Marshal(reconciliationJSON{
		r.Window.String(), r.Settle.String(), r.SameWithin.String(), r.LateAfter.String(), r.PerSecond, r.Statements, r.TimeZone, r.Sources,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Reconciliation) UnmarshalJSON(data []byte) error {
	var words reconciliationJSON
	if err := json.Unmarshal(data, &words); err != nil {
		return err
	}
	read := Reconciliation{PerSecond: words.PerSecond, Statements: words.Statements, TimeZone: words.TimeZone, Sources: words.Sources}
	for _, span := range []struct {
		name, text string
		into       *time.Duration
	}{
		{"window", words.Window, &read.Window}, {"settle", words.Settle, &read.Settle},
		{"sameWithin", words.SameWithin, &read.SameWithin}, {"lateAfter", words.LateAfter, &read.LateAfter},
	} {
		d, err := time.ParseDuration(span.text)
		if err != nil {
			return fmt.Errorf("reconciliation: %s: %w", span.name, err)
		}
		*span.into = d
	}
	*r = read
	return nil
}
