package settings

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// describe writes a line per kind. path is the source's part of a URL: acme/lms.
func (a Auth) describe(w io.Writer, path string) {
	either := ""
	if a.HMACSHA256 != nil {
		either = "or, without its header, "
	}
	if len(a.IPAllow) > 0 {
		line(w, "", "only from %s", strings.Trim(fmt.Sprint(a.IPAllow), "[]"))
	}
	if h := a.HMACSHA256; h != nil {
		line(w, "", "HMAC-SHA256 %s, secrets %s", h.describe(), masked(h.Secrets))
	}
	if k := a.APIKey; k != nil {
		line(w, "", "API key in %s, secrets %s", k.Header, masked(k.Secrets))
	}
	if b := a.Bearer; b != nil {
		line(w, "", "bearer token, secrets %s", masked(b.Secrets))
	}
	if v := a.Authorization; v != nil {
		line(w, "", "Authorization exactly as typed, secrets %s", masked(v.Secrets))
	}
	if b := a.Basic; b != nil {
		line(w, "", "basic as %s, secrets %s", b.Username, masked(b.Secrets))
	}
	if t := a.TokenIn; t != nil {
		line(w, "", "token in %s, secrets %s", t.place(), masked(t.Secrets))
	}
	if j := a.JWT; j != nil {
		line(w, "", "%s", j.describe())
	}
	if o := a.OAuth2; o != nil {
		line(w, "", "OAuth 2.0 token from /oauth/%s/token as %s, for %s, secrets %s", path, o.ClientID, o.Lifetime, masked(o.Secrets))
	}
	if l := a.Login; l != nil {
		line(w, "", "token from /login/%s as %s, for %s, answered as %s, secrets %s", path, l.Username, l.Lifetime, l.Answer, masked(l.Secrets))
	}
	if m := a.MTLS; m != nil {
		line(w, "", "client certificate %s", m.describe())
	}
	if v := a.LearnUponV1; v != nil {
		line(w, "", "%sMD5 of LearnUpon's version 1 in the body, secrets %s", either, masked(v.Secrets))
	}
	if a.None {
		line(w, "", "NOTHING: anybody can send; for tests only")
	}
}

func (t TokenIn) place() string {
	switch {
	case t.Path:
		return "the URL's path, behind the source"
	case t.Body != "":
		return "the body's " + t.Body
	default:
		return "the query's parameter " + t.Query
	}
}

func (j JWT) describe() string {
	place := "as bearer token"
	if j.In == JWTInBody {
		place = "as the body"
	}
	text := fmt.Sprintf("signed token %s, %s, keys from %s%s", place, strings.Join(j.Algorithms, " or "), j.KeysURL, j.KeysFile)
	if j.Issuer != "" {
		text += ", issuer " + j.Issuer
	}
	if j.Audience != "" {
		text += ", audience " + j.Audience
	}
	for _, place := range slices.Sorted(maps.Keys(j.Claims)) {
		text += fmt.Sprintf(", %s = %s", place, j.Claims[place])
	}
	return text
}

func (m MTLS) describe() string {
	if len(m.Authorities) > 0 {
		return fmt.Sprintf("of %s, issued by one of %d authorities", m.Subject, len(m.Authorities))
	}
	pins := make([]string, len(m.Fingerprints))
	for i, pin := range m.Fingerprints {
		pins[i] = hex.EncodeToString(pin[:])
	}
	return "with SHA-256 " + strings.Join(pins, " or ")
}

func (h HMACSHA256) describe() string {
	if h.Signed == SignedStandard {
		return fmt.Sprintf("over %s (Standard Webhooks), timestamps within %s", h.Signed, h.Tolerance)
	}
	headers := "the platform's header"
	if len(h.Headers) > 0 {
		headers = strings.Join(h.Headers, " or ")
	}
	return fmt.Sprintf("over the body in %s, %s, prefix %s", headers, h.Encoding, h.Prefix)
}

func masked(secrets []Secret) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		all[i] = shown(secret)
	}
	return strings.Join(all, ", ")
}
