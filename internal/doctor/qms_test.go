package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
	"countersign/internal/settings"
	sim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/internal/xapi"

	lrssim "countersign/internal/simulator/lrs"
)

// answering is a QMS that nothing is the matter with.
func answering(context.Context) (standing, error) { return standing{}, nil }

// bench is a simulated QMS and how it is asked.
type bench struct {
	qms     *sim.Arena
	check   quality
	answers http.Header // added to each
}

func newBench(t testing.TB, change func(*arena.Config)) *bench {
	t.Helper()
	b := &bench{qms: sim.New(sim.Options{}), answers: http.Header{}}
	t.Cleanup(func() { require.NoError(t, b.qms.Close()) })
	b.qms.AddAccount(sim.Account{ClientID: "svc", ClientSecret: "s3cret-of-the-qms", Scopes: sim.BridgeScopes()})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range b.answers {
			w.Header()[name] = values
		}
		b.qms.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	b.check = quality{tenant: "acme", standing: answering, witness: NewWitness(transport, nil), most: 10, employees: func(context.Context) (learners, error) { return learners{}, nil }}
	config := arena.Config{BaseURL: server.URL, ClientID: "svc", ClientSecret: "s3cret-of-the-qms", HTTP: &http.Client{Transport: b.check.witness}}
	if change != nil {
		change(&config)
	}
	client, err := arena.New(config)
	require.NoError(t, err)
	b.check.client = client
	return b
}

func (b *bench) knows(ids ...string) {
	b.check.employees = func(context.Context) (learners, error) { return learners{ids: ids}, nil }
}

func TestQMSThatIsWell_R109_R113_R114(t *testing.T) {
	b := newBench(t, nil)
	b.qms.AddTraining(sim.Training{ID: "TP-1"})
	b.qms.AddTraining(sim.Training{ID: "TP-2", ApprovalRequired: true})
	b.qms.AddUser(sim.User{EmployeeID: "EMP-0001"})
	b.check.courses = []mappedCourse{{training: "TP-1", courses: []string{"C-1"}}, {training: "TP-2", courses: []string{"C-2"}, approval: true}}
	b.knows("EMP-0001")
	found := b.check.run(t.Context())
	require.Equal(t, map[string]Level{
		"qms.target": OK, "qms.token": OK, "qms.scopes": OK, "qms.updates": OK, "qms.courses": OK, "qms.employees": OK, "qms.clock": OK, "qms.budget": Note,
	}, levelsOf(found))
	require.Equal(t, 1, b.qms.Calls(sim.EndpointToken), "one token for all of it")
	require.Equal(t, 5, b.qms.Calls(fault.Any))
	for _, writing := range []fault.Endpoint{sim.EndpointComplete, sim.EndpointCreate, sim.EndpointApproval} {
		require.Zero(t, b.qms.Calls(writing))
	}
}

func TestScopesThatAreMissingAreNamed_R113_R118(t *testing.T) {
	b := newBench(t, nil)
	b.qms.AddAccount(sim.Account{ClientID: "svc", ClientSecret: "s3cret-of-the-qms", Scopes: []string{sim.ScopeWrite, sim.ScopeUsers}})
	f := the(t, b.check.run(t.Context()), "qms.scopes")
	require.Equal(t, Error, f.Level)
	require.Equal(t, "the token lacks "+sim.ScopeStatus, f.Text)

	b = newBench(t, func(c *arena.Config) { c.Scopes = []string{sim.ScopeWrite} })
	require.Equal(t, Error, the(t, b.check.run(t.Context()), "qms.scopes").Level, "nobody asks for the others")
}

// silentGrant is an account whose tokens do not say what they may.
type silentGrant struct{ *arena.Client }

func (silentGrant) GrantedScopes(context.Context) ([]string, bool, error) {
	return []string{sim.ScopeWrite, sim.ScopeStatus, sim.ScopeUsers}, false, nil
}

