package setup

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// What stands where nobody has said yet which host, tenant and source.
const (
	anyHost   = "https://YOUR-HOST"
	anyTenant = "{tenant}"
	anySource = "{source}"
	anyToken  = "{token}"
)

// address is where deliveries of a source go.
type address struct {
	base, tenant, source string
}

// identifier is what internal/settings takes for the id of a tenant or source. Nothing in it has a
// meaning for a shell or for HTML.
var identifier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// newAddress takes what is known; what is empty, or no identifier, stays a placeholder.
func newAddress(base, tenant, source string) address {
	a := address{base: anyHost, tenant: anyTenant, source: anySource}
	if base != "" {
		a.base = base
	}
	if identifier.MatchString(tenant) {
		a.tenant = tenant
	}
	if identifier.MatchString(source) {
		a.source = source
	}
	return a
}

var baseURL = regexp.MustCompile(`^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$`)

// checkBase returns the base without slashes at its end. It goes into commands that people paste
// into a shell, so it is held to the characters that mean nothing there.
func checkBase(base string) (string, error) {
	if base == "" {
		return "", nil
	}
	parsed, err := url.Parse(base)
	if err != nil || parsed.Host == "" || !baseURL.MatchString(base) {
		return "", errors.New("public URL: want https://HOST, perhaps with a port and a path, and nothing else")
	}
	return strings.TrimRight(base, "/"), nil
}

// url is the source's URL, with what follows it: a token, "test", a path. Empty parts fall away.
func (a address) url(after ...string) string {
	parts := []string{a.base, "webhooks/lms", a.tenant, a.source}
	for _, part := range after {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

// paste is the URL that is entered in the LMS for a credential, with the path of one of several URLs.
func (a address) paste(c Credential, path string) string {
	token := ""
	if c.inPath() {
		token = anyToken
	}
	pasted := a.url(token, path)
	if parameter := c.inQuery(); parameter != "" {
		pasted += "?" + parameter + "=" + anyToken
	}
	return pasted
}

// fill puts what is known into a text of the files.
func (a address) fill(text string) string {
	return strings.NewReplacer(anyHost, a.base, anyTenant, a.tenant, anySource, a.source).Replace(text)
}

// filled is fill for facts.
func (a address) filled(facts []Fact) []Fact {
	all := make([]Fact, len(facts))
	for i, f := range facts {
		f.Text = a.fill(f.Text)
		all[i] = f
	}
	return all
}

// token is our endpoint for OAuth2 client credentials (R39), and login the one for bearer login (R35).
func (a address) token() string {
	return strings.Join([]string{a.base, "oauth", a.tenant, a.source, "token"}, "/")
}

func (a address) login() string {
	return strings.Join([]string{a.base, "login", a.tenant, a.source}, "/")
}
