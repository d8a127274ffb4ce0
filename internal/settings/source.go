package settings

import (
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// shortSecret is the length in bytes below which a secret is called guessable (R210).
const shortSecret = 16

func (r *tenantReader) sources(e entry) []Source {
	items := e.list()
	if e.present() && len(items) == 0 {
		e.mistake("must name at least one source")
	}
	taken := seen{}
	sources := make([]Source, len(items))
	for i, item := range items {
		sources[i] = r.source(item, taken)
	}
	return sources
}

func (r *tenantReader) source(e entry, taken seen) Source {
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
	s.Auth = r.auth(f.get("auth").required())
	s.Rate = rate(f.get("rate"))
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

func (r *tenantReader) auth(e entry) Auth {
	f, ok := e.fields()
	if !ok {
		return Auth{}
	}
	signature := f.get("hmac_sha256").required() // no authentication at all is never an option (R41)
	f.done()
	f, ok = signature.fields()
	if !ok {
		return Auth{}
	}
	h := HMACSHA256{}
	secrets := f.get("secrets").required()
	for _, item := range secrets.list() {
		h.Secrets = append(h.Secrets, r.sourceSecret(item.required()))
	}
	if secrets.present() && len(h.Secrets) == 0 {
		secrets.mistake("must name at least one secret")
	}
	for _, item := range f.get("headers").list() {
		h.Headers = append(h.Headers, header(item))
	}
	if len(h.Headers) == 0 { // R24 to R31: the two spellings of one vendor, and the common one
		h.Headers = []string{"X-Hub-Signature-256", "Absorb-Signature", "X-Absorb-Signature"}
	}
	f.done()
	return Auth{HMACSHA256: h}
}

// sourceSecret reads a secret and refuses one that another tenant uses (R163, R164): its
// deliveries could be passed off as this tenant's. Sources of one tenant may share.
func (r *tenantReader) sourceSecret(e entry) Secret {
	secret := e.secret()
	value := secret.Reveal()
	if value == "" {
		return secret
	}
	if before, ok := r.secrets.first(value, e); !ok && tenantOf(before.key) != tenantOf(e.key) {
		e.mistake("is the same secret as %s in line %d; tenants must not share secrets", before.key, before.line)
	}
	if len(value) < shortSecret {
		e.warn("is shorter than 16 bytes and may be guessed")
	}
	return secret
}

// tenantOf is the part of a key that names the tenant: "tenants[0]".
func tenantOf(key string) string {
	tenant, _, _ := strings.Cut(key, ".")
	return tenant
}

var headerPattern = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // a token of RFC 9110, 5.6.2

func header(e entry) string {
	name := e.required().text()
	if name != "" && !headerPattern.MatchString(name) {
		e.mistake("must be the name of an HTTP header")
		return ""
	}
	return textproto.CanonicalMIMEHeaderKey(name)
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
