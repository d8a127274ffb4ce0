package settings

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

// Reconciliation is when and how a tenant's LMS, QMS and LRS are compared (R143).
type Reconciliation struct {
	// Daily is "HH:MM" by the wall clock of the rules' TimeZone; "" where nothing is compared by itself.
	Daily string
	Rules training.Reconciliation
}

// reconciliation reads a tenant's reconciliation. Without it nothing runs daily; on demand it runs by the defaults.
func reconciliation(e entry, sources []Source) Reconciliation {
	r := Reconciliation{Rules: training.DefaultReconciliation()}
	for _, s := range sources {
		r.Rules.Sources = append(r.Rules.Sources, training.ReconciledSource{ID: s.ID, Platform: s.Platform, Listed: s.Mode != ModeTest})
	}
	f, ok := e.fields()
	if !ok {
		return r
	}
	before := len(e.report.mistakes)
	if daily := f.get("daily"); daily.present() {
		if r.Daily = clock(daily); r.Daily == "24:00" {
			daily.mistake(`must be a time of day from "00:00" to "23:59"`)
		}
	}
	if f.get("time_zone").present() {
		r.Rules.TimeZone = zone(f.get("time_zone"))
	}
	r.Rules.Window = f.get("window").duration(r.Rules.Window, time.Hour, 90*day)
	r.Rules.Settle = f.get("settle").duration(r.Rules.Settle, 0, day)
	r.Rules.SameWithin = f.get("same_within").duration(r.Rules.SameWithin, 0, 7*day)
	r.Rules.LateAfter = f.get("late_after").duration(r.Rules.LateAfter, time.Minute, 90*day)
	r.Rules.PerSecond = f.get("per_second").number(r.Rules.PerSecond, 0.1, 1000)
	r.Rules.Statements = f.get("statements").number(r.Rules.Statements, 0, 1)
	if wanted := f.get("sources"); wanted.present() {
		r.Rules.Sources = listed(wanted, r.Rules.Sources, sources)
	}
	f.done()
	// What they mean together is only asked when each of them was read.
	if err := r.Rules.Validate(); err != nil && len(e.report.mistakes) == before {
		e.mistake("%s", strings.TrimPrefix(err.Error(), "reconciliation: "))
	}
	return r
}

// listed marks the sources whose LMS is to be asked for what it holds.
func listed(wanted entry, all []training.ReconciledSource, sources []Source) []training.ReconciledSource {
	for i := range all {
		all[i].Listed = false
	}
	for _, item := range wanted.list() {
		id := item.required().text()
		i := slices.IndexFunc(all, func(s training.ReconciledSource) bool { return s.ID == id })
		switch {
		case id == "":
		case i < 0:
			item.mistake("the tenant has no source %.60q", id)
		case sources[i].Mode == ModeTest:
			item.mistake("source %s is in mode: test; what it misses is not started", id)
		default:
			all[i].Listed = true
		}
	}
	return all
}

// describeReconciliation writes the line of `starter check`.
func (t Tenant) describeReconciliation(w io.Writer) {
	r := t.Reconciliation
	when := "on demand only"
	if r.Daily != "" {
		when = fmt.Sprintf("daily at %s %s", r.Daily, r.Rules.TimeZone)
	}
	line(w, "reconciliation", "%s; %s back, at most %v reads a second%s", when, r.Rules.Window, r.Rules.PerSecond, t.describeStatements())
}

// describeStatements says how many delivered statements are read back; nothing without an LRS.
func (t Tenant) describeStatements() string {
	switch share := t.Reconciliation.Rules.Statements; {
	case t.LRS == nil:
		return ""
	case share == 0:
		return "; no statement is read back"
	case share == 1:
		return "; every statement is read back"
	default:
		return fmt.Sprintf("; %.3g %% of the statements are read back", 100*share)
	}
}
