package arenav1_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/qms/arenav1"
	"countersign/internal/qms/qmstest"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// clock is a hand-set clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the simulated workspace over real HTTP, its clock and the adapter that leads to it.
type world struct {
	t      *testing.T
	sim    *simulated.Workspace
	url    string
	clock  *clock
	client *arenav1.Client
	log    bytes.Buffer
	plan   simulated.Plan
}

var manager = simulated.User{GUID: "UMANAGER000000000001", Email: "bridge@acme.example", FullName: "Bridge"}

func newWorld(t *testing.T, options simulated.Options) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)}}
	options.Now = w.clock.Now
	w.sim = simulated.New(options)
	server := httptest.NewServer(w.sim.Handler())
	t.Cleanup(func() {
		server.Close()
		w.sim.Close()
	})
	w.url = server.URL
	w.sim.AddAccount(simulated.Account{
		User: manager, Password: "t0p-secret", ClientID: "app", ClientSecret: "s3cret", WorkspaceID: "898001",
	})
	w.client = w.connect(nil)
	return w
}

// connect makes another adapter, as another process would.
func (w *world) connect(change func(*arenav1.Config)) *arenav1.Client {
	w.t.Helper()
	cfg := arenav1.Config{
		BaseURL: w.url + "/v1", Email: manager.Email, Password: "t0p-secret", EmployeeKey: arenav1.ByGUID,
		UsageReason: "Countersign", Now: w.clock.Now,
		// One connection per call: net/http repeats a GET on a kept one that breaks.
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Log:  slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	c, err := arenav1.New(cfg)
	require.NoError(w.t, err)
	return c
}

// The methods of qmstest.Signing.

func (w *world) Client() qms.Client { return w.client }

func (w *world) AddEmployee(id string) {
	w.sim.AddUser(simulated.User{GUID: id, Email: id + "@acme.example", FullName: "Somebody"})
}

func (w *world) AddTraining(number string) {
	w.plan = w.sim.AddPlan(simulated.Plan{Number: number, Name: number, Manager: manager}, "020-00004")
}

func (w *world) Assign(employee, trainingID string) string {
	w.t.Helper()
	require.NoError(w.t, w.sim.Enroll(w.plan.GUID, employee))
	return recordOf(employee, trainingID)
}

// recordOf is the id of a record as the adapter makes it.
func recordOf(employee, trainingID string) string {
	sum := sha256.Sum256([]byte(employee))
	return trainingID + "@" + hex.EncodeToString(sum[:8])
}

func (w *world) Holds(employee, trainingID string) (ids []string) {
	for _, trainee := range w.sim.Roster(w.plan.GUID) {
		if trainee.User.GUID == employee {
			ids = append(ids, recordOf(employee, trainingID))
		}
	}
	return ids
}

func (w *world) Sign(id string) {
	w.t.Helper()
	for _, trainee := range w.sim.Roster(w.plan.GUID) {
		if trainingID, _, _ := strings.Cut(id, "@"); recordOf(trainee.User.GUID, trainingID) == id {
			require.NoError(w.t, w.sim.Sign(w.plan.GUID, trainee.User.GUID, ""))
		}
	}
	w.clock.Advance(time.Minute) // past what is remembered
}

func (w *world) Documents(_, name string) (all [][]byte) {
	for _, f := range w.sim.Files(w.plan.GUID) {
		if f.Name == name {
			all = append(all, f.Bytes)
		}
	}
	return all
}

func endpoint(call qmstest.Call) fault.Endpoint {
	return map[qmstest.Call]fault.Endpoint{
		qmstest.CallEmployee: simulated.EndpointUser, qmstest.CallRecord: simulated.EndpointRecords,
		qmstest.CallRecords: simulated.EndpointRecords, qmstest.CallCreate: simulated.EndpointEnroll,
		qmstest.CallAttached: simulated.EndpointFiles, qmstest.CallAttach: simulated.EndpointUpload,
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

func (w *world) Heal() {
	w.sim.ClearFaults()
	w.clock.Advance(3 * time.Minute) // past what is held off, and what a 429 asks for
}

func (w *world) CommitLate()                 { w.sim.CommitLate() }
func (w *world) Calls(call qmstest.Call) int { return w.sim.Calls(endpoint(call)) }
func (w *world) Requests() int               { return w.sim.Calls(fault.Any) }

func TestConformance(t *testing.T) {
	for name, switches := range map[string]simulated.Switches{
		"unsigned records are listed": {}, "unsigned records are hidden": {UnsignedHidden: true},
		"items without revisions, the other session name": {ItemsWithoutRevision: true, CamelSession: true},
		"counts of pages, empty dates":                    {PageCounts: true, EmptyDates: true},
	} {
		for way, change := range map[string]func(*arenav1.Config){
			"session": nil,
			"oauth":   oauth,
			"remembering": func(cfg *arenav1.Config) {
				cfg.CacheFor = time.Minute
			},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				qmstest.Run(t, func(t *testing.T) qmstest.Backend {
					w := newWorld(t, simulated.Options{})
					w.sim.SetSwitches(switches)
					w.client = w.connect(func(cfg *arenav1.Config) {
						if way == "oauth" {
							cfg.TokenURL = w.url + "/oauth2/token"
						}
						if change != nil {
							change(cfg)
						}
					})
					return w
				})
			})
		}
	}
}

func oauth(cfg *arenav1.Config) {
	cfg.Email, cfg.Password = "", ""
	cfg.ClientID, cfg.ClientSecret, cfg.WorkspaceID = "app", "s3cret", "898001"
}

func requireClass(t *testing.T, err error, want training.FailureClass) *training.Failure {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, want, f.Class, err)
	return f
}