func TestScopesThatAreNotSaidAreANote_R118(t *testing.T) {
	b := newBench(t, nil)
	b.check.client = silentGrant{b.check.client.(*arena.Client)}
	require.Equal(t, Note, the(t, b.check.run(t.Context()), "qms.scopes").Level)
}

func TestWithoutATokenNobodyElseIsAsked_R115(t *testing.T) {
	b := newBench(t, func(c *arena.Config) { c.ClientSecret = "s3cret-of-yesterday" })
	b.knows("EMP-0001")
	found := b.check.run(t.Context())
	f := the(t, found, "qms.token")
	require.Equal(t, Error, f.Level)
	require.Contains(t, f.Text, "invalid_client")
	require.Equal(t, Note, the(t, found, "qms.asked").Level)
	require.Equal(t, OK, the(t, found, "qms.clock").Level, "a refusal tells the time too")
	require.Equal(t, 1, b.qms.Calls(fault.Any))
	require.NotContains(t, fmt.Sprint(found), "s3cret")
}

func TestExternalUpdatesThatAreOffAreAnError_R109(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.qms.SetSwitches(sim.Switches{ExternalUpdatesOff: true}))
	f := the(t, b.check.run(t.Context()), "qms.updates")
	require.Equal(t, Error, f.Level)
	require.Contains(t, f.Fix, "Allow external status updates")

	b = newBench(t, nil)
	b.qms.Fault(sim.EndpointConfig, fault.Status(http.StatusServiceUnavailable, fault.Forever))
	f = the(t, b.check.run(t.Context()), "qms.updates")
	require.Equal(t, Error, f.Level)
	require.Contains(t, f.Text, "503")
}

func TestCoursesAreHeldAgainstTheQMS_R110(t *testing.T) {
	b := newBench(t, nil)
	b.qms.AddTraining(sim.Training{ID: "TP-1"})
	b.qms.AddTraining(sim.Training{ID: "TP-2", ApprovalRequired: true})
	b.check.courses = []mappedCourse{
		{training: "TP-1", courses: []string{"C-1", "C-2", "C-3", "C-4"}, approval: true},
		{training: "TP-2", courses: []string{"C-5"}},
		{training: "TP-3", courses: []string{"C-6"}},
	}
	var got []string
	for _, f := range b.check.trainings(t.Context()) {
		got = append(got, fmt.Sprint(f.Level, " ", f.Subject))
	}
	require.Equal(t, []string{"error TP-1", "note TP-2", "error TP-3"}, got)

	b.check.most = 1
	b.check.courses = b.check.courses[1:]
	before := b.qms.Calls(sim.EndpointTrainings)
	found := b.check.trainings(t.Context())
	require.Equal(t, before+1, b.qms.Calls(sim.EndpointTrainings), "inside the budget")
	require.Contains(t, found[len(found)-1].Text, "1 more mapped trainings were not asked for")

	b.qms.Fault(sim.EndpointTrainings, fault.RateLimited("60", 1))
	found = b.check.trainings(t.Context())
	require.Equal(t, Warning, found[0].Level)
	require.Contains(t, found[0].Text, "429")
}

func TestEmployeesAreNeverShown_R114(t *testing.T) {
	b := newBench(t, nil)
	b.qms.AddUser(sim.User{EmployeeID: "EMP-0001"})
	ids := []string{"EMP-0001", "EMP-4829", "jane.doe@acme.example", "4711"}
	b.knows(ids...)
	f := b.check.people(t.Context())[0]
	require.Equal(t, Warning, f.Level)
	require.Equal(t, "the QMS does not know 3 of 4 learners of recent completions (…829, …, …)", f.Text)

	b.knows(ids[1:]...)
	f = b.check.people(t.Context())[0]
	require.Equal(t, Error, f.Level, "employee_id is probably the wrong field")

	b.check.most = 2
	before := b.qms.Calls(sim.EndpointUser)
	b.check.people(t.Context())
	require.Equal(t, before+2, b.qms.Calls(sim.EndpointUser), "inside the budget")

	b.qms.Fault(sim.EndpointUser, fault.Status(http.StatusInternalServerError, fault.Forever))
	f = b.check.people(t.Context())[0]
	require.Equal(t, Warning, f.Level)
	for _, id := range ids {
		require.NotContains(t, f.Text, id)
	}
	b.check.employees = func(context.Context) (learners, error) { return learners{}, errNoJournal }
	require.Equal(t, Note, b.check.people(t.Context())[0].Level)
	b.check.employees = func(context.Context) (learners, error) { return learners{}, errors.New("disk") }
	require.Equal(t, Warning, b.check.people(t.Context())[0].Level)
}

