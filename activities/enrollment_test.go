package activities

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lmssim "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

// enrollment is the one that completion() finishes a week later.
func enrollment() training.Enrollment {
	c := completion()
	return training.Enrollment{
		Tenant: c.Tenant, Source: c.Source, Platform: c.Platform, EnrollmentID: "88121",
		Learner: c.Learner, Course: c.Course, EnrolledAt: c.CompletedAt.Add(-7 * 24 * time.Hour),
	}
}

// enrolled puts e into the journal, as running, and returns its reference.
func (w *world) enrolled(e training.Enrollment) workflows.EnrollmentRef {
	w.t.Helper()
	receipt, err := w.journal.Append(w.t.Context(), journal.Delivery{
		ID: journal.NewDeliveryID(), Tenant: e.Tenant, Source: e.Source, Platform: e.Platform, Body: []byte("{}"),
	}, nil, e)
	require.NoError(w.t, err)
	_, err = w.journal.ClaimEnrollments(w.t.Context(), 1000, time.Minute)
	require.NoError(w.t, err)
	ref := workflows.EnrollmentRef{Tenant: e.Tenant, Key: receipt.Enrollments[0].Key, Retry: training.DefaultPolicy().Retry}
	require.NoError(w.t, w.journal.EnrollmentStarted(w.t.Context(), e.Tenant, ref.Key))
	return ref
}

func (w *world) link(ref workflows.EnrollmentRef) (workflows.LinkedEnrollment, training.Failure) {
	return run[workflows.LinkedEnrollment](w, "LinkEnrollment", ref)
}

// leads returns the record that the enrollment is linked to.
func (w *world) leads(e training.Enrollment) string {
	w.t.Helper()
	link, err := w.journal.FindLink(w.t.Context(), e.Tenant, e.Source, e.EnrollmentID, e.Learner.Key(), e.Course.Key())
	require.NoError(w.t, err)
	return link.RecordID
}

// However often it is delivered, replayed or crashed through: one record, one link.
func TestEnrollmentCreatesOneRecord_R97_R98(t *testing.T) {
	for name, id := range map[string]string{"with an id": "88121", "without": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := enrollment()
			e.EnrollmentID = id
			ref := w.enrolled(e)
			first, failure := w.link(ref)
			require.Empty(t, failure)
			require.True(t, first.Created)
			require.Equal(t, training.RecordAssigned, first.Status)
			record, _ := w.qms.Record(first.RecordID)
			require.Equal(t, []string{employee, program, e.ExternalRef()}, []string{record.EmployeeID, record.TrainingID, record.ExternalRef})

			again, failure := w.link(ref)
			require.Empty(t, failure)
			require.Equal(t, workflows.LinkedEnrollment{RecordID: first.RecordID, Status: training.RecordAssigned}, again)
			e.EnrolledAt = e.EnrolledAt.Add(time.Second) // the same, as another event tells it
			other, _ := w.link(w.enrolled(e))
			require.Equal(t, first.RecordID, other.RecordID)
			require.Len(t, w.qms.Records(), 1)
			require.Equal(t, first.RecordID, w.leads(e))
		})
	}
}

func TestEnrollmentFindsTheOpenRecord_R97(t *testing.T) {
	w := newWorld(t)
	id := w.assigned()
	linked, failure := w.link(w.enrolled(enrollment()))
	require.Empty(t, failure)
	require.Equal(t, workflows.LinkedEnrollment{RecordID: id, Status: training.RecordAssigned}, linked)
	require.Zero(t, w.qms.Calls(arenasim.EndpointCreate))

	w = newWorld(t)
	w.assigned()
	w.assigned()
	_, failure = w.link(w.enrolled(enrollment()))
	require.Equal(t, training.FailureRecordAmbiguous, failure.Class, "nothing is chosen by guessing")
}

