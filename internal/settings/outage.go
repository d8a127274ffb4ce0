package settings

import (
	"fmt"
	"io"
	"strings"
	"time"

	"countersign/internal/training"
)

// outagePolicy reads what differs from training.DefaultOutage.
func outagePolicy(e entry) training.Outage {
	o := training.DefaultOutage()
	f, ok := e.fields()
	if !ok {
		return o
	}
	before := len(e.report.mistakes)
	o.Hold = f.get("hold").flag(o.Hold)
	o.Failures = f.get("failures").integer(o.Failures, 1, 1000)
	if probe, ok := f.get("probe").fields(); ok {
		o.Probe.First = probe.get("first").duration(o.Probe.First, 100*time.Millisecond, day)
		o.Probe.Maximum = probe.get("maximum").duration(max(o.Probe.Maximum, o.Probe.First), 100*time.Millisecond, day)
		probe.done()
	}
	o.ResumePerSecond = f.get("resume_per_second").number(o.ResumePerSecond, 0.01, 1000)
	f.done()
	// What they mean together is only asked when each of them was read.
	if err := o.Validate(); err != nil && len(e.report.mistakes) == before {
		e.mistake("%s", strings.TrimPrefix(err.Error(), "outage: "))
	}
	return o
}

// Budget is how much may be asked of a tenant's QMS; its zero value is no budget.
type Budget struct {
	// PerSecond is the number of calls a second over all workers, 0 for any; Burst is how many of them
	// one process may make at once.
	PerSecond float64
	Burst     int
	// PerDay is the number of calls from one reset to the next, 0 for any.
	PerDay int
	// ResetAt is the time of day ("HH:MM") at which the day begins by the wall clock of Zone.
	ResetAt, Zone string
}

// budget reads the budget of calls; every HTTP request counts, those for tokens, read-backs and probes too.
func budget(e entry) Budget {
	f, ok := e.fields()
	if !ok {
		return Budget{}
	}
	b := Budget{
		PerSecond: f.get("per_second").number(0, 0.01, 10_000),
		PerDay:    f.get("per_day").integer(0, 10, 1_000_000_000),
		ResetAt:   "00:00", Zone: "UTC",
	}
	b.Burst = f.get("burst").integer(max(1, int(b.PerSecond)), 1, 10_000)
	if at := f.get("reset_at"); at.present() {
		b.ResetAt = clock(at)
	}
	if in := f.get("zone"); in.present() {
		b.Zone = zone(in)
	}
	switch {
	case b.ResetAt == "24:00":
		f.get("reset_at").mistake(`must be a time of day in quotes such as "18:00"; midnight is "00:00"`)
	case f.get("burst").present() && !f.get("per_second").present():
		f.get("burst").mistake("belongs to per_second")
	case (f.get("reset_at").present() || f.get("zone").present()) && !f.get("per_day").present():
		e.mistake("reset_at and zone belong to per_day")
	case !f.get("per_second").present() && !f.get("per_day").present():
		e.mistake("must have per_second, per_day or both")
	}
	f.done()
	return b
}

// describeOutage says what becomes of completions when the QMS does not answer, and how much it is asked.
func (t Tenant) describeOutage(w io.Writer) {
	if b := t.QMS.Budget; b != (Budget{}) {
		var says []string
		if b.PerSecond > 0 {
			says = append(says, fmt.Sprintf("%v calls a second, %d at once", b.PerSecond, b.Burst))
		}
		if b.PerDay > 0 {
			says = append(says, fmt.Sprintf("%d calls a day, from %s %s", b.PerDay, b.ResetAt, b.Zone))
		}
		line(w, "QMS budget", "%s", strings.Join(says, "; "))
	}
	o := t.Policy.Outage
	if !o.Hold {
		line(w, "outages", "no hold: every completion has its own retries, then review")
		return
	}
	line(w, "outages", "held after %d completions in a row; probed after %s, then at growing gaps up to %s; resumed at %v a second",
		o.Failures, o.Probe.First, o.Probe.Maximum, o.ResumePerSecond)
}
