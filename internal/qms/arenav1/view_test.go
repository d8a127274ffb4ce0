package arenav1_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// cost is how many requests do makes.
func (w *world) cost(do func()) int {
	before := w.sim.Calls(fault.Any)
	do()
	return w.sim.Calls(fault.Any) - before
}

func remembering(cfg *arenav1.Config) { cfg.CacheFor = 10 * time.Minute }

// To see that somebody has not signed yet costs one request for everybody who waits for the plan; what a
// signature rests on is read again before it counts.
func TestLookWhileWaitingIsOneRequest(t *testing.T) {
	w := at(t)
	c := w.connect(remembering)
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
	for range 5 {
		w.clock.Advance(15 * time.Minute)
		require.Equal(t, 1, w.cost(func() { require.Equal(t, training.RecordAssigned, w.status(c, id)) }))
		require.Zero(t, w.cost(func() { require.Equal(t, training.RecordAssigned, w.status(c, id)) }), "shared")
	}
	require.NoError(t, w.sim.Sign(w.plan.GUID, jane, ""))
	w.clock.Advance(15 * time.Minute)
	require.Equal(t, 2, w.cost(func() { require.Equal(t, training.RecordCompleted, w.status(c, id)) }), "records and items")
	require.Equal(t, 1, w.cost(func() {
		signatures, err := c.Signatures(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, signatures, 1)
	}))
}

// Whoever asks for the signatures is not told of yesterday: somebody has pressed "retry".
func TestUnsignedIsNeverRemembered(t *testing.T) {
	w := at(t)
	c := w.connect(remembering)
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
	require.NoError(t, w.sim.Sign(w.plan.GUID, jane, ""))
	w.clock.Advance(time.Second)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
	signatures, err := c.Signatures(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, signatures, 1)
}

// Nor does anybody begin to wait for a trainee who was on the roster yesterday, or in a plan that was deleted
// and made anew under its number.
func TestBeginningIsNotFromYesterday(t *testing.T) {
	w := at(t)
	c := w.connect(remembering)
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	found, err := c.Records(t.Context(), jane, "TRP-000012")
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.NoError(t, w.sim.Remove(w.plan.GUID, jane))
	w.clock.Advance(time.Hour)
	found, err = c.Records(t.Context(), jane, "TRP-000012")
	require.NoError(t, err)
	require.Empty(t, found)

	id := recordOf(jane, "TRP-000012")
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	w.clock.Advance(time.Hour)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
	require.NoError(t, w.sim.Delete(w.plan.GUID))
	w.AddTraining("TRP-000012")
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	w.clock.Advance(time.Hour)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
}

// Nor is the roster, then.
func TestRemovedTraineeIsSeenByWhoAsksAnew(t *testing.T) {
	w := at(t)
	c := w.connect(remembering)
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.Equal(t, training.RecordAssigned, w.status(c, id))
	require.NoError(t, w.sim.Remove(w.plan.GUID, jane))
	w.clock.Advance(time.Second)
	_, err = c.Signatures(t.Context(), id)
	require.NoError(t, err, "nothing is signed")
	_, err = c.Record(t.Context(), id)
	requireClass(t, err, training.FailureRecordMissing)
}

// A new revision, or a further item, that came into the plan while we remember it: the old signature does
// not prove it.
func TestProofIsNotMadeOfARememberedPlan(t *testing.T) {
	w := at(t)
	w.sim.SetSwitches(simulated.Switches{UnsignedHidden: true})
	c := w.connect(func(cfg *arenav1.Config) { cfg.CacheFor = time.Hour })
	id, err := w.enroll(c, "TRP-000012")
	require.NoError(t, err)
	require.NoError(t, w.sim.Sign(w.plan.GUID, jane, ""))
	require.Equal(t, training.RecordCompleted, w.status(c, id))
	w.clock.Advance(30 * time.Minute)
	require.NoError(t, w.sim.Revise(w.plan.GUID, "020-00004", "B", true))
	signatures, err := c.Signatures(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, signatures)
}

// Where the plan's items state no revision, a signature of one that was overtaken does not count, unless
// the settings let any count.
func TestOvertakenSignatureDoesNotCountWhereThePlanStatesNoRevision(t *testing.T) {
	for _, tc := range []struct {
		any  bool
		want training.RecordStatus
	}{{false, training.RecordAssigned}, {true, training.RecordCompleted}} {
		w := at(t)
		w.sim.SetSwitches(simulated.Switches{ItemsWithoutRevision: true, UnsignedHidden: true})
		c := w.connect(func(cfg *arenav1.Config) { cfg.AnyRevision = tc.any })
		id, err := w.enroll(c, "TRP-000012")
		require.NoError(t, err)
		w.Sign(id)
		require.Equal(t, training.RecordCompleted, w.status(c, id))
		require.NoError(t, w.sim.Revise(w.plan.GUID, "020-00004", "B", true))
		require.Equal(t, tc.want, w.status(c, id))
	}
}

