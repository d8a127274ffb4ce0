package arena_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

func TestTokenRequests_R115(t *testing.T) {
	const form, jsonType = "application/x-www-form-urlencoded", "application/json"
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {"svc-bridge"}, "client_secret": {"s3cret"}}
	with := func(name, value string) string {
		edited := url.Values{}
		for k, v := range good {
			edited[k] = v
		}
		edited.Set(name, value)
		return edited.Encode()
	}
	allScopes := "training.records.write training.status.update user.read"
	cases := []struct {
		name, media, body string
		status            int
		oauthError, scope string
	}{
		{"form, all scopes", form, good.Encode(), 200, "", allScopes},
		{"form, some scopes", form, with("scope", "user.read training.records.write user.read"), 200, "", "user.read training.records.write"},
		{"a scope not owned is dropped", form, with("scope", "user.read training.records.approve"), 200, "", "user.read"},
		{"nothing left", form, with("scope", "training.records.approve"), 400, "invalid_scope", ""},
		{"unheard-of scope", form, with("scope", "user.read everything"), 400, "invalid_scope", ""},
		{"json", jsonType, `{"grant_type":"client_credentials","client_id":"svc-bridge","client_secret":"s3cret","scope":"user.read"}`, 200, "", "user.read"},
		{"json, secret as number", jsonType, `{"grant_type":"client_credentials","client_id":"svc-bridge","client_secret":1}`, 400, "invalid_request", ""},
		{"wrong secret", form, with("client_secret", "guess"), 401, "invalid_client", ""},
		{"wrong client", form, with("client_id", "other"), 401, "invalid_client", ""},
		{"no grant type", form, with("grant_type", ""), 400, "invalid_request", ""},
		{"other grant type", form, with("grant_type", "password"), 400, "unsupported_grant_type", ""},
		{"parameter twice", form, good.Encode() + "&client_id=svc-bridge", 400, "invalid_request", ""},
	}
	r := newRig(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			response, err := r.send("POST", "/api/v1/auth/token", c.body, "Content-Type", c.media, "Authorization", "")
			require.NoError(t, err)
			defer func() { _ = response.Body.Close() }()
			require.Equal(t, c.status, response.StatusCode)
			require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
			var answer struct {
				Error     string  `json:"error"`
				Scope     string  `json:"scope"`
				Type      string  `json:"token_type"`
				ExpiresIn float64 `json:"expires_in"`
			}
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
			require.Equal(t, c.oauthError, answer.Error)
			require.Equal(t, c.scope, answer.Scope)
			if c.status == 200 {
				require.Equal(t, "Bearer", answer.Type)
				require.InDelta(t, 3600, answer.ExpiresIn, 0)
			}
		})
	}
}

func TestTokenLife_R118(t *testing.T) {
	r := newRig(t)
	get := func() (int, string) { return r.do("GET", "/api/v1/users/"+employee, "") }
	refused := func(word string) {
		t.Helper()
		status, body := get()
		require.Equal(t, 401, status)
		require.Equal(t, word, reason(t, body))
	}
	status, _ := get()
	require.Equal(t, 200, status)

	r.clock.Advance(time.Hour - time.Millisecond)
	status, _ = get()
	require.Equal(t, 200, status, "still valid")
	r.clock.Advance(time.Millisecond)
	refused("TOKEN_EXPIRED")

	r.sim.SetTokenLifetime(2 * time.Minute)
	r.token = r.login("")
	r.sim.SetClockOffset(2 * time.Minute)
	refused("TOKEN_EXPIRED")

	r.token = r.login("")
	r.sim.ExpireTokens()
	refused("TOKEN_EXPIRED")

	r.token = r.login("")
	r.sim.RevokeTokens()
	refused("UNAUTHENTICATED")

	r.token = "nonsense"
	refused("UNAUTHENTICATED")
}

