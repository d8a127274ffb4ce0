package main

import (
	"fmt"

	"countersign/internal/ingress"
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/platform"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// sources are the LMS connections of all tenants, as the ingress looks them up.
type sources struct {
	settings *settings.Settings
	byKey    map[[2]string]ingress.Source
}

func newSources(s *settings.Settings, build verifiers) (*sources, error) {
	all := &sources{settings: s, byKey: map[[2]string]ingress.Source{}}
	for _, tenant := range s.Tenants {
		for _, source := range tenant.Sources {
			wired, err := wire(tenant, source, build)
			if err != nil {
				return nil, fmt.Errorf("tenant %s, source %s: %w", tenant.ID, source.ID, err)
			}
			all.byKey[[2]string{tenant.ID, source.ID}] = wired
		}
	}
	return all, ownAccounts(s)
}

// ownAccounts holds that no account of a vendor that signs for everybody is two tenants' (R163, R164).
func ownAccounts(s *settings.Settings) error {
	type account struct{ platform, id string }
	owners := map[account]string{}
	for _, tenant := range s.Tenants {
		for _, source := range tenant.Sources {
			from, _ := platform.Find(source.Platform)
			if from.AccountClaim == "" || source.Auth.JWT == nil || source.Auth.JWT.Claims[from.AccountClaim] == "" {
				continue
			}
			a := account{source.Platform, source.Auth.JWT.Claims[from.AccountClaim]}
			if owner, taken := owners[a]; taken && owner != tenant.ID {
				return fmt.Errorf("tenants %s and %s name the same account in auth.jwt.claims: each would take the other's deliveries", owner, tenant.ID)
			}
			owners[a] = tenant.ID
		}
	}
	return nil
}

func wire(tenant settings.Tenant, source settings.Source, build verifiers) (ingress.Source, error) {
	from, ok := platform.Find(source.Platform)
	if !ok {
		return ingress.Source{}, fmt.Errorf("unknown platform %q", source.Platform)
	}
	fields, err := from.Mapping(source.Mapping)
	if err != nil {
		return ingress.Source{}, err
	}
	verifier, err := build.of(tenant.ID, source)
	if err != nil {
		return ingress.Source{}, err
	}
	return ingress.Source{
		Tenant: tenant.ID, ID: source.ID, Platform: source.Platform,
		Adapter: from.New(fields), Verifier: verifier, Transport: from.Transport,
		PathToken: source.Auth.TokenIn != nil && source.Auth.TokenIn.Path, TestMode: source.Mode == settings.ModeTest, Unproven: source.Auth.None,
		Enrollments: tenant.Policy.Enrollments == training.EnrollmentsCreate,
		Explain: func(r lms.Request) (lms.Decoded, any, error) {
			var trace mapping.Trace
			decoded, err := from.New(fields.WithTrace(&trace)).Decode(r)
			return decoded, trace.Events, err
		},
		RateLimit: source.Rate.PerSecond, Burst: source.Rate.Burst,
	}, nil
}

// Source implements ingress.Sources.
func (s *sources) Source(tenant, id string) (ingress.Source, bool) {
	source, ok := s.byKey[[2]string{tenant, id}]
	return source, ok
}

// ByDomain implements ingress.Sources (R162).
func (s *sources) ByDomain(domain string) (ingress.Source, bool) {
	tenant, source, ok := s.settings.SourceForDomain(domain)
	if !ok {
		return ingress.Source{}, false
	}
	return s.Source(tenant.ID, source.ID)
}
