package arenav1_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

const jane = "UJANE000000000000001"

// at makes a world with Jane and an employee check to ask with.
func at(t *testing.T) *world {
	w := newWorld(t, simulated.Options{})
	w.AddEmployee(jane)
	w.AddEmployee("UJOHN000000000000002")
	w.AddTraining("TRP-000012")
	return w
}

// ask asks something that is not remembered.
func (w *world) ask(c *arenav1.Client) error {
	_, err := c.Records(w.t.Context(), jane, "TRP-000012")
	return err
}

func TestOneSessionForEverybody(t *testing.T) {
	w := at(t)
	errs := make(chan error, 10)
	for range cap(errs) {
		go func() { errs <- w.ask(w.client) }()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, 1, w.sim.Logins())
}

// A second login of the same user cancels the first session. Whoever is cancelled signs in again, once.
func TestSecondLoginCancelsTheFirst(t *testing.T) {
	w := at(t)
	other := w.connect(nil)
	require.NoError(t, w.ask(w.client))
	require.NoError(t, w.ask(other))
	require.NoError(t, w.ask(w.client))
	require.Equal(t, 3, w.sim.Logins())
}

// A session lives 90 minutes after its last action, so it lives on with every use, and one that has been
// idle is not tried first.
func TestIdleSession(t *testing.T) {
	w := at(t)
	for range 4 {
		require.NoError(t, w.ask(w.client))
		w.clock.Advance(80 * time.Minute)
	}
	require.Equal(t, 1, w.sim.Logins())
	w.clock.Advance(20 * time.Minute)
	require.NoError(t, w.ask(w.client))
	require.Equal(t, 2, w.sim.Logins())
	for _, entry := range w.sim.Log(0) {
		require.NotEqual(t, http.StatusUnauthorized, entry.Status)
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { oauth(cfg); cfg.TokenURL = w.url + "/oauth2/token" })
	require.NoError(t, w.ask(c))
	w.clock.Advance(80 * time.Minute)
	require.NoError(t, w.ask(c))
	require.Equal(t, 1, w.sim.Logins())
	w.clock.Advance(6 * time.Minute)
	require.NoError(t, w.ask(c))
	require.Equal(t, 2, w.sim.Logins())

	w.sim.EndSessions()
	require.NoError(t, w.ask(c), "once more after a 401")
	require.Equal(t, 3, w.sim.Logins())
}

// A bad login is a 400 with code 4001. It is not tried in vain again and again: accounts get locked.
func TestBadLogin(t *testing.T) {
	for name, change := range map[string]func(*arenav1.Config){
		"password": func(cfg *arenav1.Config) { cfg.Password = "wrong" },
		"client": func(cfg *arenav1.Config) {
			url := cfg.BaseURL
			oauth(cfg)
			cfg.ClientSecret, cfg.TokenURL = "wrong", url[:len(url)-len("/v1")]+"/oauth2/token"
		},
	} {
		w := at(t)
		c := w.connect(change)
		for range 3 {
			f := requireClass(t, w.ask(c), training.FailureCredentials)
			require.NotContains(t, f.Error(), "wrong", name)
		}
		require.Equal(t, 1, w.sim.Calls(simulated.EndpointLogin)+w.sim.Calls(simulated.EndpointToken), name)
		w.clock.Advance(11 * time.Second)
		requireClass(t, w.ask(c), training.FailureCredentials)
		require.Equal(t, 2, w.sim.Calls(simulated.EndpointLogin)+w.sim.Calls(simulated.EndpointToken), name)
	}
}

// A session that is refused although it is new says that the account is at fault.
func TestRefusedForEver(t *testing.T) {
	w := at(t)
	require.NoError(t, w.ask(w.client))
	w.sim.Fault(simulated.EndpointPlans, fault.Status(401, fault.Forever))
	requireClass(t, w.ask(w.client), training.FailureCredentials)
	require.Equal(t, 3, w.sim.Calls(simulated.EndpointPlans), "one that worked, and two that did not")
	requireClass(t, w.ask(w.client), training.FailureCredentials)
	require.Equal(t, 4, w.sim.Calls(simulated.EndpointPlans), "for a while it is believed at once")
	require.Equal(t, 2, w.sim.Logins())
}

