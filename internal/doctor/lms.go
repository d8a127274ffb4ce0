package doctor

import (
	"context"
	"fmt"

	"countersign/internal/settings"
)

// LMS is what is asked of a source's REST API; every lmsapi.Client is one.
type LMS interface {
	// Check proves address, credentials and permissions by reading calls.
	Check(ctx context.Context) error
}

// lookups checks the REST API of one source's LMS (R15).
type lookups struct {
	source settings.Source
	client LMS
}

func (l lookups) run(ctx context.Context) []Finding {
	const check = "lms.api"
	if err := l.client.Check(ctx); err != nil {
		return []Finding{unfit(Error, check, "deliveries cannot be completed by what the LMS knows: "+said(err), accountFix(err)).about(l.source.ID)}
	}
	return []Finding{fine(check, "%s lets us read what is looked up", l.source.Platform).about(l.source.ID)}
}

// lmsChecks are those of the tenant's sources that look up.
func (i Installation) lmsChecks(t settings.Tenant, o Options) []Check {
	var all []Check
	for _, s := range t.Sources {
		if s.API == nil {
			continue
		}
		all = append(all, Check{Name: "lms.connection", Tenant: t.ID, Run: func(ctx context.Context) []Finding {
			whose := fmt.Sprintf("the %s of source %s", s.Platform, s.ID)
			return []Finding{connection(ctx, i.Dialer, o.Now(), "lms.connection", whose, s.API.URL).about(s.ID)}
		}})
		if client := i.Ports[t.ID].LMS[s.ID]; client != nil {
			all = append(all, Check{Name: "lms.api", Tenant: t.ID, Run: lookups{s, client}.run})
		}
	}
	return all
}