// The completion was faster: the enrollment that comes late leads to its record, and to no second open one.
func TestEnrollmentAfterItsCompletion_R97_R98(t *testing.T) {
	for name, change := range map[string]func(*training.Completion, *training.Enrollment){
		"with an id":     func(c *training.Completion, e *training.Enrollment) { c.EnrollmentID = e.EnrollmentID },
		"without":        func(_ *training.Completion, e *training.Enrollment) { e.EnrollmentID = "" },
		"only the event": func(*training.Completion, *training.Enrollment) {},
		"finished on the day of the enrollment": func(c *training.Completion, e *training.Enrollment) {
			e.EnrolledAt = c.CompletedAt.Add(time.Hour)
			c.CompletedAt, c.Precision = training.PrecisionDay.Truncate(c.CompletedAt), training.PrecisionDay
		},
		"an id, and a date before it": func(c *training.Completion, e *training.Enrollment) {
			c.EnrollmentID, c.CompletedAt = e.EnrollmentID, e.EnrolledAt.Add(-24*time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c, e := completion(), enrollment()
			change(&c, &e)
			id := w.assigned()
			ref := w.journaled(c)
			plan, failure := w.check(ref)
			require.Empty(t, failure)
			_, failure = w.complete(ref, plan)
			require.Empty(t, failure)

			linked, failure := w.link(w.enrolled(e))
			require.Empty(t, failure)
			require.Equal(t, workflows.LinkedEnrollment{RecordID: id, Status: training.RecordCompleted}, linked)
			require.Len(t, w.qms.Records(), 1)
		})
	}
}

// What is over does not stand for a new enrollment, not even under the id of an old one.
func TestEnrollmentAnewGetsANewRecord_R91_R98(t *testing.T) {
	for name, test := range map[string]struct {
		id  string
		end func(*arenasim.Record)
	}{
		"last year's": {"", func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, lastYear() }},
		"an old one":  {"1", func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, lastYear() }},
		"its own, cancelled": {"88121", func(r *arenasim.Record) {
			r.Status, r.ExternalRef = training.RecordCancelled, enrollment().ExternalRef()
		}},
		"without an id, its own, cancelled": {"", func(r *arenasim.Record) { r.Status = training.RecordCancelled }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := enrollment()
			e.EnrollmentID = test.id
			old := w.assigned(test.end)
			require.NoError(t, w.journal.PutLink(t.Context(), journal.Link{
				Tenant: e.Tenant, Source: e.Source, LearnerKey: e.Learner.Key(), CourseKey: e.Course.Key(), EmployeeID: employee, RecordID: old,
			}))
			ref := w.enrolled(e)
			first, failure := w.link(ref)
			require.Empty(t, failure)
			require.NotEqual(t, old, first.RecordID)
			again, _ := w.link(ref)
			require.Equal(t, first.RecordID, again.RecordID)
			require.Len(t, w.qms.Records(), 2)
			require.Equal(t, first.RecordID, w.leads(e))
		})
	}
}

func lastYear() *time.Time {
	at := completion().CompletedAt.AddDate(-1, 0, 0)
	return &at
}

// The enrollment's record is there: the completion takes it, also where it carries no enrollment id and another
// record is open.
func TestCompletionFollowsTheLink_R97(t *testing.T) {
	for name, id := range map[string]string{"with an id": "88121", "without": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e, c := enrollment(), completion()
			e.EnrollmentID, c.EnrollmentID = id, id
			linked, failure := w.link(w.enrolled(e))
			require.Empty(t, failure)
			w.assigned() // somebody has assigned it once more
			plan, failure := w.check(w.journaled(c))
			require.Empty(t, failure)
			require.Equal(t, linked.RecordID, plan.RecordID)
		})
	}
}

// Enrollment and completion at once, on several workers: one record, whichever of them creates it.
func TestEnrollmentAndCompletionAtOnceMakeOneRecord_R98(t *testing.T) {
	for name, id := range map[string]string{"with an id": "88121", "without": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e, c := enrollment(), completion()
			e.EnrollmentID, c.EnrollmentID = id, id
			ref, completed := w.enrolled(e), w.journaled(c)
			records := make([]string, 12)
			var group sync.WaitGroup
			for i := range records {
				worker := *w
				var suite testsuite.WorkflowTestSuite
				worker.env = suite.NewTestActivityEnvironment()
				worker.env.RegisterActivity(New(Config{
					Journal: w.journal, Inbox: &w.inbox, Log: slog.New(slog.DiscardHandler),
					Tenant:   func(string) (Tenant, bool) { return w.tenant, true },
					ReadBack: []time.Duration{0, 10 * time.Millisecond},
				}))
				group.Go(func() {
					if i%2 == 0 {
						linked, _ := worker.link(ref)
						records[i] = linked.RecordID
						return
					}
					plan, _ := run[workflows.RecordPlan](&worker, "CheckRecord", workflows.CheckRecord{Ref: completed, MissingRecord: training.MissingCreate})
					records[i] = plan.RecordID
				})
			}
			group.Wait()
			require.Len(t, w.qms.Records(), 1)
			for _, id := range records {
				require.Equal(t, w.qms.Records()[0].ID, id)
			}
		})
	}
}