func TestLearnersHaveTheIDOfTheirSource_C14(t *testing.T) {
	tenant := settings.Tenant{EmployeeID: settings.LearnerExternalID, Sources: []settings.Source{{ID: "portal", EmployeeID: settings.LearnerUsername}}}
	of := func(source, external, username string) training.Completion {
		return training.Completion{Source: source, Learner: training.Learner{ExternalID: external, Username: username}}
	}
	require.Equal(t, learners{ids: []string{"HR-1", "jlee"}, lacking: 1}, learnersOf(tenant, []training.Completion{
		of("gone", "HR-1", "x"), of("portal", "HR-2", "jlee"), of("gone", "HR-1", "y"), of("gone", "", "z"),
	}))
	b := newBench(t, nil)
	b.check.employees = func(context.Context) (learners, error) { return learners{lacking: 7}, nil }
	f := b.check.people(t.Context())[0]
	require.Equal(t, Warning, f.Level)
	require.Contains(t, f.Text, "7 recent completions came without the employee id")
}

func TestClocksAreCompared_R205(t *testing.T) {
	for _, test := range []struct {
		ahead time.Duration
		want  Level
		says  string
	}{
		{0, OK, "agree"}, {20 * time.Second, OK, "agree"}, {-20 * time.Second, OK, "agree"},
		{2 * time.Minute, Warning, "ahead of ours"}, {-2 * time.Minute, Warning, "behind ours"},
		{10 * time.Minute, Error, "ahead of ours"}, {-10 * time.Minute, Error, "behind ours"},
	} {
		b := newBench(t, nil)
		b.answers.Set("Date", time.Now().Add(test.ahead).UTC().Format(http.TimeFormat))
		f := the(t, b.check.run(t.Context()), "qms.clock")
		require.Equal(t, test.want, f.Level, f.Text)
		require.Contains(t, f.Text, test.says)
	}
	b := newBench(t, nil)
	b.answers["Date"] = nil // net/http then sends none
	require.Equal(t, Note, the(t, b.check.run(t.Context()), "qms.clock").Level)
	b = newBench(t, nil)
	b.answers.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	b.answers.Set("Age", "3600")
	require.Equal(t, Note, the(t, b.check.run(t.Context()), "qms.clock").Level, "a cache's answer tells no time")
}

func TestSkewIsNothingWhileBothClocksCanBeRight(t *testing.T) {
	for _, test := range []struct {
		date            time.Time
		asked, answered time.Duration
		want            time.Duration
	}{
		{noon, 0, 0, 0}, {noon, 900 * time.Millisecond, 2 * time.Second, 0}, {noon, -5 * time.Second, 5 * time.Second, 0},
		{noon, -5 * time.Second, -2 * time.Second, 2 * time.Second}, {noon, 3 * time.Second, 4 * time.Second, -2 * time.Second},
	} {
		require.Equal(t, test.want, skewOf(test.date, noon.Add(test.asked), noon.Add(test.answered)))
	}
}

