package arena_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
	simulated "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func (w *world) tokenCalls() int { return w.sim.Calls(simulated.EndpointToken) }

func (w *world) ask(t *testing.T) {
	t.Helper()
	_, err := w.client.ExternalUpdatesAllowed(t.Context())
	require.NoError(t, err)
}

func TestTokenIsKeptWithItsExpiry_R116(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.ask(t)
		w.clock.Advance(10 * time.Minute)
	}
	require.Equal(t, 1, w.tokenCalls())
}

func TestTokenIsRenewedAtFiveMinutes_R117(t *testing.T) {
	w := newWorld(t) // tokens live for an hour
	w.ask(t)
	w.clock.Advance(55*time.Minute - time.Millisecond)
	w.ask(t)
	require.Equal(t, 1, w.tokenCalls(), "more than five minutes left")
	w.clock.Advance(time.Millisecond)
	w.ask(t)
	require.Equal(t, 2, w.tokenCalls(), "exactly five minutes left")
}

// Scenario 21.
func TestShortLivedTokenIsRenewedAtHalfItsLife_R117(t *testing.T) {
	for _, life := range []time.Duration{5 * time.Minute, 2 * time.Minute} {
		w := newWorld(t)
		w.sim.SetTokenLifetime(life)
		w.ask(t)
		w.clock.Advance(life/2 - time.Millisecond)
		w.ask(t)
		require.Equal(t, 1, w.tokenCalls())
		w.clock.Advance(time.Millisecond)
		w.ask(t)
		require.Equal(t, 2, w.tokenCalls())
	}
}

func TestTokenPerCall(t *testing.T) {
	w := newWorld(t)
	w.client = w.connect(func(cfg *arena.Config) { cfg.TokenMode = arena.TokenPerCall })
	for range 3 {
		w.ask(t)
	}
	require.Equal(t, 3, w.tokenCalls())
	require.Equal(t, 3, w.sim.Calls(simulated.EndpointConfig))
}

// Scenario 19: everybody who needs a token shares one fetch.
func TestConcurrentCallersShareOneRefresh_R116(t *testing.T) {
	const callers = 20
	release := make(chan struct{})
	s := newStub(t, reply(http.StatusOK, `{"allowExternalStatusUpdates":true}`))
	s.token = func(w http.ResponseWriter, _ *http.Request) {
		<-release
		writeToken(w, "token", 3600)
	}
	c := s.client(t, nil)
	ctx := t.Context()
	var ready sync.WaitGroup
	errs := make(chan error, callers)
	for range callers {
		ready.Add(1)
		go func() {
			ready.Done()
			_, err := c.ExternalUpdatesAllowed(ctx)
			errs <- err
		}()
	}
	ready.Wait()
	close(release)
	for range callers {
		require.NoError(t, <-errs)
	}
	require.EqualValues(t, 1, s.tokenCalls.Load())
}

func TestOneCallersCancellationLeavesTheRefreshToTheOthers(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := newStub(t, reply(http.StatusOK, `{"allowExternalStatusUpdates":true}`))
	s.token = func(w http.ResponseWriter, _ *http.Request) {
		close(asked) // a second token request would panic here
		<-release
		writeToken(w, "token", 3600)
	}
	c := s.client(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- c.Employee(ctx, "EMP12345") }()
	<-asked
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	close(release)
	_, err := c.ExternalUpdatesAllowed(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, s.tokenCalls.Load())
}

func TestStormOf401CostsOneToken_R118(t *testing.T) {
	const callers = 20
	w := newWorld(t)
	w.ask(t)
	w.sim.ExpireTokens()
	ctx, errs := t.Context(), make(chan error, callers)
	for range callers {
		go func() {
			_, err := w.client.ExternalUpdatesAllowed(ctx)
			errs <- err
		}()
	}
	for range callers {
		require.NoError(t, <-errs)
	}
	require.Equal(t, 2, w.tokenCalls())
}

func TestSecond401IsCredentialsAndSparesTheTokenEndpoint_R118(t *testing.T) {
	w := newWorld(t)
	w.sim.Fault(simulated.EndpointConfig, fault.Status(401, fault.Forever))
	for range 5 {
		_, err := w.client.ExternalUpdatesAllowed(t.Context())
		requireFailure(t, err, training.FailureCredentials)
	}
	require.Equal(t, 2, w.tokenCalls(), "the first token and one forced refresh")
	require.Equal(t, 6, w.sim.Calls(simulated.EndpointConfig), "sent again once")

	w.clock.Advance(10 * time.Second)
	w.sim.ClearFaults()
	w.sim.RevokeTokens()
	w.ask(t)
	require.Equal(t, 3, w.tokenCalls(), "later a 401 is tried with a fresh token again")
}

func TestForbiddenIsNotRefreshed(t *testing.T) {
	w := newWorld(t)
	w.sim.Fault(simulated.EndpointConfig, fault.Status(403, 1))
	_, err := w.client.ExternalUpdatesAllowed(t.Context())
	requireFailure(t, err, training.FailureCredentials)
	require.Equal(t, 1, w.tokenCalls())
}