// Whatever becomes of the answer, the next attempt finds what the first has done.
func TestEnrollmentThatCannotBeLinked_R114(t *testing.T) {
	for class, change := range map[training.FailureClass]func(*training.Enrollment){
		training.FailureEmployeeUnknown: func(e *training.Enrollment) { e.Learner.ExternalID = "HR-404" },
		training.FailureIncomplete:      func(e *training.Enrollment) { e.Learner.ExternalID = "" },
		training.FailureCourseUnmapped:  func(e *training.Enrollment) { e.Course.Code = "UNMAPPED" },
		training.FailureTenantUnknown:   func(e *training.Enrollment) { e.Tenant = "globex" },
	} {
		w := newWorld(t)
		e := enrollment()
		change(&e)
		_, failure := w.link(w.enrolled(e))
		require.Equal(t, class, failure.Class)
		require.NotContains(t, failure.Error(), "HR-404", "no personal data in a failure")
		require.Empty(t, w.qms.Records())
	}
}

// A completion that came before its enrollment is tried again by the schedule, and where it was put up for review
// meanwhile it goes on as soon as the record is there.
func TestCompletionBeforeItsEnrollment_R98(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	_, failure := run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{Ref: ref, Enrollments: training.EnrollmentsCreate})
	require.Equal(t, training.FailureRecordMissing, failure.Class)
	require.True(t, failure.Retryable())
	require.Equal(t, training.StateRetrying, w.stored(ref).State)
	_, err := w.env.ExecuteActivity("RecordWait", workflows.RecordWait{Ref: ref, State: training.StateInReview, Failure: &failure})
	require.NoError(t, err)
	other := completion() // somebody else's is left alone
	other.Learner.ID = "7"
	theirs := w.journaled(other)
	_, err = w.env.ExecuteActivity("RecordWait", workflows.RecordWait{Ref: theirs, State: training.StateInReview, Failure: &failure})
	require.NoError(t, err)

	enrolled := w.enrolled(enrollment())
	linked, _ := w.link(enrolled)
	_, err = w.env.ExecuteActivity("WakeCompletions", workflows.WakeCompletions{EnrollmentRef: enrolled, RecordID: linked.RecordID})
	require.NoError(t, err)
	require.Len(t, w.inbox.decided, 1)
	decision := w.inbox.decided[ref.Fingerprint]
	require.Equal(t, training.ActionRetry, decision.Action)
	require.NoError(t, decision.Validate([]training.Action{training.ActionRetry}))
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, linked.RecordID, plan.RecordID)
}

// The record is linked, and the enrollment has looked for who waits, just before the completion is put up for review:
// each of the two looks after it has written, so that one of them finds the other.
func TestRecordThatIsLinkedBeforeTheReview_R98(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	review := func() workflows.RecordedWait {
		failure := training.Fail(training.FailureRecordMissing, "find record", "", "")
		value, err := w.env.ExecuteActivity("RecordWait", workflows.RecordWait{Ref: ref, State: training.StateInReview, Failure: failure})
		require.NoError(t, err)
		var recorded workflows.RecordedWait
		require.NoError(t, value.Get(&recorded))
		return recorded
	}
	require.Empty(t, review().Linked)
	_, err := w.env.ExecuteActivity("RecordDecision", workflows.RecordDecision{Ref: ref, Round: 1, Decision: training.EnrollmentArrived("?")})
	require.NoError(t, err)

	_, failure := run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{Ref: ref})
	require.Equal(t, training.FailureRecordMissing, failure.Class)
	enrolled := w.enrolled(enrollment())
	linked, failure := w.link(enrolled)
	require.Empty(t, failure)
	_, err = w.env.ExecuteActivity("WakeCompletions", workflows.WakeCompletions{EnrollmentRef: enrolled, RecordID: linked.RecordID})
	require.NoError(t, err)
	require.Empty(t, w.inbox.decided, "nobody waits yet")
	require.Equal(t, linked.RecordID, review().Linked)
	require.Equal(t, training.StateInReview, w.stored(ref).State)
}

// Without the policy a missing record is nothing to wait for.
func TestMissingRecordIsNotAwaitedWithoutThePolicy(t *testing.T) {
	w := newWorld(t)
	_, failure := w.check(w.journaled(completion()))
	require.Equal(t, training.FailureRecordMissing, failure.Class)
	require.False(t, failure.Retryable())
}

