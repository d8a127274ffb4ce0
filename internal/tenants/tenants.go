// Package tenants gives each tenant ports of its own: QMS, LRS and notices, built from its settings.
// The worker works through them; the starter's rehearsal looks through them.
package tenants

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"countersign/activities"
	"countersign/internal/breaker"
	"countersign/internal/budget"
	"countersign/internal/lmsapi"
	"countersign/internal/notify"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/training"
	"countersign/internal/xapi"
)

// Tenants are all tenants, by id: nothing is shared between two (law 6).
type Tenants map[string]activities.Tenant

// Find finds a tenant by its id.
func (t Tenants) Find(id string) (activities.Tenant, bool) {
	tenant, ok := t[id]
	return tenant, ok
}

// New connects nothing: it builds clients that connect when they are used.
func New(p *process.Process) (Tenants, error) {
	all := Tenants{}
	for _, t := range p.Tenants.Tenants {
		tenant, err := wire(p, t, nil)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", t.ID, err)
		}
		all[t.ID] = tenant
	}
	return all, nil
}

func wire(p *process.Process, t settings.Tenant, through Through) (activities.Tenant, error) {
	log := p.Log.With("tenant", t.ID)
	spend, err := spending(p, t)
	if err != nil {
		return activities.Tenant{}, err
	}
	if through != nil {
		spend = nil // who only looks must not write, and what is spent is counted in the journal
	}
	records, err := qualitySystem(t, log, spend, through.client(TargetQMS))
	if err != nil {
		return activities.Tenant{}, err
	}
	notices, err := channels(p, t, t.Admins, "")
	if err != nil {
		return activities.Tenant{}, err
	}
	quiet, err := quietHours(t)
	if err != nil {
		return activities.Tenant{}, err
	}
	lookups, err := apis(t, log)
	if err != nil {
		return activities.Tenant{}, err
	}
	tenant := activities.Tenant{
		Name: t.Name, QMS: records,
		Issuer: t.Certificate.Issuer, VerifyURL: t.Certificate.VerifyURL,
		EmployeeID: func(source string, l training.Learner) string {
			field := t.EmployeeID // also for a source that is no longer in the settings
			if s, ok := t.Source(source); ok {
				field = s.EmployeeID
			}
			return t.QMS.Employee(field.Of(l))
		},
		Training: func(source string, c training.Course) (string, bool, bool) {
			course, ok := t.NamedCourse(source, c)
			return trainingID(t.QMS, course), course.Approval, ok
		},
		Policy:  t.Policy,
		Breaker: outages(t.Policy),
		LMS:     func(source string) lmsapi.Client { return lookups[source] },
		MappedTraining: func(id string) bool {
			return slices.ContainsFunc(t.Courses, func(c settings.Course) bool { return trainingID(t.QMS, c) == id })
		},
		SameCode:   t.UnmappedCourses == settings.UnmappedSameCode,
		Notices:    notices,
		Personal:   notify.Personal(t.Notices.Personal),
		Quiet:      quiet,
		NoticeLink: noticeLink(p.Settings.TemporalWebURL, p.Namespace, t.ID),
	}
	if len(t.EscalateTo) > 0 {
		if tenant.Escalations, err = channels(p, t, t.EscalateTo, "escalation/"); err != nil {
			return activities.Tenant{}, err
		}
	}
	if t.LRS != nil {
		tenant.Statements = xapi.Options{
			HomePage: t.LRS.HomePage, Mbox: t.LRS.Actor == settings.ActorMbox, CourseIRI: t.LRS.CourseURL,
		}
		if err := tenant.Statements.Validate(); err != nil {
			return activities.Tenant{}, fmt.Errorf("statements: %w", err)
		}
		tenant.LRS, err = xapi.NewClient(xapi.ClientConfig{
			Endpoint: t.LRS.URL, Username: t.LRS.Username, Password: t.LRS.Password.Reveal(), Version: t.LRS.Version, Log: log,
			HTTP: through.client(TargetLRS),
		})
		if err != nil {
			return activities.Tenant{}, err
		}
	}
	return tenant, nil
}

// spending keeps the calls within the QMS's budget; nil where it has none.
func spending(p *process.Process, t settings.Tenant) (func(context.Context) error, error) {
	b := t.QMS.Budget
	if b == (settings.Budget{}) {
		return nil, nil
	}
	kept, err := budget.New(budget.Config{
		Tenant: t.ID, Target: training.TargetQMS, PerSecond: b.PerSecond, Burst: b.Burst,
		PerDay: b.PerDay, ResetAt: b.ResetAt, Zone: b.Zone, Journal: p.Journal,
	})
	if err != nil {
		return nil, err
	}
	return kept.Spend, nil
}

// outages counts what the calls of the tenant's completions come to; nil where policy wants no holds.
func outages(p training.Policy) *breaker.Breaker {
	if !p.Outage.Hold {
		return nil
	}
	return breaker.New(breaker.Config{Failures: p.Outage.Failures, Patience: p.Retry.Maximum})
}

// noticeLink leads to one completion, or to all of the tenant's that wait for a person.
func noticeLink(web, namespace, tenant string) func(training.Fingerprint) string {
	return func(f training.Fingerprint) string {
		if web == "" {
			return ""
		}
		page := web + "/namespaces/" + url.PathEscape(namespace) + "/workflows"
		if f != "" {
			return page + "/" + string(f)
		}
		query := fmt.Sprintf("CountersignTenant=%q AND CountersignState IN (%q, %q, %q)",
			tenant, training.StateInReview, training.StateWaitingApproval, training.StateWaitingSignature)
		return page + "?query=" + url.QueryEscape(query)
	}
}