func TestRefusedAccountIsNotAskedAgainAtOnce_R115(t *testing.T) {
	w := newWorld(t)
	w.client = w.connect(func(cfg *arena.Config) { cfg.ClientSecret = "wrong-secret" })
	for range 5 {
		_, err := w.client.ExternalUpdatesAllowed(t.Context())
		f := requireFailure(t, err, training.FailureCredentials)
		require.Equal(t, "credentials: get token /auth/token: 401 invalid_client", f.Error())
		require.Zero(t, f.RetryAfter, "the retry schedule stays the tenant's")
	}
	require.Equal(t, 1, w.tokenCalls())
	w.clock.Advance(10 * time.Second)
	w.sim.AddAccount(simulated.Account{ClientID: "svc-bridge", ClientSecret: "wrong-secret", Scopes: simulated.BridgeScopes()})
	w.ask(t)
}

func TestLimitedTokenEndpointIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.sim.Fault(simulated.EndpointToken, fault.RateLimited("120", 1))
	for range 2 {
		_, err := w.client.ExternalUpdatesAllowed(t.Context())
		f := requireFailure(t, err, training.FailureRateLimited)
		require.Equal(t, 2*time.Minute, f.RetryAfter)
	}
	w.clock.Advance(119 * time.Second)
	_, err := w.client.ExternalUpdatesAllowed(t.Context())
	require.Equal(t, time.Second, requireFailure(t, err, training.FailureRateLimited).RetryAfter)
	require.Equal(t, 1, w.tokenCalls())
	w.clock.Advance(time.Second)
	w.ask(t)
}

// A token endpoint that is down for a while is no reason to stop while the old token lives.
func TestOldTokenServesWhileRenewalFails(t *testing.T) {
	w := newWorld(t)
	w.ask(t)
	w.clock.Advance(56 * time.Minute)
	w.sim.Fault(simulated.EndpointToken, fault.Status(503, fault.Forever))
	w.ask(t)
	w.ask(t)
	require.Equal(t, 2, w.tokenCalls(), "one attempt in ten seconds")
	w.clock.Advance(4 * time.Minute)
	_, err := w.client.ExternalUpdatesAllowed(t.Context())
	requireFailure(t, err, training.FailureUnreachable)
	w.sim.ClearFaults()
	w.ask(t)
}

func TestMissingScopesAreListed_R113_R118(t *testing.T) {
	w := newWorld(t)
	missing, err := w.client.MissingScopes(t.Context())
	require.NoError(t, err)
	require.Empty(t, missing)

	w.sim.AddAccount(simulated.Account{ClientID: "svc-poor", ClientSecret: "s", Scopes: []string{arena.ScopeUserRead}})
	poor := w.connect(func(cfg *arena.Config) { cfg.ClientID, cfg.ClientSecret = "svc-poor", "s" })
	missing, err = poor.MissingScopes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{arena.ScopeRecordsWrite, arena.ScopeStatusUpdate}, missing)

	silent := newStub(t, reply(http.StatusOK, "{}")) // names no scope: all that was asked for
	missing, err = silent.client(t, nil).MissingScopes(t.Context())
	require.NoError(t, err)
	require.Empty(t, missing)
}

func TestTokenAnswersAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   training.FailureClass
	}{
		"no token":         {200, `{"token_type":"Bearer","expires_in":60}`, training.FailureMisread},
		"another type":     {200, `{"access_token":"a","token_type":"MAC","expires_in":60}`, training.FailureMisread},
		"header injection": {200, `{"access_token":"a\r\nX: y","token_type":"Bearer","expires_in":60}`, training.FailureMisread},
		"broken":           {200, `{"access_token":`, training.FailureMisread},
		"bad scope":        {400, `{"error":"invalid_scope"}`, training.FailureCredentials},
		"wrong path":       {404, `{}`, training.FailureRefused},
		"down":             {503, `{}`, training.FailureUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t, func(http.ResponseWriter, *http.Request) { t.Error("called without a token") })
			s.token = func(w http.ResponseWriter, _ *http.Request) { answer(w, tc.status, tc.body) }
			requireFailure(t, s.client(t, nil).Employee(t.Context(), "EMP12345"), tc.want)
		})
	}
}

// Lives that no calendar knows must neither overflow nor make a token immortal.
func TestStrangeLifetimes(t *testing.T) {
	for expiresIn, fetches := range map[string]int32{"1e300": 1, "-5": 2, "0": 2, "3600.5": 1} {
		now := newClock()
		s := newStub(t, reply(http.StatusOK, `{"allowExternalStatusUpdates":true}`))
		s.token = func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, fmt.Sprintf(`{"access_token":"a","token_type":"bearer","expires_in":%s}`, expiresIn))
		}
		c := s.client(t, func(cfg *arena.Config) { cfg.Now = now.Now })
		for range 2 {
			_, err := c.ExternalUpdatesAllowed(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, fetches, s.tokenCalls.Load(), expiresIn)
	}
}

// The token is for the configured host only (R3).
func TestTokenIsNotCarriedToAnotherHost(t *testing.T) {
	other := newStub(t, func(http.ResponseWriter, *http.Request) { t.Error("redirect followed") })
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c := s.client(t, func(cfg *arena.Config) { cfg.HTTP = &http.Client{} })
	requireFailure(t, c.Complete(t.Context(), completion(), "r"), training.FailureMisread)
}