func TestEnrollmentIsRecorded_R139(t *testing.T) {
	w := newWorld(t)
	ref := w.enrolled(enrollment())
	decision := training.Decision{Action: training.ActionClose, By: "m.keller", Reason: "left the company"}
	failure := training.Fail(training.FailureEmployeeUnknown, "find employee", "", "404")
	for range 2 { // an activity may run twice
		wait, err := w.env.ExecuteActivity("RecordEnrollment", workflows.RecordEnrollment{
			EnrollmentRef: ref, State: training.EnrollmentClosed, Failure: failure, Decision: &decision, Round: 1, Via: "signal",
		})
		require.NoError(t, err)
		var recorded workflows.RecordedWait
		require.NoError(t, wait.Get(&recorded))
		require.Equal(t, 1, recorded.Decisions)
	}
	stored, err := w.journal.Enrollment(t.Context(), "acme", ref.Key)
	require.NoError(t, err)
	require.Equal(t, training.EnrollmentClosed, stored.State)
	require.Equal(t, training.FailureEmployeeUnknown, stored.FailureClass)
}

// The employee id that only the LMS knows is looked up, as for a completion; the link keeps to the event.
func TestEnrollmentLooksUpWhatItsEventLacks_R15(t *testing.T) {
	w := newWorld(t)
	e := enrollment()
	e.EnrollmentID, e.Learner, e.Course = "", bare().Learner, bare().Course
	w.tenant.Training = func(_ string, c training.Course) (string, bool, bool) { return program, false, c.Code == "COMP-2026" }
	_, failure := w.link(w.enrolled(e))
	require.Equal(t, training.FailureIncomplete, failure.Class)
	w.lookingUp()
	e.EnrolledAt = e.EnrolledAt.Add(time.Hour)
	linked, failure := w.link(w.enrolled(e))
	require.Empty(t, failure)
	require.Equal(t, linked.RecordID, w.leads(e))
}

// While the QMS is paused nothing is asked of it, and no attempt is used up.
// A hold is seen before the LMS is asked: its budget of calls is that of completions too.
// The learner has begun a moment ago: the LMS shows no completion, and is neither waited for nor asked for a score.
func TestEnrollmentOfAMomentAgoIsLookedUp_R15(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	lms.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541"})
	e := enrollment()
	e.EnrollmentID, e.Learner, e.Course, e.EnrolledAt = "", bare().Learner, bare().Course, time.Now().UTC().Truncate(time.Millisecond)
	_, failure := w.link(w.enrolled(e))
	require.Empty(t, failure)
	require.Len(t, w.qms.Records(), 1)
	require.Equal(t, 2, lms.Calls(fault.Any), "the user and the course")
}

// Somebody has switched enrollments off: what is on its way creates nothing any more.
// An outage that only enrollments meet is held and probed like any other.
// A training that the QMS cannot list is no reason to hold everybody's completions for ever, which are not even started:
// every other probe asks for something else.
// That records cannot be created is no reason to hold completions, which need no permission for it.
// A late completion of last year's creates its record, under a reference that it reserves, and completes it between this
// enrollment's search and its own creation. That record is not this enrollment's.
func TestEnrollmentDoesNotTakeALateCompletionsRecord_R98(t *testing.T) {
	w := newWorld(t)
	e := enrollment()
	e.EnrollmentID = ""
	ref := w.enrolled(e)
	const theirs = "lms:completion:1"
	_, err := w.journal.ReserveRef(t.Context(), "acme", employee, program, theirs, nil)
	require.NoError(t, err)
	w.tenant.QMS = overtaken{Client: w.tenant.QMS, after: func() {
		if len(w.qms.Records()) == 0 {
			w.assigned(func(r *arenasim.Record) {
				r.Status, r.CompletionDate, r.ExternalRef = training.RecordCompleted, lastYear(), theirs
			})
		}
	}}
	linked, failure := w.link(ref)
	require.Empty(t, failure)
	require.Equal(t, training.RecordAssigned, linked.Status)
	require.Len(t, w.qms.Records(), 2)
	require.Equal(t, linked.RecordID, w.leads(e))
}

// overtaken is a QMS in which something happens right after a search.
type overtaken struct {
	qms.Client
	after func()
}

func (o overtaken) Records(ctx context.Context, employeeID, trainingID string) ([]training.Record, error) {
	records, err := o.Client.Records(ctx, employeeID, trainingID)
	o.after()
	return records, err
}
