package activities

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
)

// desk is the whole way of one completion through a QMS that the trainee's signature completes: the real
// workflow on a Temporal that skips time, the real activities, a real journal, and a workspace of its own
// over real HTTP. It plays the trainee and the training admins, and watches that nothing is claimed
// before it was signed.
type desk struct {
	*house
	t       *testing.T
	sim     *simulated.Workspace
	plan    simulated.Plan
	trainee simulated.User
	tenant  Tenant
	env     *testsuite.TestWorkflowEnvironment
	url     string

	completion  training.Completion
	fingerprint training.Fingerprint
	policy      training.Policy

	mu sync.Mutex
	// reviews are the failures that were put to the admins.
	reviews []training.FailureClass
	// onReview answers the admins' question; nil repairs everything and retries.
	onReview func(training.FailureClass) training.Action
	// onWait runs once the completion waits for the signature; nil has the trainee sign two hours later.
	onWait func()
}

var bridge = simulated.User{GUID: "UMANAGER000000000001", Email: "bridge@acme.example", FullName: "Bridge"}

func (h *house) desk(t *testing.T) *desk {
	t.Helper()
	d := &desk{house: h, t: t, policy: training.DefaultPolicy()}
	signing := training.DefaultSigning()
	d.policy.Signing, d.policy.MissingRecord = &signing, training.MissingCreate
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	d.env = suite.NewTestWorkflowEnvironment()
	d.env.SetTestTimeout(time.Minute)
	d.env.SetStartTime(time.Date(2026, 4, 8, 14, 31, 0, 0, time.UTC)) // a minute after the course was finished
	d.sim = simulated.New(simulated.Options{Now: d.env.Now})
	server := httptest.NewServer(d.sim.Handler())
	t.Cleanup(func() {
		server.Close()
		d.sim.Close()
	})
	d.sim.AddAccount(simulated.Account{User: bridge, Password: "secret"})
	d.trainee = d.sim.AddUser(simulated.User{Email: "jordan.lee@acme.example", FullName: "Jordan Lee"})
	d.plan = d.sim.AddPlan(simulated.Plan{Number: "TRP-000012", Manager: bridge}, "020-00004", "020-00005")
	d.url = server.URL
	client := d.client()
	d.tenant = Tenant{
		Name: "Acme Medical", Issuer: "Acme Medical", QMS: client, LRS: h.store,
		Statements: xapi.Options{HomePage: "https://lms.example.com", CourseIRI: "https://lms.example.com/courses/{id}"},
		EmployeeID: func(_ string, l training.Learner) string { return l.Email },
		Training: func(_ string, c training.Course) (string, bool, bool) {
			return "TRP-000012", false, c.Code != "UNMAPPED"
		},
		NoticeLink: func(training.Fingerprint) string { return "" },
	}
	d.completion = completion()
	d.completion.Learner.ID, d.completion.Learner.Email = fmt.Sprint("L", h.learner.Add(1)), "Jordan.Lee@acme.example"
	d.register()
	return d
}