// An answer in which no item can be told from another takes nobody's signature for another's.
func TestItemWithoutIdentityIsMisread(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		answer := `{"count":1,"results":[{"guid":"R1","signedDateTime":"2026-04-08T15:00:00Z","item":{},"user":{"guid":"` + jane + `"}}]}`
		switch {
		case r.URL.Path == "/v1/login":
			answer = `{"arenaSessionId":"s"}`
		case strings.HasPrefix(r.URL.Path, "/v1/settings/users/"):
			answer = `{"guid":"` + jane + `"}`
		case r.URL.Path == "/v1/trainingplans":
			answer = `{"count":1,"results":[{"guid":"P0000000000000000001","number":"TRP-000012"}]}`
		case strings.HasSuffix(r.URL.Path, "/items"):
			answer = `{"count":1,"results":[{"guid":"A1","item":{}}]}`
		}
		_, _ = io.WriteString(rw, answer)
	}))
	t.Cleanup(server.Close)
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.BaseURL = server.URL + "/v1" })
	requireClass(t, w.ask(c), training.FailureMisread)
}

// The user of the bridge was in another workspace last, and numbers of plans and addresses are the same
// there: nothing is read, and nobody enrolled, in a workspace that is not the tenant's (law 6).
func TestSessionOfAnotherWorkspace(t *testing.T) {
	w := at(t)
	require.NoError(t, w.ask(w.client))
	w.sim.Visit("777")
	w.sim.EndSessions()
	requireClass(t, w.ask(w.client), training.FailureCredentials)
	w.sim.Visit("")
	w.clock.Advance(time.Minute)
	require.NoError(t, w.ask(w.client))

	w.sim.Visit("777")
	named := w.connect(func(cfg *arenav1.Config) { cfg.WorkspaceID = "898001" })
	require.NoError(t, w.ask(named), "whoever names it lands there")
	other := w.connect(func(cfg *arenav1.Config) { cfg.WorkspaceID = "898002" })
	requireClass(t, w.ask(other), training.FailureCredentials)
}

// The help's sample has a number.
func TestLoginSendsTheWorkspaceAsANumber(t *testing.T) {
	sent := make(chan json.RawMessage, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body map[string]json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body) // what is missing is seen below
		if r.URL.Path == "/v1/login" {
			sent <- body["workspaceId"]
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"arenaSessionId":"s","workspaceId":"another"}`)
	}))
	t.Cleanup(server.Close)
	for id, want := range map[string]string{"123456789": `123456789`, "0123": `"0123"`, "acme": `"acme"`} {
		c := at(t).connect(func(cfg *arenav1.Config) { cfg.BaseURL, cfg.WorkspaceID = server.URL+"/v1", id })
		requireClass(t, c.Employee(t.Context(), jane), training.FailureCredentials)
		require.Equal(t, want, string(<-sent))
	}
}

// What a 429 asks for holds for everybody of this process, also where it counts no requests; and a date that
// is misread stops nothing for longer than a day.
func TestLimitHoldsForEverybody(t *testing.T) {
	w := at(t)
	w.sim.Fault(simulated.EndpointPlans, fault.RateLimited("120", 1))
	requireClass(t, w.ask(w.client), training.FailureRateLimited)
	require.Zero(t, w.cost(func() {
		f := requireClass(t, w.client.Employee(t.Context(), jane+"X"), training.FailureRateLimited)
		require.Equal(t, 2*time.Minute, f.RetryAfter)
	}))
	w.clock.Advance(2 * time.Minute)
	require.NoError(t, w.ask(w.client))
}

func TestResetThatIsFarAway(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		calls++
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("X-Arena-Requests-Remaining", "0")
		rw.Header().Set("X-Arena-Next-Request-Limit-Reset", "2926-04-08T00:00:00Z")
		_, _ = io.WriteString(rw, `{"arenaSessionId":"s","guid":"`+jane+`"}`)
	}))
	t.Cleanup(server.Close)
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.BaseURL = server.URL + "/v1" })
	require.NoError(t, c.Employee(t.Context(), jane))
	f := requireClass(t, c.Employee(t.Context(), jane+"X"), training.FailureRateLimited)
	require.Equal(t, 24*time.Hour, f.RetryAfter)
	w.clock.Advance(24 * time.Hour)
	before := calls
	requireClass(t, c.Employee(t.Context(), jane+"X"), training.FailureEmployeeUnknown)
	require.Greater(t, calls, before)
}

// The sign-in that is told to wait is not tried by everybody who stands behind it.
func TestLimitedSignInIsLeftAlone(t *testing.T) {
	w := at(t)
	w.sim.Fault(simulated.EndpointLogin, fault.RateLimited("120", fault.Forever))
	for range 3 {
		f := requireClass(t, w.ask(w.client), training.FailureRateLimited)
		require.Positive(t, f.RetryAfter)
	}
	require.Equal(t, 1, w.sim.Calls(simulated.EndpointLogin))
}

// What an attempt that failed half-way has read is not paid for again.
func TestHalfALookIsKept(t *testing.T) {
	w := at(t)
	c := w.connect(remembering)
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	w.sim.Fault(simulated.EndpointRecords, fault.Status(503, 1))
	requireClass(t, w.ask(c), training.FailureUnreachable)
	require.Equal(t, 1, w.cost(func() { require.NoError(t, w.ask(c)) }), "the records")
}
