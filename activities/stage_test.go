package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/qms/arena"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
)

// house is what several stages share: a journal, an LRS and a drawer.
type house struct {
	journal Journal
	// admit puts a completion into the journal, as running.
	admit   func(training.Completion) training.Fingerprint
	store   LRS
	drawer  *certificate.Drawer
	learner atomic.Int32
}

// newHouse is a house with a real journal and an LRS over real HTTP.
func newHouse(t *testing.T) *house {
	t.Helper()
	opened, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	lrs := lrssim.New(lrssim.Options{})
	lrs.AddAccount("key", "secret")
	server := httptest.NewServer(lrs.Handler())
	t.Cleanup(server.Close)
	store, err := xapi.NewClient(xapi.ClientConfig{Endpoint: server.URL + "/xapi", Username: "key", Password: "secret"})
	require.NoError(t, err)
	w := world{t: t, journal: opened}
	h := &house{journal: opened, store: store, drawer: newDrawer(t)}
	h.admit = func(c training.Completion) training.Fingerprint { return w.journaled(c).Fingerprint }
	return h
}

// newLightHouse is a house for a thousand stages: only their QMS is over HTTP.
func newLightHouse(t *testing.T) *house {
	t.Helper()
	m := newMemory()
	return &house{journal: m, admit: m.admit, store: m, drawer: newDrawer(t)}
}

func newDrawer(t *testing.T) *certificate.Drawer {
	t.Helper()
	drawer, err := certificate.NewDrawer()
	require.NoError(t, err)
	return drawer
}

// stage is the whole way of one completion: the real workflow on a Temporal that skips time, the
// real activities, a real journal, and a QMS of its own over real HTTP. It plays the training
// admins, and watches that nothing is claimed that was not read.
type stage struct {
	*house
	t      *testing.T
	qms    *arenasim.Arena
	url    string
	line   *line
	tenant Tenant
	env    *testsuite.TestWorkflowEnvironment

	completion  training.Completion
	fingerprint training.Fingerprint
	policy      training.Policy

	mu sync.Mutex
	// reviews are the failures that were put to the admins, in their order.
	reviews []training.Failure
	// onReview answers the admins' question; nil closes the completion.
	onReview func(training.Failure) training.Action
	// onRetrying runs when an attempt has failed and the next one is to come.
	onRetrying func()
	// approval is what the admins decide about a PENDING_APPROVAL record.
	approval training.Action
	// journalFails makes the next writes of a read-back to the journal fail.
	journalFails int
}

func (h *house) stage(t *testing.T) *stage {
	t.Helper()
	s := &stage{house: h, t: t, policy: training.DefaultPolicy(), approval: training.ActionApprove}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetTestTimeout(time.Minute)
	s.qms = arenasim.New(arenasim.Options{Now: s.env.Now})
	server := httptest.NewServer(s.qms.Handler())
	t.Cleanup(func() {
		require.NoError(t, s.qms.Close())
		server.Close()
	})
	s.url = server.URL
	s.qms.AddAccount(arenasim.Account{ClientID: "svc", ClientSecret: "secret", Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove)})
	s.qms.AddUser(arenasim.User{EmployeeID: employee, Email: "jordan.lee@example.com", FullName: "Jordan Lee", Active: true})
	s.qms.AddUser(arenasim.User{EmployeeID: "HR-1", Active: true})
	s.qms.AddTraining(arenasim.Training{ID: program, Name: "Annual Compliance Training"})
	s.line = newLine()
	s.tenant = Tenant{
		Name: "Acme Medical", Issuer: "Acme Medical", QMS: s.connect(nil), LRS: h.store,
		Statements: xapi.Options{HomePage: "https://lms.example.com", CourseIRI: "https://lms.example.com/courses/{id}"},
		EmployeeID: func(_ string, l training.Learner) string { return l.ExternalID },
		Training: func(_ string, c training.Course) (string, bool, bool) {
			return program, c.Code == "APPROVED", c.Code != "UNMAPPED"
		},
		NoticeLink: func(training.Fingerprint) string { return "" },
	}
	s.completion = completion()
	s.completion.Learner.ID = fmt.Sprint("L", h.learner.Add(1))
	workflows.Register(registry{s.env}, New(Config{
		Journal: watched{h.journal, s}, Inbox: s, Drawer: h.drawer, Log: slog.New(slog.DiscardHandler),
		Tenant:   func(id string) (Tenant, bool) { return s.tenant, id == "acme" },
		ReadBack: []time.Duration{0, time.Millisecond},
	}))
	return s
}

// connect makes a client of the stage's QMS, on Temporal's clock.
func (s *stage) connect(change func(*arena.Config)) *arena.Client {
	s.t.Helper()
	cfg := arena.Config{
		BaseURL: s.url, ClientID: "svc", ClientSecret: "secret", Now: s.env.Now,
		Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove),
		HTTP:   &http.Client{Transport: s.line},
	}
	if change != nil {
		change(&cfg)
	}
	client, err := arena.New(cfg)
	require.NoError(s.t, err)
	return client
}

// assigned adds an open record of the employee.
func (s *stage) assigned(change ...func(*arenasim.Record)) string {
	record := arenasim.Record{EmployeeID: employee, TrainingID: program, Status: training.RecordAssigned}
	for _, c := range change {
		c(&record)
	}
	return s.qms.AddRecord(record).ID
}

