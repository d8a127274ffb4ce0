package settings

import (
	"regexp"
	"slices"
	"strings"
)

// sources reads the sources of a tenant, whose employeeID holds where a source does not say otherwise.
func (r *tenantReader) sources(e entry, employeeID LearnerField) []Source {
	items := e.list()
	if e.present() && len(items) == 0 {
		e.mistake("must name at least one source")
	}
	taken := seen{}
	sources := make([]Source, len(items))
	for i, item := range items {
		sources[i] = r.source(item, taken, employeeID)
	}
	return sources
}

func (r *tenantReader) source(e entry, taken seen, employeeID LearnerField) Source {
	f, ok := e.fields()
	if !ok {
		e.required()
		return Source{}
	}
	s := Source{
		ID:       identifier(f.get("id"), taken),
		Platform: f.get("platform").required().text(),
	}
	if s.Platform != "" && !slices.Contains(r.known.Platforms, s.Platform) {
		f.get("platform").unknown("platform", s.Platform, r.known.Platforms)
	}
	for _, item := range f.get("domains").list() {
		s.Domains = append(s.Domains, r.domain(item))
	}
	s.Mode = oneOf(f.get("mode"), "mode", ModeLive, ModeTest)
	s.Auth = r.auth(f.get("auth").required(), s)
	s.Mapping = r.mapping(f.get("mapping"), s.Platform)
	s.EmployeeID = learnerField(f.get("employee_id"), employeeID)
	s.Rate = rate(f.get("rate"))
	s.API = r.api(f.get("api"), s.Platform)
	f.done()
	return s
}

var domainPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// domain reads a domain, which leads to one source in the whole file.
func (r *tenantReader) domain(e entry) string {
	domain := strings.ToLower(e.required().text())
	if domain == "" {
		return ""
	}
	if !domainPattern.MatchString(domain) {
		e.mistake("must be a domain such as acme.lms.example.com, without scheme, port and path")
		return ""
	}
	if before, ok := r.domains.first(domain, e); !ok {
		e.mistake("%q leads to %s in line %d already", domain, before.key, before.line)
	}
	return domain
}

func rate(e entry) Rate {
	f, _ := e.fields()
	r := Rate{
		PerSecond: f.get("per_second").number(200, 0.01, 1e6),
		Burst:     f.get("burst").integer(2000, 1, 1e6),
	}
	f.done()
	return r
}
