package activities

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/notify"
	"countersign/internal/qms/arena"
	arenasim "countersign/internal/simulator/arena"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

// world is one tenant with a real journal, and a QMS and an LRS over real HTTP.
type world struct {
	t       *testing.T
	journal *journal.Journal
	qms     *arenasim.Arena
	lrs     *lrssim.LRS
	env     *testsuite.TestActivityEnvironment
	inbox   inbox
	outages outages
	tenant  Tenant
	sent    []notify.Notice
}

type inbox struct {
	told    []workflows.TellAdmins
	decided map[training.Fingerprint]training.Decision
}

func (i *inbox) Decide(_ context.Context, f training.Fingerprint, d training.Decision) error {
	if i.decided == nil {
		i.decided = map[training.Fingerprint]training.Decision{}
	}
	i.decided[f] = d
	return nil
}

func (i *inbox) Tell(_ context.Context, in workflows.TellAdmins) error {
	i.told = append(i.told, in)
	return nil
}

// Send implements notify.Channel.
func (w *world) Send(_ context.Context, n notify.Notice) error {
	w.sent = append(w.sent, n)
	return nil
}

const employee, program = "HR-4829", "TP-0042"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, qms: arenasim.New(arenasim.Options{}), lrs: lrssim.New(lrssim.Options{})}
	qmsServer, lrsServer := httptest.NewServer(w.qms.Handler()), httptest.NewServer(w.lrs.Handler())
	t.Cleanup(qmsServer.Close)
	t.Cleanup(lrsServer.Close)
	w.qms.AddAccount(arenasim.Account{ClientID: "svc", ClientSecret: "secret", Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove)})
	w.qms.AddUser(arenasim.User{EmployeeID: employee, Email: "jordan.lee@example.com", FullName: "Jordan Lee", Active: true})
	w.qms.AddTraining(arenasim.Training{ID: program, Name: "Annual Compliance Training"})
	w.lrs.AddAccount("key", "secret")

	var err error
	w.journal, err = journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.journal.Close()) })

	records, err := arena.New(arena.Config{
		BaseURL: qmsServer.URL, ClientID: "svc", ClientSecret: "secret",
		Scopes: append(arenasim.BridgeScopes(), arenasim.ScopeApprove),
	})
	require.NoError(t, err)
	statements, err := xapi.NewClient(xapi.ClientConfig{Endpoint: lrsServer.URL + "/xapi", Username: "key", Password: "secret"})
	require.NoError(t, err)
	drawer, err := certificate.NewDrawer()
	require.NoError(t, err)

	w.tenant = Tenant{
		Name: "Acme Medical", Issuer: "Acme Medical", QMS: records, LRS: statements,
		Statements: xapi.Options{HomePage: "https://lms.example.com", CourseIRI: "https://lms.example.com/courses/{id}"},
		EmployeeID: func(_ string, l training.Learner) string { return l.ExternalID },
		Training: func(_ string, c training.Course) (string, bool, bool) {
			return program, c.Code == "APPROVED", c.Code != "UNMAPPED"
		},
		Policy:     training.Policy{Enrollments: training.EnrollmentsCreate},
		Notices:    w,
		NoticeLink: func(f training.Fingerprint) string { return "https://temporal.example.com/" + string(f) },
	}
	var suite testsuite.WorkflowTestSuite
	w.env = suite.NewTestActivityEnvironment()
	w.env.RegisterActivity(New(Config{
		Journal: w.journal, Runs: w.journal, Targets: w.journal, Outages: &w.outages, Inbox: &w.inbox, Drawer: drawer, Log: slog.New(slog.DiscardHandler),
		Tenant:   func(id string) (Tenant, bool) { return w.tenant, id == "acme" },
		ReadBack: []time.Duration{0, 10 * time.Millisecond},
	}))
	return w
}

func completion() training.Completion {
	passed := true
	return training.Completion{
		Tenant: "acme", Source: "lms", Platform: "canonical", EventID: "wh-1",
		Learner:     training.Learner{ID: "10291", ExternalID: employee, FirstName: "Jordan", LastName: "Lee"},
		Course:      training.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"},
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
		Score: training.Score{Raw: "91.5", Max: "100", Passed: &passed},
	}
}

// journaled puts c into the journal, as running, and returns its Ref.
func (w *world) journaled(c training.Completion) workflows.Ref {
	w.t.Helper()
	receipt, err := w.journal.Append(w.t.Context(), journal.Delivery{
		ID: journal.NewDeliveryID(), Tenant: c.Tenant, Source: c.Source, Platform: c.Platform,
		Verdict: journal.VerdictAccepted, Body: []byte("{}"),
	}, []training.Completion{c})
	require.NoError(w.t, err)
	ref := workflows.Ref{Tenant: c.Tenant, Fingerprint: receipt.Completions[0].Fingerprint, Retry: training.DefaultPolicy().Retry}
	_, err = w.journal.Claim(w.t.Context(), 1000, time.Minute)
	require.NoError(w.t, err)
	require.NoError(w.t, w.journal.Started(w.t.Context(), c.Tenant, ref.Fingerprint))
	return ref
}

// assigned adds an open record of the employee.
func (w *world) assigned(change ...func(*arenasim.Record)) string {
	record := arenasim.Record{EmployeeID: employee, TrainingID: program, Status: training.RecordAssigned}
	for _, c := range change {
		c(&record)
	}
	return w.qms.AddRecord(record).ID
}

func (w *world) stored(ref workflows.Ref) journal.Stored {
	w.t.Helper()
	stored, err := w.journal.Completion(w.t.Context(), ref.Tenant, ref.Fingerprint)
	require.NoError(w.t, err)
	return stored
}