// run carries the completion to its end.
func (s *stage) run() workflows.CompletionResult {
	s.t.Helper()
	s.fingerprint = s.admit(s.completion)
	s.env.ExecuteWorkflow(workflows.CompletionWorkflow, workflows.CompletionInput{
		Tenant: "acme", Source: "lms", Platform: "canonical", Course: "COMP-2026", Fingerprint: s.fingerprint, Policy: s.policy,
		LookUp: s.tenant.LMS != nil,
	})
	require.True(s.t, s.env.IsWorkflowCompleted())
	require.NoError(s.t, s.env.GetWorkflowError())
	var result workflows.CompletionResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result
}

// Tell implements Inbox: the admins decide at once.
func (s *stage) Tell(_ context.Context, in workflows.TellAdmins) error {
	if in.Item.Kind != workflows.NoticeReview {
		return nil // an approval is wanted, which Project has answered
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	failure := training.Failure{Class: in.Item.Class, Detail: in.Item.Detail}
	s.reviews = append(s.reviews, failure)
	action := training.ActionClose
	if s.onReview != nil {
		action = s.onReview(failure)
	}
	s.env.SignalWorkflow(workflows.ReviewSignal, training.Decision{Action: action, By: "m.keller", Reason: "seen"})
	return nil
}

// Decide implements Inbox: in a stage no enrollment comes.
func (s *stage) Decide(context.Context, training.Fingerprint, training.Decision) error { return nil }

func (s *stage) classes() (all []training.FailureClass) {
	for _, failure := range s.reviews {
		all = append(all, failure.Class)
	}
	return all
}

// mine are the changes that the bridge has made to a record.
func (s *stage) mine(recordID string) []arenasim.Change {
	return slices.DeleteFunc(s.qms.Changes(recordID), func(c arenasim.Change) bool { return c.Actor != "svc" && c.Actor != "m.keller" })
}

// shows reports whether the record in the QMS says what the completion says.
func (s *stage) shows(recordID string, status training.RecordStatus) bool {
	r, ok := s.qms.Record(recordID)
	if !ok || r.Status != status || r.EmployeeID != employee || r.CompletionDate == nil {
		return false
	}
	return r.CompletionDate.Equal(s.completion.CompletedAt.Truncate(time.Second)) && (!r.TracksScore || r.Score != nil && *r.Score == 91.5)
}

// watched is the journal with an eye on what is put into it.
type watched struct {
	Journal
	s *stage
}

// Project tells the admins of an approval that is wanted, and the test of a failed attempt.
func (w watched) Project(ctx context.Context, tenant string, f training.Fingerprint, p journal.Projection) error {
	err := w.Journal.Project(ctx, tenant, f, p)
	switch {
	case err != nil:
	case p.State == training.StateWaitingApproval:
		w.s.env.SignalWorkflow(workflows.ApprovalSignal, training.Decision{Action: w.s.approval, By: "m.keller", Reason: "seen"})
	case p.State == training.StateRetrying && w.s.onRetrying != nil:
		w.s.onRetrying()
	}
	return err
}

// PutEffect holds law 3: when COMPLETED is claimed, the record says so, and the last thing that was
// done with it was a read that succeeded.
func (w watched) PutEffect(ctx context.Context, e journal.Effect) (journal.Effect, error) {
	if e.Kind != training.EffectRecord {
		return w.Journal.PutEffect(ctx, e)
	}
	w.s.mu.Lock()
	fails := w.s.journalFails > 0
	w.s.journalFails--
	w.s.mu.Unlock()
	if fails {
		return e, errors.New("the disk is full")
	}
	if !w.s.shows(e.ID, training.RecordCompleted) {
		w.s.t.Errorf("record %s is claimed to be COMPLETED and does not say so", e.ID)
	}
	log := slices.DeleteFunc(w.s.qms.Log(0), func(entry fault.Entry) bool {
		return !strings.Contains(entry.Path, "/"+e.ID)
	})
	if last := log[len(log)-1]; last.Endpoint != arenasim.EndpointRecord || last.Status != http.StatusOK {
		w.s.t.Errorf("record %s is claimed to be COMPLETED after %s %d", e.ID, last.Endpoint, last.Status)
	}
	return w.Journal.PutEffect(ctx, e)
}

// registry lets the test environment take what Register gives a worker.
type registry struct {
	*testsuite.TestWorkflowEnvironment
}

func (registry) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}

// line is the way to the QMS with hands on it, for what only happens between two machines. Each
// hand is used once, for the first POST whose path ends with its key.
type line struct {
	base http.RoundTripper

	mu sync.Mutex
	// before runs before the request is sent.
	before map[string][]func()
	// timeout sends the request, and lets the caller wait in vain for its answer.
	timeout map[string]bool
}

// Ends of paths.
const (
	toComplete = "/complete"
	toCreate   = "/training/records"
)

func newLine() *line {
	return &line{
		// One connection per call: net/http repeats a GET on a kept one that breaks.
		base:   &http.Transport{DisableKeepAlives: true},
		before: map[string][]func(){}, timeout: map[string]bool{},
	}
}

// intervene has f run before the first POST to a path with this end is sent.
func (l *line) intervene(end string, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before[end] = append(l.before[end], f)
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	var hands []func()
	var late bool
	if r.Method == http.MethodPost {
		l.mu.Lock()
		for end, all := range l.before {
			if strings.HasSuffix(r.URL.Path, end) {
				hands = all
				delete(l.before, end)
			}
		}
		for end := range l.timeout {
			if strings.HasSuffix(r.URL.Path, end) {
				late = true
				delete(l.timeout, end)
			}
		}
		l.mu.Unlock()
	}
	for _, hand := range hands {
		hand()
	}
	response, err := l.base.RoundTrip(r)
	if late && err == nil {
		_ = response.Body.Close()
		return nil, context.DeadlineExceeded
	}
	return response, err
}
