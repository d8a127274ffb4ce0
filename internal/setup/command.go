package setup

import (
	"bytes"
	"fmt"
	"strings"
)

// action is what a command tries.
type action int

const (
	// connection is the LMS's "test connection": GET, no body, nothing stored (R189).
	connection action = iota
	// rehearsal shows what would happen and writes nothing (R192).
	rehearsal
	// delivery is the real thing.
	delivery
)

// readSecret asks for the secret without showing it or leaving it in the shell's history. It is a
// block of its own: pasted together with more, the shell would take the next line for the secret.
const readSecret = "read -rs LMS_SECRET && export LMS_SECRET"

// endOfBody ends the here-document; no sample has such a line.
const endOfBody = "END_OF_BODY"

// command writes the commands for a shell (bash or zsh, with curl and openssl) that do one action with
// a credential. The secret comes from the variable LMS_SECRET. The body goes out byte for byte: it is
// read from a quoted here-document, signed as it is and sent as it is.
func command(do action, c Credential, s Sample, a address) string {
	w := &shell{}
	w.address(do, c, s, a)
	w.body(do, c, s)
	w.obtain(c, a)
	w.sign(c)
	w.send(do, s)
	return w.String()
}

// shell writes lines of a script.
type shell struct {
	strings.Builder

	// options are what the last curl gets besides URL and body.
	options []string
}

func (w *shell) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *shell) option(format string, args ...any) {
	w.options = append(w.options, fmt.Sprintf(format, args...))
}

func (w *shell) address(do action, c Credential, s Sample, a address) {
	token, test, tail := "", "", s.Path
	if c.inPath() {
		token = "$LMS_SECRET"
	}
	switch do {
	case rehearsal:
		test = "test"
	case connection:
		tail = ""
	}
	target := a.url(token, test, tail)
	if parameter := c.inQuery(); parameter != "" {
		target += "?" + parameter + "=$LMS_SECRET"
	}
	w.line(`URL="%s"`, target)
}

func (w *shell) body(do action, c Credential, s Sample) {
	if do == connection {
		if c.auth.HMAC != nil {
			w.line("BODY=''")
		}
		return
	}
	w.line("BODY=$(cat <<'%s'", endOfBody)
	w.line("%s", s.body)
	w.line("%s", endOfBody)
	w.line(")")
	if bytes.Contains(s.body, []byte(SecretPlaceholder)) {
		w.line(`BODY="${BODY//'%s'/"$LMS_SECRET"}"`, SecretPlaceholder)
	}
}

// obtain fetches a token from our own endpoints, where the credential is for those.
func (w *shell) obtain(c Credential, a address) {
	const accessToken = `sed -n 's/.*"\(access_token\|token\)" *: *"\([^"]*\)".*/\2/p'`
	if o := c.auth.OAuth2; o != nil {
		w.line(`TOKEN=$(curl -sS -u "%s:$LMS_SECRET" -d grant_type=client_credentials \`, o.ClientID)
		w.line(`  "%s" | %s)`, a.token(), accessToken)
	}
	if l := c.auth.Login; l != nil {
		w.line(`TOKEN=$(curl -sS --data-urlencode "username=%s" --data-urlencode "password=$LMS_SECRET" \`, l.Username)
		w.line(`  "%s" | %s)`, a.login(), accessToken)
	}
	if c.auth.OAuth2 != nil || c.auth.Login != nil {
		w.option(`-H "Authorization: Bearer $TOKEN"`)
	}
}

// sign adds signature or credential.
func (w *shell) sign(c Credential) {
	switch h := c.auth.HMAC; {
	case h == nil:
	case h.standard():
		w.line(`ID="try-$(date +%%s)"`)
		w.line(`TIMESTAMP=$(date +%%s)`)
		w.line(`KEY=$(printf '%%s' "${LMS_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')`)
		w.line(`SIGNATURE=$(printf '%%s' "$ID.$TIMESTAMP.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | openssl base64 -A)`)
		w.option(`-H "webhook-id: $ID"`)
		w.option(`-H "webhook-timestamp: $TIMESTAMP"`)
		w.option(`-H "webhook-signature: v1,$SIGNATURE"`)
	default:
		digest := `openssl dgst -sha256 -hmac "$LMS_SECRET" | sed 's/^.* //'`
		if h.Encoding == "base64" {
			digest = `openssl dgst -sha256 -hmac "$LMS_SECRET" -binary | openssl base64 -A`
		}
		prefix := "sha256="
		if h.Prefix != nil {
			prefix = *h.Prefix
		}
		w.line(`SIGNATURE=$(printf '%%s' "$BODY" | %s)`, digest)
		w.option(`-H "%s: %s$SIGNATURE"`, h.Headers[0], prefix)
	}
	if k := c.auth.APIKey; k != nil {
		w.option(`-H "%s: $LMS_SECRET"`, k.Header)
	}
	if c.auth.Bearer != nil {
		w.option(`-H "Authorization: Bearer $LMS_SECRET"`)
	}
	if c.auth.Authorization != nil {
		w.option(`-H "Authorization: $LMS_SECRET"`)
	}
	if b := c.auth.Basic; b != nil {
		w.option(`-u "%s:$LMS_SECRET"`, b.Username)
	}
	if c.auth.MTLS != nil {
		w.option(`--cert client.pem --key client-key.pem`)
	}
}

func (w *shell) send(do action, s Sample) {
	const curl = `curl -sS -w '\nHTTP %{http_code}\n' `
	if do == connection {
		w.line(`%s`, strings.Join(append([]string{curl + `"$URL"`}, w.options...), " \\\n  "))
		return
	}
	parts := []string{`printf '%s' "$BODY" | ` + curl + `"$URL"`, `-H 'Content-Type: ` + s.ContentType + `'`}
	for name, value := range s.sorted() {
		parts = append(parts, fmt.Sprintf(`-H '%s: %s'`, name, value))
	}
	parts = append(parts, w.options...)
	w.line(`%s`, strings.Join(append(parts, "--data-binary @-"), " \\\n  "))
}