func TestBudgetIsShown(t *testing.T) {
	for _, test := range []struct {
		header http.Header
		want   Level
		says   string
	}{
		{http.Header{}, Note, "does not say"},
		{http.Header{"X-Ratelimit-Remaining": {"some"}}, Note, "does not say"},
		{http.Header{"X-Arena-Requests-Remaining": {"800"}}, OK, "800 calls are left"},
		{http.Header{"X-Ratelimit-Remaining": {"99"}, "X-Ratelimit-Limit": {"1000"}}, Warning, "99 of 1000"},
		{http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Limit": {"1000"}}, Error, "0 of 1000"},
	} {
		b := newBench(t, nil)
		b.answers = test.header
		f := the(t, b.check.run(t.Context()), "qms.budget")
		require.Equal(t, test.want, f.Level)
		require.Contains(t, f.Text, test.says)
	}
}

func TestLRS(t *testing.T) {
	store := lrssim.New(lrssim.Options{})
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	store.AddAccount("key", "s3cret-of-the-lrs")
	server := httptest.NewServer(store.Handler())
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	ask := func(password, version string) []Finding {
		witness := NewWitness(transport, nil)
		client, err := xapi.NewClient(xapi.ClientConfig{Endpoint: server.URL + "/xapi", Username: "key", Password: password, Version: version, HTTP: &http.Client{Transport: witness}})
		require.NoError(t, err)
		return records{client, version, witness}.run(t.Context())
	}
	require.Equal(t, map[string]Level{"lrs.version": OK, "lrs.credentials": OK, "lrs.clock": OK}, levelsOf(ask("s3cret-of-the-lrs", "1.0.3")))
	require.Equal(t, map[string]Level{"lrs.version": OK, "lrs.credentials": Error, "lrs.clock": OK}, levelsOf(ask("s3cret-of-yesterday", "1.0.3")))
	require.Equal(t, Error, the(t, ask("s3cret-of-the-lrs", "2.0.0"), "lrs.version").Level)
	store.Fault(lrssim.EndpointGet, fault.Status(http.StatusForbidden, 1))
	require.Equal(t, Warning, the(t, ask("s3cret-of-the-lrs", "1.0.3"), "lrs.credentials").Level, "an account for writing alone")
	store.Fault(lrssim.EndpointAbout, fault.Status(http.StatusNotFound, 1))
	require.Equal(t, Warning, the(t, ask("s3cret-of-the-lrs", "1.0.3"), "lrs.version").Level)
	require.Empty(t, store.Statements())
	require.Zero(t, store.Calls(lrssim.EndpointPut)+store.Calls(lrssim.EndpointPost))
}

// tokenless is a QMS whose adapter knows neither scopes nor trainings.
type tokenless struct{ err error }

func (q tokenless) Employee(context.Context, string) error { return q.err }

func (q tokenless) ExternalUpdatesAllowed(context.Context) (bool, error) { return true, q.err }

func TestWhatAnAdapterCannotSayIsANote(t *testing.T) {
	check := quality{standing: answering, client: tokenless{}, courses: []mappedCourse{{training: "TP-1"}}, most: 1, employees: func(context.Context) (learners, error) { return learners{ids: []string{"EMP-0001"}}, nil }}
	require.Equal(t, map[string]Level{"qms.target": OK, "qms.token": Note, "qms.updates": OK, "qms.courses": Note, "qms.employees": OK}, levelsOf(check.run(t.Context())))
	check.courses = nil
	require.Equal(t, Note, the(t, check.run(t.Context()), "qms.courses").Level)
}

func TestEveryFailureHasAFix(t *testing.T) {
	seen := []string{}
	for _, class := range []training.FailureClass{training.FailureCredentials, training.FailureUnreachable, training.FailureRateLimited, training.FailureMisread, training.FailureDefect} {
		fix := accountFix(training.Fail(class, "ask", "", ""))
		require.False(t, slices.Contains(seen, fix))
		seen = append(seen, fix)
	}
	require.NotEmpty(t, accountFix(context.DeadlineExceeded))
	require.Equal(t, "no answer in time", said(context.DeadlineExceeded))
}
