package arenav1

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// longestPass bounds what is sent in a header of every call, in bytes.
const longestPass = 16 << 10

// tokenLife is the life of a token whose answer names none, as a public client assumes it.
const tokenLife = 5399 * time.Second

// login opens a session: POST /login. The help calls its id arena_session_id, several clients read
// arenaSessionId. Without a workspace's id the user lands in the one it was in last, which may be another
// tomorrow: another than asked for, or than before, is refused before anything is asked of it.
func (c *Client) login(ctx context.Context) (*pass, error) {
	body, err := json.Marshal(struct { //nolint:gosec // G117: the password is what a login is made of
		Email       string      `json:"email"`
		Password    string      `json:"password"`
		WorkspaceID workspaceID `json:"workspaceId,omitempty"`
	}{c.cfg.Email, c.cfg.Password, workspaceID(c.cfg.WorkspaceID)})
	if err != nil {
		return nil, training.FailWith(training.FailureDefect, "sign in", "/login", err)
	}
	var answer struct {
		Snake string `json:"arena_session_id"`
		Camel string `json:"arenaSessionId"`

		WorkspaceID workspaceID `json:"workspaceId"`
	}
	if err := c.askPass(ctx, "/login", c.root+"/login", "application/json", body, &answer); err != nil {
		return nil, err
	}
	id := answer.Snake
	if id == "" {
		id = answer.Camel
	}
	if !outbound.HeaderText(id, longestPass) {
		return nil, training.Fail(training.FailureMisread, "sign in", "/login", "answer holds no session id")
	}
	if !c.sameWorkspace(answer.WorkspaceID) {
		return nil, training.Fail(training.FailureCredentials, "sign in", "/login", "the session is one of another workspace")
	}
	return &pass{header: "arena_session_id", value: id}, nil
}

// sameWorkspace reports whether a session is one of the workspace of the settings, or where they name none,
// of the first session. An answer that names none says nothing. Only the one that signs in asks.
func (c *Client) sameWorkspace(got workspaceID) bool {
	if got == "" {
		return true
	}
	if c.workspace == "" {
		c.workspace = got
	}
	return got == c.workspace
}

// workspaceID is a number in the help's pages. It is read as a text as well, and sent as one where it is none.
type workspaceID string

// MarshalJSON implements json.Marshaler.
func (w workspaceID) MarshalJSON() ([]byte, error) {
	if number.MatchString(string(w)) {
		return []byte(w), nil
	}
	return json.Marshal(string(w))
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *workspaceID) UnmarshalJSON(text []byte) error {
	if number.Match(text) {
		*w = workspaceID(text)
		return nil
	}
	return json.Unmarshal(text, (*string)(w))
}

// number is an integer as JSON has it.
var number = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

// token fetches an OAuth token by client credentials (RFC 6749 §4.4). Arena wants the workspace as a field
// of the form and is asked for no scopes.
func (c *Client) token(ctx context.Context) (*pass, error) {
	asked := c.now() // before the question: the answer may have been long under way
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret},
		"workspace_id": {c.cfg.WorkspaceID},
	}.Encode()
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := c.askPass(ctx, "/oauth2/token", c.cfg.TokenURL, "application/x-www-form-urlencoded", []byte(form), &answer); err != nil {
		return nil, err
	}
	if !outbound.HeaderText(answer.AccessToken, longestPass) {
		return nil, training.Fail(training.FailureMisread, "sign in", "/oauth2/token", "answer holds no token")
	}
	life := tokenLife
	if answer.ExpiresIn > 0 && answer.ExpiresIn < 24*3600 {
		life = time.Duration(answer.ExpiresIn * float64(time.Second))
	}
	return &pass{header: "Authorization", value: "Bearer " + answer.AccessToken, expires: asked.Add(life)}, nil
}

// askPass sends credentials. A refusal of any kind means that they, or their settings, are wrong: Arena
// answers a bad login with 400 and code 4001.
func (c *Client) askPass(ctx context.Context, path, target, contentType string, body []byte, out any) error {
	call := call{operation: "sign in", key: path, method: http.MethodPost, template: path}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return training.Fail(training.FailureDefect, call.operation, call.key, "request cannot be built")
	}
	req.Header.Set("Content-Type", contentType)
	got, err := c.exchange(ctx, call, req)
	if err != nil {
		return err
	}
	if !got.OK() {
		failure := got.failure(call, c.now())
		if got.Status == http.StatusBadRequest {
			failure.Class = training.FailureCredentials
		}
		return failure
	}
	if err := got.decode(out); err != nil {
		return training.Fail(training.FailureMisread, call.operation, call.key, err.Error())
	}
	return nil
}
