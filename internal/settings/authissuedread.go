package settings

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// algorithms of tokens (RFC 7518 §3.1), the default first. Those with a shared secret (HS256) are not
// among them: a public key, which everybody knows, could then be used as one.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

func (r *tenantReader) jwt(e entry) *JWT {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	j := &JWT{
		In:        oneOf(f.get("in"), "place", JWTInAuthorization, JWTInBody),
		Issuer:    f.get("issuer").textOr(""),
		Audience:  f.get("audience").textOr(""),
		Claims:    claims(f.get("claims")),
		Tolerance: f.get("tolerance").duration(time.Minute, 0, time.Hour),
	}
	address, file := f.get("jwks_url"), f.get("jwks_file")
	switch {
	case address.present() == file.present():
		e.mistake("must have either jwks_url or jwks_file: where the issuer's public keys are")
	case address.present():
		j.KeysURL = keysAddress(address)
	default:
		j.KeysFile = regularFile(file)
	}
	list := f.get("algorithms")
	for _, item := range list.list() {
		j.Algorithms = append(j.Algorithms, oneOf(item.required(), "algorithm", algorithms()...))
	}
	switch {
	case list.present() && list.node.Kind == yaml.SequenceNode && len(j.Algorithms) == 0:
		list.mistake("must name at least one algorithm")
	case !list.present():
		j.Algorithms = algorithms()[:1]
	}
	f.done()
	return j
}

// claims reads JSON pointers and what must stand there.
func claims(e entry) map[string]string {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	all := map[string]string{}
	for place := range f.names {
		value := f.get(place).required()
		if !strings.HasPrefix(place, "/") {
			value.mistake("must be named by its place, a JSON pointer such as /metadata/root_account_uuid")
			continue
		}
		all[place] = value.text()
	}
	f.done()
	return all
}

// keysAddress is webAddress for an address that is used to the letter and may have a query.
func keysAddress(e entry) string {
	text := e.text()
	u, err := url.Parse(text)
	switch {
	case text == "":
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		e.mistake("must be an address such as https://lms.example.com/jwks, without user and fragment")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return text
	default:
		e.mistake("must begin with https://, or with http:// on this machine: who can change the keys can sign")
	}
	return ""
}

// regularFile reads a path, from the folder of the tenants' file on.
func regularFile(e entry) string {
	path := e.text()
	if path == "" {
		return ""
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.report.dir, path)
	}
	if info, err := os.Stat(path); err != nil {
		e.mistake("%s", err)
	} else if !info.Mode().IsRegular() {
		e.mistake("must be a regular file")
	}
	return path
}

func (r *tenantReader) oauth2(e entry) *OAuth2 {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	o := &OAuth2{ClientID: f.get("client_id").required().text(), Secrets: r.sourceSecrets(f, nil), Lifetime: lifetime(f)}
	f.done()
	return o
}

func (r *tenantReader) login(e entry) *Login {
	f, ok := e.fields()
	if !ok {
		return nil
	}
	l := &Login{
		Username: f.get("username").required().text(),
		Secrets:  r.sourceSecrets(f, nil),
		Answer:   oneOf(f.get("answer"), "answer", AnswerString, AnswerObject),
		Lifetime: lifetime(f),
	}
	f.done()
	return l
}

// lifetime of the tokens that we issue. A day is long for what cannot be called back.
func lifetime(f *fields) time.Duration {
	e := f.get("lifetime")
	d := e.duration(10*time.Minute, time.Minute, 24*time.Hour)
	if d%time.Second != 0 {
		e.mistake("must be in whole seconds")
	}
	return d
}

// vouched is what says by itself which sender of an issuer this is. Two tenants that expect the same would
// take each other's deliveries (R163, R164).
func (j *JWT) vouched() string {
	return fmt.Sprintf("jwt %q %q %q %q %q", j.KeysURL, j.KeysFile, j.Issuer, j.Audience, j.Claims)
}
