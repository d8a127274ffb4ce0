package doctor

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// standing is whether anything is asked of a tenant's QMS now, and how many calls of the day are used.
type standing struct {
	target journal.Target
	used   int
}

// standing reads from the journal what holds the tenant's QMS.
func (i Installation) standing(t settings.Tenant, o Options) func(context.Context) (standing, error) {
	return func(ctx context.Context) (s standing, err error) {
		s.target.State = training.TargetAnswering
		if i.Journal == nil {
			return s, errNoJournal
		}
		targets, err := i.Journal.Targets(ctx)
		if err != nil {
			return s, err
		}
		for _, target := range targets {
			if target.Tenant == t.ID && target.Name == training.TargetQMS {
				s.target = target
			}
		}
		uses, err := i.Journal.BudgetUses(ctx)
		for _, use := range uses {
			if use.Tenant == t.ID && use.Target == training.TargetQMS && o.Now().Sub(use.Period) < 24*time.Hour {
				s.used = use.Used
			}
		}
		return s, err
	}
}

// held says what holds the QMS. ask is false where a person has said that nothing is to be asked of it: that goes
// for us too. Whom and why it has, starter targets shows; a reason may name people.
func (q quality) held(s standing, err error) (f Finding, ask bool) {
	const check = "qms.target"
	resume := fmt.Sprintf("once the reason is gone: starter resume -tenant %s -by NAME -reason WHY", q.tenant)
	switch {
	case err != nil:
		return unfit(Note, check, "whether the QMS is held or paused could not be read from the journal", "see the findings about the journal"), true
	case s.target.State == training.TargetPaused:
		return unfit(Warning, check, "a person has paused the QMS on "+instant(s.target.Since)+": nothing is asked of it, and completions wait (starter targets)", resume), false
	case s.target.State == training.TargetHeld:
		until := "until it answers"
		if !s.target.Until.IsZero() {
			until = "until " + instant(s.target.Until)
		}
		return unfit(Warning, check, fmt.Sprintf("the QMS is held since %s (%s): completions wait %s, and go on by themselves", instant(s.target.Since), s.target.Class, until),
			"see the other findings about the QMS for the reason"), true
	default:
		return fine(check, "the QMS is neither held nor paused"), true
	}
}

// own judges the budget that the settings give. The doctor's calls are not counted in it, for that would be
// writing; so little is asked when little is left.
func (q quality) own(s standing) (found []Finding, most int) {
	const check = "qms.calls"
	limit := q.budget.PerDay
	if limit == 0 {
		return nil, q.most
	}
	left := max(0, limit-s.used)
	text := fmt.Sprintf("%d of the %d calls of the day are used", s.used, limit)
	most = min(q.most, left/8) // two samples of that size are a quarter of it
	if left*10 < limit {
		return []Finding{unfit(Warning, check, text+"; when they are, completions wait for the next day's",
			"raise qms.budget.per_day if the QMS allows more")}, most
	}
	return []Finding{fine(check, "%s", text)}, most
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
