package arenav1

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countersign/internal/simulator/fault"
)

// idle is how long a session lives after its last action, and a token after it was issued.
const idle = 90 * time.Minute

// session is a session or a token.
type session struct {
	user    User
	oauth   bool
	expires time.Time
}

// login is POST /login. A second login of the same user cancels the first session.
func (w *Workspace) login(rw http.ResponseWriter, _ *http.Request, x *fault.Exchange) {
	var body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		// WorkspaceID is a number in the help's page.
		WorkspaceID json.Number `json:"workspaceId"`
	}
	if json.Unmarshal(x.Body, &body) != nil {
		errRequired.write(rw, x)
		return
	}
	type result struct {
		problem problem
		id      string
		account Account
	}
	got := fault.Attempt(x, func(commit bool) (result, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, a := range w.accounts {
			if a.Password == "" || a.Password != body.Password || !strings.EqualFold(a.User.Email, body.Email) {
				continue
			}
			switch asked := body.WorkspaceID.String(); {
			case asked != "" && asked != a.WorkspaceID:
				continue // no access to it
			case asked == "" && w.lastIn != "":
				a.WorkspaceID = w.lastIn
			}
			id := rand.Text()
			if commit {
				w.logins++
				for old, s := range w.sessions {
					if !s.oauth && s.user.GUID == a.User.GUID {
						delete(w.sessions, old)
					}
				}
				w.sessions[id] = &session{user: a.User, expires: w.clock.Now().Add(idle)}
			}
			return result{id: id, account: a}, true
		}
		return result{problem: errLogin}, false
	})
	if got.problem != none {
		got.problem.write(rw, x)
		return
	}
	x.Subject = got.account.User.Email
	name := "arena_session_id"
	if w.Switches().CamelSession {
		name = "arenaSessionId"
	}
	writeJSON(rw, http.StatusOK, map[string]any{
		name: got.id, "workspaceId": json.Number(cmp.Or(got.account.WorkspaceID, "1")), "workspaceName": "Simulated", "workspaceRequestLimit": w.options.Budget,
	})
}

// token is POST /oauth2/token: client credentials, with the workspace as a field of the form and without scopes.
func (w *Workspace) token(rw http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	form, err := url.ParseQuery(string(x.Body))
	refuse := func(word string) {
		x.Reason = word
		writeJSON(rw, http.StatusUnauthorized, map[string]string{"error": word})
	}
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || form.Get("grant_type") != "client_credentials" {
		refuse("invalid_request")
		return
	}
	id := fault.Attempt(x, func(commit bool) (string, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, a := range w.accounts {
			if a.ClientID == "" || a.ClientID != form.Get("client_id") || a.ClientSecret != form.Get("client_secret") || a.WorkspaceID != form.Get("workspace_id") {
				continue
			}
			id := rand.Text()
			if commit {
				w.logins++
				w.sessions[id] = &session{user: a.User, oauth: true, expires: w.clock.Now().Add(idle)}
			}
			return id, true
		}
		return "", false
	})
	if id == "" {
		refuse("invalid_client")
		return
	}
	writeJSON(rw, http.StatusOK, map[string]any{"access_token": id, "token_type": "Bearer", "expires_in": int(idle/time.Second) - 1})
}

// authenticate finds who asks, and lets their session live on.
func (w *Workspace) authenticate(r *http.Request) (User, bool) {
	id, oauth := r.Header.Get("arena_session_id"), false
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		id, oauth = bearer, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s, now := w.sessions[id], w.clock.Now()
	if s == nil || s.oauth != oauth || !now.Before(s.expires) {
		return User{}, false
	}
	if !s.oauth {
		s.expires = now.Add(idle)
	}
	return s.user, true
}

// spend takes one request off the day's budget and writes what is left into the answer; false when
// nothing was left.
func (w *Workspace) spend(header http.Header) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	if today := now.Truncate(24 * time.Hour); !today.Equal(w.day) {
		w.day, w.spent = today, 0
	}
	ok := w.spent < w.options.Budget
	if ok {
		w.spent++
	}
	header.Set("X-Arena-Requests-Remaining", strconv.Itoa(w.options.Budget-w.spent))
	header.Set("X-Arena-Next-Request-Limit-Reset", w.day.Add(24*time.Hour).Format(time.RFC3339))
	return ok
}
