package arena

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// token is an issued access token.
type token struct {
	subject string
	scopes  []string
	expires time.Time
}

// has reports whether the token carries every scope of need.
func (t token) has(need ...string) bool {
	for _, scope := range need {
		if !slices.Contains(t.scopes, scope) {
			return false
		}
	}
	return true
}

// tokenError is the error body of RFC 6749 §5.2.
type tokenError struct {
	Error string `json:"error"`
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// issueToken is POST /auth/token: client credentials as a form or as JSON (contract §7).
func (a *Arena) issueToken(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	w.Header().Set("Cache-Control", "no-store")
	refuse := func(status int, word string) {
		x.Reason = word
		writeJSON(w, status, tokenError{word})
	}
	params, p, ok := tokenParams(r, x.Body)
	switch {
	case p != problem{}:
		p.write(w, x, "")
		return
	case !ok || params["grant_type"] == "":
		refuse(http.StatusBadRequest, "invalid_request")
		return
	case params["grant_type"] != "client_credentials":
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	type result struct {
		answer tokenAnswer
		status int
		word   string
	}
	got := fault.Attempt(x, func(commit bool) (result, bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		account, known := a.accounts[params["client_id"]]
		match := subtle.ConstantTimeCompare([]byte(account.ClientSecret), []byte(params["client_secret"])) == 1
		if !known || !match {
			return result{status: http.StatusUnauthorized, word: "invalid_client"}, false
		}
		granted, ok := grant(account.Scopes, params["scope"])
		if !ok {
			return result{status: http.StatusBadRequest, word: "invalid_scope"}, false
		}
		issued := rand.Text()
		if commit {
			a.tokens[issued] = token{subject: account.ClientID, scopes: granted, expires: a.clock.Now().Add(a.lifetime)}
		}
		return result{answer: tokenAnswer{issued, "Bearer", int(a.lifetime / time.Second), strings.Join(granted, " ")}}, true
	})
	x.Subject = params["client_id"]
	if got.word != "" {
		refuse(got.status, got.word)
		return
	}
	writeJSON(w, http.StatusOK, got.answer)
}

// tokenParams reads the request's parameters; ok is false when one is repeated or no text.
func tokenParams(r *http.Request, body []byte) (params map[string]string, p problem, ok bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, errMediaType, false
	}
	params = make(map[string]string)
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, problem{}, false
		}
		for name, values := range form {
			if len(values) != 1 { // RFC 6749 §3.2: no parameter more than once
				return nil, problem{}, false
			}
			params[name] = values[0]
		}
	case "application/json":
		var fields struct {
			GrantType    string `json:"grant_type"`
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
			Scope        string `json:"scope"`
		}
		if err := json.Unmarshal(body, &fields); err != nil {
			return nil, problem{}, false
		}
		params["grant_type"], params["client_id"] = fields.GrantType, fields.ClientID
		params["client_secret"], params["scope"] = fields.ClientSecret, fields.Scope
	default:
		return nil, errMediaType, false
	}
	return params, problem{}, true
}

// grant is the part of the requested scopes that the account owns; all of them when none is
// requested. ok is false for a scope nobody has heard of, or when nothing is left.
func grant(owned []string, requested string) (granted []string, ok bool) {
	if requested == "" {
		return owned, true
	}
	known := append(BridgeScopes(), ScopeApprove)
	for scope := range strings.FieldsSeq(requested) {
		switch {
		case slices.Contains(owned, scope):
			if !slices.Contains(granted, scope) {
				granted = append(granted, scope)
			}
		case !slices.Contains(known, scope):
			return nil, false
		}
	}
	return granted, len(granted) > 0
}

// authenticate finds the request's token.
func (a *Arena) authenticate(r *http.Request) (token, problem) {
	scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return token{}, errNoToken
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.tokens[value]
	switch {
	case !ok:
		return token{}, errNoToken
	case !a.clock.Now().Before(t.expires):
		return t, errTokenExpired
	}
	return t, problem{}
}
