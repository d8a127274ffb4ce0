package settings

import (
	"encoding/base64"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// shortSecret is the length in bytes below which a secret is called guessable (R210).
	shortSecret = 16
	// shortKey is the least that Standard Webhooks wants of a key, in bytes.
	shortKey = 24
)

// sourceSecrets reads the active secrets of one kind. check says what is wrong with a value for this
// kind, "" when nothing is; nil asks for nothing.
func (r *tenantReader) sourceSecrets(f *fields, check func(value string) string) []Secret {
	list := f.get("secrets").required()
	var secrets []Secret
	for _, item := range list.list() {
		secret := r.sourceSecret(item.required())
		if value := secret.Reveal(); value != "" && check != nil {
			if wrong := check(value); wrong != "" {
				item.mistake("%s", wrong)
			}
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 && list.present() && list.node.Kind == yaml.SequenceNode {
		list.mistake("must name at least one secret")
	}
	return secrets
}

// sourceSecret reads a secret and refuses one that another tenant uses (R163, R164): its
// deliveries could be passed off as this tenant's. Sources of one tenant may share.
func (r *tenantReader) sourceSecret(e entry) Secret {
	secret := e.secret()
	if secret.Reveal() == "" {
		return secret
	}
	value := bare(secret.Reveal())
	if before, ok := r.secrets.first(value, e); !ok && tenantOf(before.key) != tenantOf(e.key) {
		e.mistake("is the same secret as %s in line %d; tenants must not share secrets", before.key, before.line)
	}
	if len(value) < shortSecret {
		e.warn("is shorter than 16 bytes and may be guessed")
	}
	return secret
}

// bare is the part of a credential that is secret, so that it is recognised in every dress: a
// typed "Bearer X" is the bearer token X, and whsec_X the key X.
func bare(value string) string {
	scheme, rest, found := strings.Cut(value, " ")
	switch {
	case found && strings.EqualFold(scheme, "Bearer"):
		return rest
	case found && strings.EqualFold(scheme, "Basic"):
		if pair, err := base64.StdEncoding.DecodeString(rest); err == nil {
			if _, password, ok := strings.Cut(string(pair), ":"); ok {
				return password
			}
		}
	}
	return strings.TrimPrefix(value, "whsec_")
}

// tenantOf is the part of a key that names the tenant: "tenants[0]".
func tenantOf(key string) string {
	tenant, _, _ := strings.Cut(key, ".")
	return tenant
}

// inHeader finds what no header can carry, so that no request would ever match.
func inHeader(value string) string {
	if strings.TrimSpace(value) != value {
		return "begins or ends with white space, which HTTP takes away from a header"
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "holds a line end or another control character, which no header can carry"
	}
	return ""
}

// inPath finds what is not one segment of a path as it stands: it would be escaped, or be taken for a part of
// the URL that has a meaning (RFC 3986 §2.3).
func inPath(value string) string {
	unreserved := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r)
	}
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return !unreserved(r) }):
		return "must be of letters, digits, -, ., _ and ~ only, to stand in a URL's path"
	case value == "." || value == ".." || value == "test":
		return "has a meaning of its own in a URL's path"
	}
	return ""
}

// standardKey finds what is no secret of Standard Webhooks.
func standardKey(value string) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value, "whsec_"))
	switch {
	case err != nil: // it would repeat a character of the secret
		return "must be base64, with or without whsec_ before it, as Standard Webhooks has it"
	case len(key) < shortKey:
		return "must be at least 24 bytes in base64, as Standard Webhooks wants it"
	}
	return ""
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

// inClear are headers that a secret must not stand in: the journal keeps their values, servers and
// proxies read, change or log them.
var inClear = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Forwarded", "Host",
	"Referer", "Transfer-Encoding", "User-Agent", "Webhook-Id", "Webhook-Timestamp", "X-Experience-Api-Version", "X-Forwarded-For", "X-Real-Ip",
	"X-Request-Id", "X-Webhook-Event", "X-Webhook-Id", "X-Webhook-Type",
}

func secretHeader(e entry) string {
	name := header(e)
	if slices.Contains(inClear, name) {
		e.mistake("%s is a header of HTTP's own, which is kept in the clear; no secret may stand in it", name)
		return ""
	}
	return name
}
