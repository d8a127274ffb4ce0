package lmsapitest

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func testCredentials(t *testing.T, spec Spec) {
	for _, key := range spec.Manner.Needs {
		t.Run("wrong "+string(key), func(t *testing.T) {
			w := newWorld(t, spec, func(cfg *rest.Config) { cfg.Credentials[key] = "s3cret-wrong" })
			requireFailure(t, w.lookup(t), training.FailureCredentials)
			requireFailure(t, w.client.Check(t.Context()), training.FailureCredentials)
		})
	}
	t.Run("a storm costs one token", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		errs := make(chan error, 16)
		for range cap(errs) {
			go func() {
				_, err := w.client.Lookup(t.Context(), spec.Event)
				errs <- err
			}()
		}
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
		if spec.Manner.Fetch != nil {
			require.Equal(t, 1, w.tokenCalls())
		}
	})
}

// What is logged by everybody on the way holds no secret, no e-mail address and no name.
func testAddresses(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	require.NoError(t, w.lookup(t))
	require.NoError(t, w.client.Check(t.Context()))
	jane := Jane()
	for _, entry := range w.lms.Log(0) {
		address, err := url.QueryUnescape(entry.Path + "?" + entry.Query)
		require.NoError(t, err)
		for _, value := range append(credentials(w), jane.Email, jane.LastName, jane.Username) {
			require.NotContains(t, address, value)
		}
	}
}

func credentials(w *world) []string {
	var out []string
	for key, value := range w.lms.Credentials() {
		if key != string(rest.KeyAccount) && key != string(rest.KeyClientID) {
			out = append(out, value)
		}
	}
	return out
}

// testBudget: a call outside the budget is not made.
func testBudget(t *testing.T, spec Spec) {
	const perHour = 20
	w := newWorld(t, spec, func(cfg *rest.Config) { cfg.PerHour = perHour })
	made := map[fault.Endpoint]int{}
	limited := 0
	for range 24 * 6 { // an hour and more, in steps
		if err := w.lookup(t); err != nil {
			failure := requireFailure(t, err, training.FailureRateLimited)
			require.Positive(t, failure.RetryAfter)
			require.LessOrEqual(t, failure.RetryAfter, time.Hour)
			limited++
		}
		w.pass(24 * time.Second)
	}
	require.Positive(t, limited, "more was wanted than the budget has")
	total := 0
	for endpoint, n := range w.lms.AllCalls() {
		made[endpoint] = n
		total += n
		require.LessOrEqual(t, n, perHour, endpoint)
	}
	if !spec.Manner.PerEndpoint {
		require.LessOrEqual(t, total, perHour, made)
	}
	require.Positive(t, total)
	w.pass(time.Hour)
	require.NoError(t, w.lookup(t), "the next hour has a budget of its own")
}

// testCrowd: a budget that is used up serves those who wait one after the other, and not each of them a little and
// nobody to the end.
func testCrowd(t *testing.T, spec Spec) {
	w := newWorld(t, spec, func(cfg *rest.Config) { cfg.PerHour = 10 })
	for w.lookup(t) == nil {
	}
	served := 0
	for range 5 * 60 {
		w.pass(time.Minute)
		if w.lookup(t) == nil {
			served++
		}
	}
	require.GreaterOrEqual(t, served, 5)
}

// testRetryAfter: the LMS says when it wants to be asked again, and is not asked before.
func testRetryAfter(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	w.lms.Fault(fault.Any, fault.RateLimited("120", fault.Forever))
	require.Equal(t, 2*time.Minute, requireFailure(t, w.lookup(t), training.FailureRateLimited).RetryAfter)
	made := w.lms.Calls(fault.Any)
	w.pass(90 * time.Second)
	require.Equal(t, 30*time.Second, requireFailure(t, w.lookup(t), training.FailureRateLimited).RetryAfter)
	require.Equal(t, made, w.lms.Calls(fault.Any), "not asked before its time")
	w.pass(30 * time.Second)
	w.lms.ClearFaults()
	require.NoError(t, w.lookup(t))
}

func testCheck(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	require.NoError(t, w.client.Check(t.Context()))
	require.Positive(t, w.calls())
	require.LessOrEqual(t, w.calls(), 6, "a check is cheap")
	w.lms.Fault(fault.Any, fault.Status(403, fault.Forever))
	requireFailure(t, w.client.Check(t.Context()), training.FailureCredentials)
}

func testSettings(t *testing.T, spec Spec) {
	whole := rest.Config{URL: "https://lms.example.test", Credentials: map[rest.Key]string{}}
	for _, key := range spec.Manner.Needs {
		whole.Credentials[key] = "s3cret"
	}
	_, err := spec.New(whole)
	require.NoError(t, err)
	for _, address := range []string{"", "lms.example.test", "http://lms.example.test", "https://user:s3cret@lms.example.test", "https://lms.example.test?a=b"} {
		cfg := whole
		cfg.URL = address
		_, err := spec.New(cfg)
		require.ErrorContains(t, err, spec.Manner.Platform+" api: url: ")
		require.NotContains(t, err.Error(), "s3cret")
	}
	for _, key := range spec.Manner.Needs {
		cfg := whole
		cfg.Credentials = map[rest.Key]string{}
		for other, value := range whole.Credentials {
			if other != key {
				cfg.Credentials[other] = value
			}
		}
		_, err := spec.New(cfg)
		require.ErrorContains(t, err, string(key)+" is required")
	}
}
