package activities

import (
	"context"
	"fmt"
	"testing"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/journal"
	"countersign/internal/qms"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// outages keeps what it was asked.
type outages struct {
	watched []workflows.Outage
	resumed []resumed
	gone    map[training.Fingerprint]bool
	fails   error
}

type resumed struct {
	w  journal.Waiting
	id string
	d  training.Decision
}

func (o *outages) Watch(_ context.Context, in workflows.Outage) error {
	o.watched = append(o.watched, in)
	return nil
}

func (o *outages) Resume(_ context.Context, w journal.Waiting, id string, d training.Decision) (bool, error) {
	if o.fails != nil && len(o.resumed) == 1 {
		return false, o.fails
	}
	o.resumed = append(o.resumed, resumed{w, id, d})
	return o.gone[w.Fingerprint], nil
}

// holding is a world whose tenant holds after two completions.
func holding(t *testing.T) *world {
	w := newWorld(t)
	w.tenant.Policy = training.DefaultPolicy()
	w.tenant.Breaker = breaker.New(breaker.Config{Failures: 2, Patience: w.tenant.Policy.Retry.Maximum})
	return w
}

// learner is a completion of the n-th learner, whose workflow knows holds.
func (w *world) learner(n int) workflows.Ref {
	c := completion()
	c.Learner.ID, c.Learner.ExternalID = fmt.Sprint("L", n), fmt.Sprint("HR-", n)
	w.qms.AddUser(arenasim.User{EmployeeID: c.Learner.ExternalID, Email: fmt.Sprintf("%d@example.com", n), FullName: "Jordan Lee", Active: true})
	w.assigned(func(r *arenasim.Record) { r.EmployeeID = c.Learner.ExternalID })
	ref := w.journaled(c)
	ref.Holds = true
	return ref
}

func (w *world) target() journal.Target {
	target, err := w.journal.Target(w.t.Context(), "acme", training.TargetQMS)
	require.NoError(w.t, err)
	return target
}

func (w *world) held(until time.Time, example training.Fingerprint) {
	held, err := w.journal.Hold(w.t.Context(), journal.Target{
		Tenant: "acme", Name: training.TargetQMS, Incident: "acme/qms/1", BeganAt: time.Now(), Until: until,
		Class: training.FailureUnreachable, Detail: "503", Example: example,
	})
	require.NoError(w.t, err)
	require.True(w.t, held)
}

func (w *world) look() workflows.TargetStanding {
	standing, failure := run[workflows.TargetStanding](w, "LookAtTarget", workflows.LookAtTarget{
		TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Probe: true,
	})
	require.Empty(w.t, failure)
	return standing
}

// Two completions in a row without an answer: the target is held, and watched once.
func TestQMSThatDoesNotAnswerIsHeld(t *testing.T) {
	w := holding(t)
	w.qms.Fault(fault.Any, fault.Status(503, fault.Forever))
	first, second, third := w.learner(1), w.learner(2), w.learner(3)
	_, failure := run[struct{}](w, "ResolveLearner", first)
	require.Equal(t, training.FailureUnreachable, failure.Class)
	require.Equal(t, training.TargetQMS, failure.Target)
	require.Equal(t, training.TargetAnswering, w.target().State)
	_, failure = run[struct{}](w, "ResolveLearner", second)
	require.Equal(t, training.FailureUnreachable, failure.Class, "this one has asked")
	target := w.target()
	require.Equal(t, training.TargetHeld, target.State)
	require.Equal(t, second.Fingerprint, target.Example)
	require.Equal(t, training.FailureUnreachable, target.Class)
	require.Len(t, w.outages.watched, 1)
	require.Equal(t, w.tenant.Policy.Outage, w.outages.watched[0].Policy)

	calls := w.qms.Calls(fault.Any)
	for name, in := range map[string]any{
		"ResolveLearner": third, "CheckRecord": workflows.CheckRecord{Ref: third},
		"CompleteRecord": workflows.CompleteRecord{Ref: third, RecordID: "TR-1", Target: training.RecordCompleted},
		"CarryDecision":  workflows.CarryDecision{Ref: third, RecordID: "TR-1"},
		"ReadRecord":     workflows.ReadRecord{Ref: third, RecordID: "TR-1"},
	} {
		_, failure := run[struct{}](w, name, in)
		require.Equal(t, training.FailureHeld, failure.Class, name)
		require.Contains(t, failure.Detail, "unreachable: 503 INTERNAL, since", name)
		require.Empty(t, failure.Attempts, "no attempt was made")
	}
	require.Equal(t, calls, w.qms.Calls(fault.Any), "nothing is asked")
	stored := w.stored(third)
	require.Equal(t, training.StateRetrying, stored.State)
	waiting, err := w.journal.WaitingFor(t.Context(), "acme", training.TargetQMS, time.Now(), journal.Waiting{}, 10)
	require.NoError(t, err)
	require.Equal(t, third.Fingerprint, waiting[0].Fingerprint)

	third.Holds = false // started before there were holds
	_, failure = run[struct{}](w, "ResolveLearner", third)
	require.Equal(t, training.FailureUnreachable, failure.Class, "as it was")
}

// What is parked because the QMS takes no writes goes on with its outage, though it could be read.
func TestWriteWithoutAnAnswerIsTheTargetsFailure(t *testing.T) {
	w := holding(t)
	ref := w.learner(1)
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	w.qms.Fault(arenasim.EndpointComplete, fault.Status(503, fault.Forever))
	_, failure = w.complete(ref, plan)
	require.Equal(t, training.FailureUnreachable, failure.Class)
	require.Equal(t, training.TargetQMS, failure.Target)
}

// A tenant that wants no holds has none, and what fails elsewhere is no outage of the QMS.
func TestWhatIsNotHeld(t *testing.T) {
	w := holding(t)
	w.tenant.Policy.Outage.Hold = false
	w.qms.Fault(fault.Any, fault.Status(503, fault.Forever))
	for n := range 3 {
		run[struct{}](w, "ResolveLearner", w.learner(n))
	}
	require.Equal(t, training.TargetAnswering, w.target().State)

	w = holding(t)
	w.lrs.Fault(lrssim.EndpointPut, fault.Status(503, fault.Forever))
	for n := range 3 {
		ref := w.learner(n)
		plan, failure := w.check(ref)
		require.Empty(t, failure)
		_, failure = w.complete(ref, plan)
		require.Empty(t, failure)
		_, failure = run[workflows.Issued](w, "PostStatement", workflows.Document{Ref: ref, RecordID: plan.RecordID})
		require.Equal(t, training.FailureUnreachable, failure.Class)
		require.Empty(t, failure.Target)
	}
	require.Equal(t, training.TargetAnswering, w.target().State)
}

// A Retry-After that the retries cannot wait for holds at once, until then: it must not burn the attempts.
func TestRetryAfterOfHoursHoldsAtOnce_R123(t *testing.T) {
	w := holding(t)
	w.qms.Fault(arenasim.EndpointUser, fault.RateLimited("7200", 1))
	_, failure := run[struct{}](w, "ResolveLearner", w.learner(1))
	require.Equal(t, training.FailureRateLimited, failure.Class)
	target := w.target()
	require.Equal(t, training.TargetHeld, target.State)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), target.Until, time.Minute)
	_, failure = run[struct{}](w, "ResolveLearner", w.learner(2))
	require.Equal(t, training.FailureHeld, failure.Class)
	require.InDelta(t, 2*time.Hour, failure.RetryAfter, float64(time.Minute), "it waits as long as the hold")
	calls := w.qms.Calls(fault.Any)
	require.Equal(t, training.TargetHeld, w.look().State)
	require.Equal(t, calls, w.qms.Calls(fault.Any), "a probe would only spend what is spent")
}

