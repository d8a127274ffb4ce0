package issuer

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// The error codes of RFC 6749 §5.2, and one of RFC 6749 §4.1.2.1 for what §5.2 has no word for.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidScope         = "invalid_scope"
	unsupportedGrantType = "unsupported_grant_type"
	temporarily          = "temporarily_unavailable"
)

// longestScope is far more than anybody asks for, in bytes.
const longestScope = 512

var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$`) // RFC 6749 §3.3

// refusal is an error answer.
type refusal struct {
	status      int
	code        string
	description string
}

// grant is what a request for a token says.
type grant struct {
	// spellings are what name and secret may be meant as.
	spellings []credential
	scope     string
}

// token is the OAuth 2.0 token endpoint.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	form, wrong := readForm(w, r)
	if wrong != nil {
		answerRefusal(w, *wrong, "")
		return
	}
	asked, wrong := readGrant(r, form)
	if wrong != nil {
		answerRefusal(w, *wrong, "")
		return
	}
	token, a, err := i.issue(r, ClientCredentials, asked.scope, asked.spellings...)
	if err != nil {
		answerError(w, err, `Basic realm="countersign"`)
		return
	}
	answer(w, http.StatusOK, struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
		Scope       string `json:"scope,omitempty"`
	}{token, "Bearer", int64(a.Lifetime / time.Second), asked.scope})
}

// readForm reads the body of a token request. Parameters in the URL do not count: RFC 6749 §2.3.1
// forbids them, because URLs are logged.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, &refusal{http.StatusBadRequest, invalidRequest, "Content-Type must be application/x-www-form-urlencoded"}
	}
	body, wrong := read(w, r)
	if wrong != nil {
		return nil, wrong
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, invalidRequest, "the body cannot be read as a form"}
	}
	for name, values := range form {
		if len(values) > 1 { // RFC 6749 §3.2
			return nil, &refusal{http.StatusBadRequest, invalidRequest, "a parameter stands in the form more than once"}
		}
		if values[0] == "" { // the same section: as if it were not there
			form.Del(name)
		}
	}
	return form, nil
}

// readGrant reads the client's credentials from the form or from the Basic header, of which one only may be
// used (RFC 6749 §2.3). Nothing here depends on whether there is such a client.
func readGrant(r *http.Request, form url.Values) (grant, *refusal) {
	bad := func(code, description string) (grant, *refusal) {
		return grant{}, &refusal{http.StatusBadRequest, code, description}
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return bad(invalidRequest, "grant_type is missing; it must be client_credentials")
	default:
		return bad(unsupportedGrantType, "grant_type must be client_credentials")
	}
	scope := form.Get("scope")
	if scope != "" && (len(scope) > longestScope || !scopePattern.MatchString(scope)) {
		return bad(invalidScope, "scope must be words of printable ASCII with one space between them")
	}
	client, secret := form.Get("client_id"), form.Get("client_secret")
	headers := len(r.Header.Values("Authorization"))
	if headers == 0 {
		if client == "" || secret == "" {
			return grant{}, &refusal{http.StatusUnauthorized, invalidClient, "client_id and client_secret are missing: send both in the form, or as Authorization: Basic"}
		}
		return grant{[]credential{{client, secret}}, scope}, nil
	}
	name, password, ok := r.BasicAuth()
	switch {
	case headers > 1 || !ok:
		return grant{}, &refusal{http.StatusUnauthorized, invalidClient, "Authorization must be there once and be Basic"}
	case secret != "":
		return bad(invalidRequest, "credentials are both in Authorization and in the form; send them in one place")
	}
	asked := grant{[]credential{{name, password}}, scope}
	// RFC 6749 §2.3.1 has both form-encoded before base64. Many clients leave that out, so each spelling
	// is tried.
	decodedName, nameErr := url.QueryUnescape(name)
	decoded, err := url.QueryUnescape(password)
	if both := (credential{decodedName, decoded}); nameErr == nil && err == nil && both != asked.spellings[0] {
		asked.spellings = append(asked.spellings, both)
	}
	if client != "" && client != name && client != decodedName {
		return bad(invalidRequest, "client_id in the form is another one than in Authorization")
	}
	return asked, nil
}

// answerError answers what issue returned.
func answerError(w http.ResponseWriter, err error, challenge string) {
	var often errTooOften
	switch {
	case errors.As(err, &often):
		setRetryAfter(w, often.wait)
		answerRefusal(w, refusal{http.StatusTooManyRequests, temporarily, often.Error()}, "")
	case errors.Is(err, errWrong):
		answerRefusal(w, refusal{http.StatusUnauthorized, invalidClient, err.Error()}, challenge)
	default: // the library refused to sign: a defect of ours
		answerRefusal(w, refusal{http.StatusInternalServerError, "server_error", "the token could not be made"}, "")
	}
}
