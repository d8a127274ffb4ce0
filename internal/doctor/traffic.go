package doctor

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/settings"
)

const (
	// trafficWindow is how many of the latest deliveries are looked at, of all tenants together.
	trafficWindow = 20_000
	// streakSoon and streakOff: ten failures in a row switch some senders' integrations off (R136).
	streakSoon = 3
	streakOff  = 10
	// silentLong is when a source that used to send is called silent.
	silentLong = 30 * 24 * time.Hour
)

// traffic checks when each source last sent, and how that went. It looks once for all tenants.
type traffic struct {
	journal Journal // nil where it could not be opened
	tenants []settings.Tenant
	now     func() time.Time
}

func (t traffic) run(ctx context.Context) []Finding {
	const check = "sources.traffic"
	if t.journal == nil {
		return nil // journal.open says it
	}
	seen, partial, err := t.journal.Traffic(ctx, trafficWindow)
	if err != nil {
		return []Finding{unfit(Warning, check, "the latest deliveries could not be read: "+err.Error(), "see the findings about the journal")}
	}
	bySource := map[[2]string]journal.Traffic{}
	for _, s := range seen {
		bySource[[2]string{s.Tenant, s.Source}] = s
	}
	var all []Finding
	for _, tenant := range t.tenants {
		for _, source := range tenant.Sources {
			last, ok := bySource[[2]string{tenant.ID, source.ID}]
			f := unfit(Note, check, "nothing has come from it yet", "docs/connect-an-lms.md says how to send the first")
			switch {
			case ok:
				f = t.judge(last)
			case partial:
				f = unfit(Note, check, fmt.Sprintf("nothing has come from it among the last %d deliveries of all", trafficWindow), "see in the LMS whether its integration is switched on")
			}
			f.Tenant = tenant.ID
			all = append(all, f.about(source.ID))
		}
	}
	return all
}

func (t traffic) judge(s journal.Traffic) Finding {
	const check = "sources.traffic"
	ago := t.now().Sub(s.LastAt)
	when := "the last delivery came " + since(ago)
	rejected := fmt.Sprintf("the last %d deliveries were rejected (%s); %s", s.Streak, s.Reason, when)
	const mend = "compare the source's secrets with the LMS's; then see there whether the integration was switched off, and switch it on again"
	switch {
	case s.Streak >= streakOff:
		return unfit(Error, check, rejected, mend)
	case s.Streak >= streakSoon:
		return unfit(Warning, check, rejected, mend)
	case s.Unmapped > 0:
		return unfit(Warning, check, fmt.Sprintf("%s not understood and kept; %s", plural(s.Unmapped, "delivery is", "deliveries are"), when),
			"mend the mapping (docs/map-fields.md); then starter replay -unmapped")
	case ago > silentLong:
		return unfit(Note, check, when, "see in the LMS whether its integration is still switched on")
	default:
		return fine(check, "%s", when)
	}
}

// since says how long ago something was, as a person would.
func since(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute") + " ago"
	default:
		return days(d) + " ago"
	}
}