// A probe repeats what a completion could not read: that the rest answers is no answer.
func TestProbeAsksWhatHasFailed(t *testing.T) {
	for name, endpoint := range map[string]fault.Endpoint{
		"all": fault.Any, "records": arenasim.EndpointRecords, "token": arenasim.EndpointToken,
	} {
		t.Run(name, func(t *testing.T) {
			w := holding(t)
			ref := w.learner(1)
			if endpoint == arenasim.EndpointRecords { // the employee is known by then
				_, failure := run[struct{}](w, "ResolveLearner", ref)
				require.Empty(t, failure)
			}
			w.held(time.Time{}, ref.Fingerprint)
			w.qms.Fault(endpoint, fault.Status(503, fault.Forever))
			standing := w.look()
			require.Equal(t, training.TargetHeld, standing.State)
			require.Equal(t, "acme/qms/1", standing.Incident)
			w.qms.ClearFaults()
			standing = w.look()
			require.Equal(t, training.TargetAnswering, standing.State)
			require.Equal(t, "acme/qms/1", standing.Incident, "until what waits has gone on")
			_, failure := run[struct{}](w, "ResolveLearner", ref)
			require.Empty(t, failure)
			_, failure = run[workflows.SettledTarget](w, "SettleTarget", workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS})
			require.Empty(t, failure)
			require.Empty(t, w.target().Incident)
		})
	}
	t.Run("the completion is lost", func(t *testing.T) {
		w := holding(t)
		w.held(time.Time{}, "f00d")
		w.qms.Fault(arenasim.EndpointConfig, fault.Status(503, 1))
		require.Equal(t, training.TargetHeld, w.look().State)
		require.Equal(t, training.TargetAnswering, w.look().State)
	})
}

// One record that the QMS never reads holds nobody else: the probes take turns with what waits.
func TestProbesTakeTurns(t *testing.T) {
	w := holding(t)
	poisoned, healthy := w.learner(1), w.learner(2)
	w.held(time.Time{}, poisoned.Fingerprint)
	_, failure := run[struct{}](w, "ResolveLearner", healthy)
	require.Equal(t, training.FailureHeld, failure.Class)
	look := func(n int) training.TargetState {
		standing, failure := run[workflows.TargetStanding](w, "LookAtTarget", workflows.LookAtTarget{
			TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Probe: true, Look: n,
		})
		require.Empty(t, failure)
		return standing.State
	}
	w.tenant.EmployeeID = func(_ string, l training.Learner) string { return l.ExternalID }
	w.tenant.QMS = unreadable{w.tenant.QMS, "HR-1"}
	require.Equal(t, training.TargetHeld, look(1))
	require.Equal(t, training.TargetAnswering, look(2))
}

