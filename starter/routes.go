package main

import (
	"context"
	"net/http"

	"countersign/activities"
	"countersign/internal/ingress"
	"countersign/internal/issuer"
	"countersign/internal/lms/platform"
	"countersign/internal/process"
	"countersign/internal/setup"
	"countersign/internal/tenants"
	"countersign/internal/training"
)

// rehearsal looks employee and record up in the tenant's QMS, with the code of the worker and writing
// nothing (R191).
func rehearsal(p *process.Process) (func(context.Context, training.Completion) ingress.Lookup, error) {
	ports, err := tenants.New(p)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, c training.Completion) ingress.Lookup {
		tenant, ok := ports.Find(c.Tenant)
		if !ok {
			return ingress.Lookup{Problems: []*training.Failure{training.Fail(training.FailureTenantUnknown, "find tenant", c.Tenant, "")}}
		}
		policy := training.DefaultPolicy()
		if t, ok := p.Tenants.Tenant(c.Tenant); ok {
			policy = t.Policy
		}
		return ingress.Lookup(activities.Rehearse(ctx, p.Journal, tenant, policy, c))
	}, nil
}

// newRoutes are what the starter serves beside the webhooks: tokens for senders (R35, R39), and the setup pages
// (R21).
func newRoutes(p *process.Process) ([]ingress.Route, error) {
	var all []issuer.Account
	for _, tenant := range p.Tenants.Tenants {
		for _, source := range tenant.Sources {
			all = append(all, accounts(tenant.ID, source)...)
		}
	}
	tokens, err := issuer.New(issuer.Config{Accounts: all})
	if err != nil {
		return nil, err
	}
	book, err := setup.New()
	if err != nil {
		return nil, err
	}
	pages, err := book.Handler(setup.Options{BaseURL: p.Settings.PublicURL, Mapping: mappingRows})
	if err != nil {
		return nil, err
	}
	return []ingress.Route{
		{Method: http.MethodGet, Pattern: "/setup/", Handler: pages},
		{Method: http.MethodGet, Pattern: "/setup/:platform", Handler: pages},
		{Method: http.MethodPost, Pattern: "/oauth/:tenant/:source/token", Handler: tokens.Handler()},
		{Method: http.MethodPost, Pattern: "/login/:tenant/:source", Handler: tokens.Handler()},
	}, nil
}

// mappingRows are a platform's own mapping as its setup page shows it.
func mappingRows(name string) []setup.MappingRow {
	from, ok := platform.Find(name)
	if !ok {
		return nil
	}
	return setup.Rows(from.DefaultMapping().Definition())
}
