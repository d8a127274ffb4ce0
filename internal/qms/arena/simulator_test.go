package arena_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/qms/arena"
	"countersign/internal/qms/qmstest"
	simulated "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// world is the simulated QMS over real HTTP, its clock and the adapter that leads to it.
type world struct {
	t        *testing.T
	sim      *simulated.Arena
	url      string
	clock    *clock
	client   *arena.Client
	approver *arena.Client
	switches simulated.Switches
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: newClock()}
	w.sim = simulated.New(simulated.Options{Now: w.clock.Now})
	server := httptest.NewServer(w.sim.Handler())
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, w.sim.Close())
	})
	w.url = server.URL
	w.sim.AddAccount(simulated.Account{ClientID: "svc-bridge", ClientSecret: "t0p-secret", Scopes: simulated.BridgeScopes()})
	w.sim.AddAccount(simulated.Account{ClientID: "svc-approver", ClientSecret: "t0p-secret",
		Scopes: append(simulated.BridgeScopes(), simulated.ScopeApprove)})
	w.client = w.connect(nil)
	w.approver = w.connect(func(cfg *arena.Config) {
		cfg.ClientID = "svc-approver"
		cfg.Scopes = append(simulated.BridgeScopes(), simulated.ScopeApprove)
	})
	return w
}

// connect makes another adapter, as another worker would.
func (w *world) connect(change func(*arena.Config)) *arena.Client {
	w.t.Helper()
	cfg := arena.Config{
		BaseURL: w.url, ClientID: "svc-bridge", ClientSecret: "t0p-secret", Now: w.clock.Now,
		// One connection per call: net/http repeats a GET on a kept one that breaks.
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := arena.New(cfg)
	require.NoError(w.t, err)
	return c
}

func (w *world) Client() qms.Client   { return w.client }
func (w *world) Approver() qms.Client { return w.approver }

func (w *world) AddEmployee(id string) {
	w.sim.AddUser(simulated.User{EmployeeID: id, Active: true})
}

func (w *world) Assign(employee, trainingID string) string {
	return w.sim.AddRecord(simulated.Record{EmployeeID: employee, TrainingID: trainingID, Status: training.RecordAssigned}).ID
}

func (w *world) Holds(employee, trainingID string) (ids []string) {
	for _, r := range w.sim.Records() {
		if r.EmployeeID == employee && r.TrainingID == trainingID {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (w *world) AddTraining(id string) { w.sim.AddTraining(simulated.Training{ID: id, Name: id}) }

func (w *world) AddRecord(r training.Record) {
	w.t.Helper()
	w.sim.AddTraining(simulated.Training{ID: r.TrainingID, Name: r.TrainingID, TracksScore: r.TracksScore, ApprovalRequired: r.ApprovalRequired})
	record := simulated.Record{
		ID: r.ID, EmployeeID: r.EmployeeID, TrainingID: r.TrainingID, Status: r.Status, TracksScore: r.TracksScore,
		ApprovalRequired: r.ApprovalRequired, Locked: r.Locked, ExternalRef: r.ExternalRef,
	}
	if !r.CompletedAt.IsZero() {
		record.CompletionDate = &r.CompletedAt
	}
	if r.Score != "" {
		score, err := strconv.ParseFloat(r.Score, 64)
		require.NoError(w.t, err)
		record.Score = &score
	}
	w.sim.AddRecord(record)
}

func (w *world) Stored(id string) training.Record {
	w.t.Helper()
	r, ok := w.sim.Record(id)
	require.True(w.t, ok)
	out := training.Record{
		ID: r.ID, EmployeeID: r.EmployeeID, TrainingID: r.TrainingID, Status: r.Status, TracksScore: r.TracksScore,
		ApprovalRequired: r.ApprovalRequired, Locked: r.Locked, ExternalRef: r.ExternalRef,
	}
	if r.CompletionDate != nil {
		out.CompletedAt = *r.CompletionDate
	}
	if r.Score != nil {
		out.Score = strconv.FormatFloat(*r.Score, 'f', -1, 64)
	}
	return out
}

func (w *world) AllowExternalUpdates(on bool) {
	w.switches.ExternalUpdatesOff = !on
	require.NoError(w.t, w.sim.SetSwitches(w.switches))
}

func (w *world) DecideInside(id string, action training.Action) {
	w.t.Helper()
	words := map[training.Action]string{training.ActionApprove: simulated.Approve, training.ActionReject: simulated.Reject}
	require.NoError(w.t, w.sim.Decide(id, words[action], "qa", "in the QMS"))
}

func endpoint(call qmstest.Call) fault.Endpoint {
	return map[qmstest.Call]fault.Endpoint{
		qmstest.CallEmployee: simulated.EndpointUser, qmstest.CallRecord: simulated.EndpointRecord,
		qmstest.CallRecords: simulated.EndpointRecords, qmstest.CallComplete: simulated.EndpointComplete,
		qmstest.CallCreate: simulated.EndpointCreate,
		qmstest.CallDecide: simulated.EndpointApproval, qmstest.CallConfig: simulated.EndpointConfig,
	}[call]
}

func (w *world) Spoil(call qmstest.Call, trouble qmstest.Trouble, n int) {
	w.sim.Fault(endpoint(call), map[qmstest.Trouble]fault.Fault{
		qmstest.Unsent:      fault.DropBefore(n),
		qmstest.Lost:        fault.DropAfter(n),
		qmstest.LostLate:    fault.LateCommitLost(-time.Second, n),
		qmstest.Broken:      fault.Status(503, n),
		qmstest.BrokenAfter: fault.CommitThenStatus(503, n),
		qmstest.Limited:     fault.RateLimited("120", n),
		qmstest.Garbled:     fault.Malformed(n),
		qmstest.CutOff:      fault.Truncated(n),
		qmstest.Silent:      fault.Silent(n),
		qmstest.Refused:     fault.Status(401, fault.Forever),
	}[trouble])
}

func (w *world) Heal()                       { w.sim.ClearFaults() }
func (w *world) CommitLate()                 { w.sim.CommitLate() }
func (w *world) Changes(id string) int       { return len(w.sim.Changes(id)) }
func (w *world) Calls(call qmstest.Call) int { return w.sim.Calls(endpoint(call)) }

func TestConformance(t *testing.T) {
	qmstest.Run(t, func(t *testing.T) qmstest.Backend { return newWorld(t) })
}

// A QMS that keeps dates to the second is no other QMS, and one that rounds them neither.
func TestConformanceOfAQMSThatKeepsWholeSeconds_R101(t *testing.T) {
	for _, precision := range []string{simulated.PrecisionSecond, simulated.PrecisionRounded} {
		t.Run(precision, func(t *testing.T) {
			qmstest.Run(t, func(t *testing.T) qmstest.Backend {
				w := newWorld(t)
				w.switches.DatePrecision = precision
				w.AllowExternalUpdates(true)
				return w
			})
		})
	}
}
