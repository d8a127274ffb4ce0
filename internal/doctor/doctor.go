// Package doctor checks an installation end to end and writes nothing anywhere: settings, journal, Temporal, each
// tenant's QMS, LRS, channels and sources (R220). Every finding that is not fine says how it is mended.
//
// One check is one file. Checks run side by side, each against its own time limit, and one that breaks hides
// none of the others. Findings name tenants, sources, courses and hosts, and never a secret or a person: of
// an employee id at most the end is shown.
package doctor

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Level says what a finding means for the operator.
type Level string

const (
	// OK is as it should be.
	OK Level = "ok"
	// Note is worth knowing, or could not be checked.
	Note Level = "note"
	// Warning works today, and will not for ever or not for everybody.
	Warning Level = "warning"
	// Error breaks completions, or the promise that none is lost.
	Error Level = "error"
)

// Finding is one thing that was looked at.
type Finding struct {
	// Tenant is the tenant's id, "" for what all tenants share.
	Tenant string `json:"tenant,omitempty"`
	// Check is the stable name of what was looked at, e.g. "qms.scopes"; docs/doctor.md lists them.
	Check string `json:"check"`
	// Subject says which one, where there are several: a source, a channel, a course.
	Subject string `json:"subject,omitempty"`
	Level   Level  `json:"level"`
	// Text is what was found, Fix what to do about it; Fix is "" where there is nothing to do.
	Text string `json:"text"`
	Fix  string `json:"fix,omitempty"`
}

// about names the subject.
func (f Finding) about(subject string) Finding {
	f.Subject = subject
	return f
}

func fine(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, Text: fmt.Sprintf(format, args...)}
}

// unfit is a finding of another level. Text and fix are complete sentences or nearly so.
func unfit(level Level, check, text, fix string) Finding {
	return Finding{Check: check, Level: level, Text: text, Fix: fix}
}

// Check looks at one thing. It returns what it found before ctx ended, and writes nothing.
type Check struct {
	// Name is the check's, or what its findings' names begin with.
	Name string
	// Tenant is whose findings these are, "" for what all tenants share.
	Tenant string
	Run    func(ctx context.Context) []Finding
}

const (
	// sideBySide is how many checks run at once.
	sideBySide = 16
	// grace is how long a check may take to say what it has, once its time is over.
	grace = time.Second
)

// Examine runs the checks, each for at most limit, and returns their findings in the order of the checks.
func Examine(ctx context.Context, checks []Check, limit time.Duration) []Finding {
	results := make([][]Finding, len(checks))
	var g errgroup.Group
	g.SetLimit(sideBySide)
	for i, check := range checks {
		g.Go(func() error {
			results[i] = check.within(ctx, limit)
			return nil
		})
	}
	_ = g.Wait() // no check returns an error: what goes wrong is a finding
	var all []Finding
	for i, found := range results {
		for _, f := range found {
			if f.Tenant == "" {
				f.Tenant = checks[i].Tenant
			}
			all = append(all, f)
		}
	}
	return all
}

// within runs the check. One that does not end, or panics, becomes a finding of its own: the rest of the
// report is worth more than this process.
func (c Check) within(ctx context.Context, limit time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() {
		defer func() {
			if broken := recover(); broken != nil {
				// What it panicked with may hold anything.
				done <- []Finding{unfit(Error, c.Name, "the check itself broke", "send this line to support; the other checks are not affected")}
			}
		}()
		done <- c.Run(ctx)
	}()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case found := <-done:
		return found
	case <-late.C:
		return []Finding{unfit(Error, c.Name, fmt.Sprintf("no answer within %s", limit), "look whether the other side hangs; -timeout gives it longer")}
	}
}