// unreadable does not answer about one employee.
type unreadable struct {
	qms.Client
	employee string
}

func (u unreadable) Employee(ctx context.Context, employeeID string) error {
	if employeeID == u.employee {
		return training.Fail(training.FailureUnreachable, "read employee", employeeID, "500")
	}
	return u.Client.Employee(ctx, employeeID)
}

// A tenant that is no longer in the settings can be asked for nothing: its completions are not kept queued.
func TestTenantWithoutSettingsIsNotHeld(t *testing.T) {
	w := holding(t)
	_, err := w.journal.Hold(t.Context(), journal.Target{Tenant: "gone", Name: training.TargetQMS, Incident: "gone/qms/1", BeganAt: time.Now()})
	require.NoError(t, err)
	standing, failure := run[workflows.TargetStanding](w, "LookAtTarget", workflows.LookAtTarget{
		TargetRef: workflows.TargetRef{Tenant: "gone", Target: training.TargetQMS}, Probe: true,
	})
	require.Empty(t, failure)
	require.Equal(t, training.TargetAnswering, standing.State)
}

// A person pauses and resumes; a probe never looks at what is paused.
func TestTargetIsChangedByAPerson(t *testing.T) {
	w := holding(t)
	change := func(action training.Action) workflows.TargetStanding {
		standing, failure := run[workflows.TargetStanding](w, "ChangeTarget", workflows.ChangeTarget{
			TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Incident: "acme/qms/1",
			Decision: training.Decision{Action: action, By: "m.keller", Reason: "QMS migration"},
		})
		require.Empty(t, failure)
		return standing
	}
	ref := w.learner(1)
	_, failure := run[struct{}](w, "ResolveLearner", ref) // the worker trusts that it answers
	require.Empty(t, failure)
	require.Equal(t, "paused by m.keller: QMS migration", change(training.ActionPause).Why())
	calls := w.qms.Calls(fault.Any)
	_, failure = w.check(ref)
	require.Equal(t, training.FailureHeld, failure.Class)
	require.Equal(t, training.TargetPaused, w.look().State)
	require.Equal(t, calls, w.qms.Calls(fault.Any))
	require.Equal(t, training.TargetAnswering, change(training.ActionResume).State)
	_, failure = w.check(ref)
	require.Empty(t, failure)
}

// A page that is repeated after half of it has the same ids, by which Temporal knows what it has.
func TestPageIsResumedOnce(t *testing.T) {
	w := holding(t)
	w.held(time.Time{}, "")
	var refs []workflows.Ref
	for n := range 3 {
		refs = append(refs, w.learner(n))
		run[struct{}](w, "ResolveLearner", refs[n])
	}
	require.NoError(t, w.journal.Project(t.Context(), "acme", refs[1].Fingerprint, journal.Projection{
		State: training.StateInReview, FailureClass: training.FailureUnreachable, FailureTarget: training.TargetQMS,
	}))
	in := workflows.ResumeWaiting{
		TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Incident: "acme/qms/1", Limit: 2,
		Reason: "the qms answers again (incident acme/qms/1)",
	}
	page, failure := run[workflows.ResumedPage](w, "ResumeWaiting", in)
	require.Empty(t, failure)
	require.Equal(t, training.TargetHeld, page.State)
	require.Empty(t, w.outages.resumed, "it is held: nobody goes on")

	require.NoError(t, w.journal.Answers(t.Context(), "acme", training.TargetQMS))
	w.outages.fails = context.DeadlineExceeded
	_, err := w.env.ExecuteActivity("ResumeWaiting", in)
	require.Error(t, err)
	w.outages.fails, w.outages.gone = nil, map[training.Fingerprint]bool{refs[1].Fingerprint: true}
	page, failure = run[workflows.ResumedPage](w, "ResumeWaiting", in)
	require.Empty(t, failure)
	require.Equal(t, 1, page.Resumed, "one is gone")
	require.True(t, page.More)
	told := w.outages.resumed
	require.Len(t, told, 3)
	require.Equal(t, told[0].id, told[1].id)
	require.NotEqual(t, told[1].id, told[2].id)
	require.True(t, told[1].w.Held)
	require.False(t, told[2].w.Held)
	require.Equal(t, training.Decision{Action: training.ActionRetry, By: training.ByCountersign, Reason: in.Reason}, told[2].d)

	in.After = page.Next
	page, failure = run[workflows.ResumedPage](w, "ResumeWaiting", in)
	require.Empty(t, failure)
	require.Equal(t, 1, page.Resumed)
	require.False(t, page.More)
	in.After, in.FailedAfter = workflows.Place{}, time.Now()
	page, failure = run[workflows.ResumedPage](w, "ResumeWaiting", in)
	require.Empty(t, failure)
	require.Zero(t, page.Resumed, "all of them went on with the first pass")
}