// Neither the session nor the password goes where a redirect points, nor into the log.
func TestRedirectIsNotFollowed(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.BaseURL = server.URL + "/v1" })
	requireClass(t, w.ask(c), training.FailureMisread)
	require.Zero(t, asked)
	require.NotContains(t, w.log.String(), "t0p-secret")
}

// The day's budget: what is left to others is not touched, and the wait lasts until it is a new one.
func TestDayBudget(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.Reserve = 50 })
	require.NoError(t, w.ask(c))
	w.sim.Spend(51)
	requireClass(t, w.ask(c), training.FailureRateLimited) // the first call of it learns what is left
	before := w.sim.Calls(fault.Any)
	f := requireClass(t, w.ask(c), training.FailureRateLimited)
	require.Equal(t, 9*time.Hour, f.RetryAfter, "it is 15:00 UTC")
	require.Equal(t, before, w.sim.Calls(fault.Any), "nothing is sent, not even a login")

	w.clock.Advance(9 * time.Hour)
	require.NoError(t, w.ask(c))
}

func TestSpentBudgetIsA429(t *testing.T) {
	w := at(t)
	w.sim.Spend(0)
	f := requireClass(t, w.ask(w.client), training.FailureRateLimited)
	require.Equal(t, 9*time.Hour, f.RetryAfter, "until the header's reset")
}

// The help does not say in which form the date of the reset is.
func TestResetInAFormThatNobodyKnows(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"2026-04-08T17:00:00Z": 2 * time.Hour, "Wed, 08 Apr 2026 16:30:00 GMT": 90 * time.Minute, "tomorrow": time.Hour, "": 0,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			if r.URL.Path == "/v1/login" {
				_, _ = io.WriteString(rw, `{"arenaSessionId":"s"}`) // a lost answer is the client's to say
				return
			}
			if value != "" {
				rw.Header().Set("X-Arena-Next-Request-Limit-Reset", value)
			}
			rw.WriteHeader(http.StatusTooManyRequests)
		}))
		w := at(t)
		c := w.connect(func(cfg *arenav1.Config) { cfg.BaseURL = server.URL + "/v1" })
		require.Equal(t, want, requireClass(t, w.ask(c), training.FailureRateLimited).RetryAfter, value)
		server.Close()
	}
}

func TestConfigMistakes(t *testing.T) {
	for problem, change := range map[string]func(*arenav1.Config){
		"must end in /v1":                          func(cfg *arenav1.Config) { cfg.BaseURL = "https://api.arenasolutions.com" },
		"plain http is for loopback":               func(cfg *arenav1.Config) { cfg.BaseURL = "http://api.arenasolutions.com/v1" },
		"must be https://host":                     func(cfg *arenav1.Config) { cfg.BaseURL = "" },
		"must not hold a user":                     func(cfg *arenav1.Config) { cfg.BaseURL = "https://u:p@api.arenasolutions.com/v1" },
		"either e-mail and password, or client id": func(cfg *arenav1.Config) { cfg.Password = "" },
		"either e-mail and password":               func(cfg *arenav1.Config) { cfg.ClientID, cfg.ClientSecret = "a", "b" },
		"a workspace id is required":               func(cfg *arenav1.Config) { oauth(cfg); cfg.WorkspaceID = "" },
		"token url: must be https://host":          func(cfg *arenav1.Config) { oauth(cfg) },
		`employee key "name": must be "email"`:     func(cfg *arenav1.Config) { cfg.EmployeeKey = "name" },
	} {
		cfg := arenav1.Config{BaseURL: "https://api.arenasolutions.com/v1", Email: "bridge@acme.example", Password: "secret"}
		change(&cfg)
		_, err := arenav1.New(cfg)
		require.ErrorContains(t, err, problem)
		require.NotContains(t, err.Error(), "u:p")
	}
}