func TestScopes_R113(t *testing.T) {
	r := newRig(t)
	id := r.record(plain, "")
	pending := r.record(approved, training.RecordPendingApproval)
	approval := `{"decision":"APPROVE","approver":"m.keller","comment":"seen"}`
	cases := []struct {
		name, scope, method, path, body string
		status                          int
	}{
		{"complete needs both, write alone", arena.ScopeWrite, "POST", "/training/records/" + id + "/complete", completion(t, "COMPLETED", nil), 403},
		{"complete needs both, status alone", arena.ScopeStatus, "POST", "/training/records/" + id + "/complete", completion(t, "COMPLETED", nil), 403},
		{"any training scope reads", arena.ScopeStatus, "GET", "/training/records/" + id, "", 200},
		{"user scope reads no record", arena.ScopeUsers, "GET", "/training/records/" + id, "", 403},
		{"create needs write", arena.ScopeStatus, "POST", "/training/records", `{}`, 403},
		{"users need user.read", arena.ScopeWrite, "GET", "/users/" + employee, "", 403},
		{"the bridge may not approve", "", "POST", "/training/records/" + pending + "/approval", approval, 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.token = r.login(c.scope)
			status, body := r.do(c.method, "/api/v1"+c.path, c.body)
			require.Equal(t, c.status, status, body)
			if c.status == 403 {
				require.Equal(t, "SCOPE_MISSING", reason(t, body))
				require.NoError(t, r.sim.SetSwitches(arena.Switches{ScopeErrorStatus: 401}))
				status, body = r.do(c.method, "/api/v1"+c.path, c.body)
				require.Equal(t, 401, status)
				require.Equal(t, "SCOPE_MISSING", reason(t, body))
				require.NoError(t, r.sim.SetSwitches(arena.Switches{}))
			}
		})
	}
}

func TestApproval_R111(t *testing.T) {
	r := newRig(t)
	r.sim.AddAccount(arena.Account{ClientID: "svc-bridge", ClientSecret: "s3cret", Scopes: append(arena.BridgeScopes(), arena.ScopeApprove)})
	r.token = r.login("")
	submit := func() string {
		id := r.record(approved, "")
		status, body := r.complete(id, completion(t, training.RecordPendingApproval, nil))
		require.Equal(t, 200, status, body)
		return id
	}
	decide := func(id, body string) (int, string) {
		return r.do("POST", "/api/v1/training/records/"+id+"/approval", body)
	}

	id := submit()
	status, _ := decide(id, `{"decision":"approve","approver":"m.keller"}`)
	require.Equal(t, 400, status, "a misspelled decision decides nothing")
	status, body := decide(id, `{"decision":"APPROVE","approver":"m.keller","comment":"seen"}`)
	require.Equal(t, 200, status)
	require.Equal(t, "COMPLETED", field(t, body, "status"))
	require.Equal(t, "2026-04-08T14:30:00Z", field(t, body, "completionDate"))
	require.Len(t, r.sim.Changes(id), 2)
	require.Equal(t, "m.keller", r.sim.Changes(id)[1].Actor)
	status, body = decide(id, `{"decision":"APPROVE","approver":"m.keller"}`)
	require.Equal(t, 409, status)
	require.Equal(t, "INVALID_TRANSITION", reason(t, body))

	id = submit()
	require.NoError(t, r.sim.Decide(id, arena.Reject, "m.keller", "not seen"))
	record, _ := r.sim.Record(id)
	require.Equal(t, training.RecordInProgress, record.Status)
	require.Nil(t, record.CompletionDate)
	require.Error(t, r.sim.Decide(id, arena.Reject, "m.keller", ""))

	_, history := r.do("GET", "/api/v1/training/records/"+id+"/history", "")
	var list struct {
		Count   int            `json:"count"`
		Results []arena.Change `json:"results"`
	}
	require.NoError(t, json.Unmarshal([]byte(history), &list))
	require.Equal(t, r.sim.Changes(id), list.Results)
}