// client is the adapter, new.
func (d *desk) client(change ...func(*arenav1.Config)) qms.Client {
	cfg := arenav1.Config{
		BaseURL: d.url + "/v1", Email: bridge.Email, Password: "secret", DueDays: 14, Now: d.env.Now,
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for _, c := range change {
		c(&cfg)
	}
	client, err := arenav1.New(cfg)
	require.NoError(d.t, err)
	return client
}

func (d *desk) register() {
	workflows.Register(registry{d.env}, New(Config{
		Journal: watchedDesk{d.journal, d}, Inbox: d, Drawer: d.drawer, Log: slog.New(slog.DiscardHandler),
		Tenant:   func(id string) (Tenant, bool) { return d.tenant, id == "acme" },
		ReadBack: []time.Duration{0, time.Millisecond},
	}))
}

// again is another completion in the same workspace, by the same journal.
func (d *desk) again() *desk {
	next := &desk{
		house: d.house, t: d.t, sim: d.sim, plan: d.plan, trainee: d.trainee, tenant: d.tenant, completion: d.completion, policy: d.policy,
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	next.env = suite.NewTestWorkflowEnvironment()
	next.env.SetStartTime(d.env.Now())
	next.register()
	return next
}

// run carries the completion to its end.
func (d *desk) run() workflows.CompletionResult {
	d.t.Helper()
	d.fingerprint = d.admit(d.completion)
	d.env.ExecuteWorkflow(workflows.CompletionWorkflow, workflows.CompletionInput{
		Tenant: "acme", Source: "lms", Platform: "canonical", Course: "COMP-2026", Fingerprint: d.fingerprint, Policy: d.policy,
	})
	require.True(d.t, d.env.IsWorkflowCompleted())
	require.NoError(d.t, d.env.GetWorkflowError())
	var result workflows.CompletionResult
	require.NoError(d.t, d.env.GetWorkflowResult(&result))
	return result
}

// Decide implements Inbox: in a desk no enrollment comes.
func (d *desk) Decide(context.Context, training.Fingerprint, training.Decision) error { return nil }

// Tell implements Inbox: the admins decide at once.
func (d *desk) Tell(_ context.Context, in workflows.TellAdmins) error {
	if in.Item.Kind != workflows.NoticeReview || in.Item.Ended != "" {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reviews = append(d.reviews, in.Item.Class)
	decision := training.Decision{Action: training.ActionRetry, By: "m.keller", Reason: "seen"}
	if d.onReview != nil {
		decision.Action = d.onReview(in.Item.Class)
	} else {
		d.sim.CommitLate()
		d.sim.ClearFaults()
		if len(d.reviews) > 3 {
			decision.Action = training.ActionClose
		}
	}
	if decision.Action == training.ActionUseRecord {
		decision.RecordID = in.Item.RecordID
	}
	d.env.SignalWorkflow(workflows.ReviewSignal, decision)
	return nil
}

// sign is the trainee signing everything.
func (d *desk) sign() { require.NoError(d.t, d.sim.Sign(d.plan.GUID, d.trainee.GUID, "")) }

func (d *desk) effect(kind training.EffectKind) (journal.Effect, error) {
	return d.journal.Effect(d.t.Context(), "acme", d.fingerprint, kind)
}

// files are how many files of each name are kept with the plan.
func (d *desk) files() map[string]int {
	kept := map[string]int{}
	for _, f := range d.sim.Files(d.plan.GUID) {
		kept[f.Name]++
	}
	return kept
}

// requireOnce holds that everything is there once, and that nothing was asked of the QMS that could
// complete a record.
func (d *desk) requireOnce() {
	d.t.Helper()
	require.Len(d.t, d.sim.Roster(d.plan.GUID), 1)
	report, err := d.effect(training.EffectEvidence)
	require.NoError(d.t, err)
	issued, err := d.effect(training.EffectCertificate)
	require.NoError(d.t, err)
	require.Equal(d.t, map[string]int{report.ID + ".pdf": 1, issued.ID + ".pdf": 1}, d.files())
	d.requireNothingCompleted()
}

func (d *desk) requireNothingCompleted() {
	d.t.Helper()
	for _, entry := range d.sim.Log(0) {
		written := entry.Method != http.MethodGet
		harmless := []fault.Endpoint{simulated.EndpointLogin, simulated.EndpointEnroll, simulated.EndpointUpload}
		require.False(d.t, written && !slices.Contains(harmless, entry.Endpoint), "%s %s", entry.Method, entry.Path)
	}
}

// watchedDesk is the journal with an eye on what is put into it.
type watchedDesk struct {
	Journal
	d *desk
}

// Project lets the test know that the completion waits for the signature.
func (w watchedDesk) Project(ctx context.Context, tenant string, f training.Fingerprint, p journal.Projection) error {
	err := w.Journal.Project(ctx, tenant, f, p)
	if err == nil && p.State == training.StateWaitingSignature {
		if w.d.onWait != nil {
			w.d.onWait()
		} else {
			w.d.env.RegisterDelayedCallback(w.d.sign, 2*time.Hour)
		}
	}
	return err
}

// PutEffect holds law 3: what claims that the training is done is stored only once everything is signed.
func (w watchedDesk) PutEffect(ctx context.Context, e journal.Effect) (journal.Effect, error) {
	if e.Kind != training.EffectEvidence {
		for _, r := range w.d.sim.Records(w.d.plan.GUID) {
			if r.User.GUID == w.d.trainee.GUID && r.SignedDateTime == nil {
				w.d.t.Errorf("%s is stored before item %s is signed", e.Kind, r.Item.Number)
			}
		}
	}
	return w.Journal.PutEffect(ctx, e)
}
