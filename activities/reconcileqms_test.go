package activities

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// ended carries a completion to its end, through the real activities.
func (c *comparing) ended(f training.Completion) (workflows.Ref, string) {
	c.t.Helper()
	record := c.assigned(func(r *arenasim.Record) { r.EmployeeID = f.Learner.ExternalID })
	ref := c.journaled(f)
	plan, failure := c.check(ref)
	require.Empty(c.t, failure.Class)
	require.Equal(c.t, record, plan.RecordID)
	_, failure = c.complete(ref, plan)
	require.Empty(c.t, failure.Class)
	for _, document := range []string{"IssueCertificate", "PostStatement"} {
		_, failure = run[workflows.Issued](c.world, document, workflows.Document{Ref: ref, RecordID: record})
		require.Empty(c.t, failure.Class)
	}
	_, failure = run[struct{}](c.world, "RecordOutcome", workflows.RecordOutcome{Ref: ref, Outcome: training.OutcomeCompleted, RecordID: record})
	require.Empty(c.t, failure.Class)
	return ref, record
}

// The record is read again and held against the proof; each change that somebody made there is found, and is
// gone from the report when it is mended.
func TestRecordThatChangedIsFoundUntilItIsMended_R143_R144(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*arenasim.Record)
		want   string
	}{
		"status": {func(r *arenasim.Record) { r.Status = training.RecordInProgress }, "different_status:completion"},
		"date": {func(r *arenasim.Record) {
			at := r.CompletionDate.AddDate(0, 0, 1)
			r.CompletionDate = &at
		}, "different_date:completion"},
		"person": {func(r *arenasim.Record) { r.EmployeeID = "HR-7" }, "other_person:completion"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newComparing(t)
			c.qms.AddUser(arenasim.User{EmployeeID: "HR-7", Active: true})
			_, record := c.ended(finishedBy(1))
			c.lms.all = []training.Completion{finishedBy(1)}
			_, found := c.reconcile()
			require.Empty(t, found, "all three agree")

			was, ok := c.qms.Record(record)
			require.True(t, ok)
			changed := was
			tc.change(&changed)
			c.qms.AddRecord(changed)
			_, found = c.reconcile()
			require.Contains(t, kinds(found), tc.want)
			first := found[0].Since
			_, found = c.reconcile(func(in *workflows.BeginReconciliation) { // long after the window has moved on
				in.From, in.To = in.From.AddDate(0, 1, 0), in.To.AddDate(0, 1, 0)
			})
			require.Equal(t, []string{tc.want}, kinds(found), "it stands, however old")
			require.Equal(t, first, found[0].Since)

			c.qms.AddRecord(was)
			_, found = c.reconcile(func(in *workflows.BeginReconciliation) {
				in.From, in.To = in.From.AddDate(0, 1, 0), in.To.AddDate(0, 1, 0)
			})
			require.Empty(t, found, "mended")
		})
	}
}

// What only a listing can show is carried over while the window lies elsewhere.
func TestMismatchOutsideTheWindowIsCarriedOver(t *testing.T) {
	c := newComparing(t)
	near := finishedBy(1)
	c.journaled(near)
	near.CompletedAt = near.CompletedAt.Add(time.Hour)
	c.lms.all = []training.Completion{near}
	_, found := c.reconcile()
	require.Equal(t, []string{"different_date:listing"}, kinds(found))
	elsewhere := func(in *workflows.BeginReconciliation) {
		in.From, in.To = in.From.AddDate(0, 1, 0), in.To.AddDate(0, 1, 0)
	}
	for range 2 {
		_, carried := c.reconcile(elsewhere)
		require.Len(t, carried, 1)
		require.True(t, carried[0].Carried)
		require.Equal(t, found[0].Since, carried[0].Since)
	}
	c.lms.all = []training.Completion{finishedBy(1)}
	_, found = c.reconcile()
	require.Empty(t, found, "mended, and looked at")
}

// A run that cannot look at what the last one has found, because the QMS is away, keeps it for the next.
func TestMismatchOutlivesARunWithoutTheQMS_R144(t *testing.T) {
	c := newComparing(t)
	_, record := c.ended(finishedBy(1))
	c.lms.all = []training.Completion{finishedBy(1)}
	changed, ok := c.qms.Record(record)
	require.True(t, ok)
	changed.Status = training.RecordInProgress
	c.qms.AddRecord(changed)
	_, found := c.reconcile()
	require.Equal(t, []string{"different_status:completion"}, kinds(found))
	elsewhere := func(in *workflows.BeginReconciliation) {
		in.From, in.To = in.From.AddDate(0, 1, 0), in.To.AddDate(0, 1, 0)
	}
	c.qms.Fault(arenasim.EndpointRecord, fault.Status(http.StatusUnauthorized, 1000))
	report, carried := c.reconcile(elsewhere)
	require.Contains(t, report.GivenUp, "standing")
	require.Len(t, carried, 1)
	require.True(t, carried[0].Carried)
	require.Equal(t, found[0].Since, carried[0].Since)
	require.Zero(t, report.New)
}

// What only a file can show is settled by the next file: the row that is mended, and the date that is corrected.
func TestNextFileSettlesTheLast_R128(t *testing.T) {
	c := newComparing(t)
	c.tenant.LMS = nil // an LMS that cannot be asked
	c.journaled(finishedBy(1))
	of := func(rows string) func(*workflows.BeginReconciliation) {
		upload := c.uploaded("learner_id,course_id,completed_at\n" + rows)
		return func(in *workflows.BeginReconciliation) { upload(in); in.Source = "lms" }
	}
	known := finishedBy(1)
	row := func(at time.Time) string {
		return known.Learner.ID + "," + known.Course.ID + "," + at.Format(time.RFC3339) + "\n"
	}
	_, found := c.reconcile(of(row(known.CompletedAt.Add(time.Hour)) + "7,1,tomorrow\n"))
	require.Equal(t, []string{"different_date:listing", "unreadable:listing"}, kinds(found))
	_, found = c.reconcile()
	require.Contains(t, kinds(found), "unreadable:listing", "no run without a file can look at it again")
	_, found = c.reconcile(of(row(known.CompletedAt)))
	require.NotContains(t, kinds(found), "different_date:listing")
	require.NotContains(t, kinds(found), "unreadable:listing")
}

func TestDocumentsThatAreMissing_R144(t *testing.T) {
	c := newComparing(t)
	c.assigned()
	ref := c.journaled(finishedBy(1))
	plan, _ := c.check(ref)
	_, _ = c.complete(ref, plan)
	require.NoError(t, c.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: training.StateCompleted, RecordID: plan.RecordID}))
	c.lms.all = []training.Completion{finishedBy(1)}
	_, found := c.reconcile()
	require.Equal(t, []string{"no_certificate:completion", "no_statement:completion"}, kinds(found))

	require.NoError(t, c.journal.AddDecision(t.Context(), journal.DecisionEntry{Tenant: "acme", Fingerprint: ref.Fingerprint, Round: 1, Via: "signal",
		Decision: training.Decision{Action: training.ActionSkipCertificate, By: "m.keller", Reason: "no script"}}))
	_, found = c.reconcile()
	require.Equal(t, []string{"no_statement:completion"}, kinds(found), "somebody does without the other")

	_, failure := run[workflows.Issued](c.world, "PostStatement", workflows.Document{Ref: ref, RecordID: plan.RecordID})
	require.Empty(t, failure.Class)
	_, found = c.reconcile()
	require.Empty(t, found)
}

func TestWhatWaits_R144(t *testing.T) {
	c := newComparing(t)
	waits := func(n int, state training.State, class training.FailureClass) {
		ref := c.journaled(finishedBy(n))
		require.NoError(t, c.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: state, FailureClass: class}))
		c.lms.all = append(c.lms.all, finishedBy(n))
	}
	waits(1, training.StateInReview, training.FailureCourseUnmapped)
	waits(2, training.StateInReview, training.FailureEmployeeUnknown)
	waits(3, training.StateExpiredInReview, training.FailureRecordLocked)
	waits(4, training.StateClosed, "")
	waits(5, training.StateRunning, "")
	want := []string{"missing_in_qms:completion", "no_mapping:completion", "unknown_person:completion"}
	_, found := c.reconcile()
	require.Equal(t, want, kinds(found))
	c.rules.LateAfter = time.Nanosecond
	elsewhere := func(in *workflows.BeginReconciliation) {
		in.From, in.To = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	}
	_, found = c.reconcile(elsewhere)
	require.Equal(t, append(want, "waiting_too_long:completion"), kinds(found), "also what came in long before")
}

// A record that is written and whose proof is not stored yet is a completion of ours under way, and nobody else's.
func TestRecordUnderWayIsNotMissingInTheLMS_R144(t *testing.T) {
	c := newComparing(t)
	event := finishedBy(1)
	c.lms.all = []training.Completion{event}
	ref := c.journaled(event)
	record := c.assigned(func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, &event.CompletedAt })
	_, found := c.reconcile()
	require.Contains(t, kinds(found), "missing_in_lms:record", "nobody is known to have written it")
	require.NoError(t, c.journal.Project(t.Context(), ref.Tenant, ref.Fingerprint, journal.Projection{State: training.StateRunning, RecordID: record}))
	_, found = c.reconcile()
	require.NotContains(t, kinds(found), "missing_in_lms:record")
}

func TestLinksAndRecordsOfTheQMS_R143_R144(t *testing.T) {
	c := newComparing(t)
	c.qms.AddUser(arenasim.User{EmployeeID: "HR-7", Active: true})
	c.qms.AddTraining(arenasim.Training{ID: "TP-9", Name: "Not ours"})
	open := c.assigned()
	at := time.Date(2026, 4, 8, 9, 0, 0, 0, time.UTC)
	byHand := c.assigned(func(r *arenasim.Record) { r.Status, r.CompletionDate = training.RecordCompleted, &at })
	c.assigned(func(r *arenasim.Record) {
		r.TrainingID, r.Status, r.CompletionDate = "TP-9", training.RecordCompleted, &at
	})
	for n, link := range []journal.Link{
		{RecordID: open, EmployeeID: employee}, {RecordID: open, EmployeeID: "HR-7"}, {RecordID: "TR-404"},
	} {
		link.Tenant, link.Source, link.EnrollmentID = "acme", "lms", fmt.Sprint("E", n)
		require.NoError(t, c.journal.PutLink(t.Context(), link))
	}
	_, found := c.reconcile()
	require.Equal(t, []string{"missing_in_lms:record", "orphan_link:link", "orphan_link:link"}, kinds(found))
	elsewhere := func(in *workflows.BeginReconciliation) {
		in.From, in.To = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	}
	_, found = c.reconcile(elsewhere)
	require.Len(t, found, 3, "they stand")

	require.NoError(t, c.journal.PutLink(t.Context(), journal.Link{Tenant: "acme", Source: "lms", EnrollmentID: "E2", RecordID: open}))
	corrected, ok := c.qms.Record(byHand)
	require.True(t, ok)
	corrected.Status, corrected.CompletionDate = training.RecordInProgress, nil
	c.qms.AddRecord(corrected)
	_, found = c.reconcile(elsewhere)
	require.Len(t, found, 1)
	require.Equal(t, open, found[0].RecordID)
}

// The QMS is away: the page is tried again from its cursor, and nothing is called a mismatch meanwhile.
func TestQMSThatIsAwayIsNoMismatch(t *testing.T) {
	c := newComparing(t)
	c.ended(finishedBy(1))
	c.lms.all = []training.Completion{finishedBy(1)}
	c.qms.Fault(arenasim.EndpointRecord, fault.Status(http.StatusServiceUnavailable, 3))
	_, found := c.reconcile()
	require.Empty(t, found)
}

// A QMS that stops us now and then has the links read to the end: those that were looked at before it did count.
func TestQMSThatStopsUsNowAndThenHasItsLinksReadToTheEnd_R143(t *testing.T) {
	c := newComparing(t)
	const links = 15
	for n := range links {
		link := journal.Link{Tenant: "acme", Source: "lms", EnrollmentID: fmt.Sprint("E", n), RecordID: c.assigned(), EmployeeID: employee}
		require.NoError(t, c.journal.PutLink(t.Context(), link))
	}
	for range links {
		c.qms.Fault(arenasim.EndpointRecord, fault.Fault{Answer: fault.AnswerNormal, Times: 1})
		c.qms.Fault(arenasim.EndpointRecord, fault.Status(http.StatusServiceUnavailable, 1))
	}
	report, found := c.reconcile()
	require.Empty(t, report.GivenUp)
	require.Empty(t, found)
	part, err := c.journal.ReconciliationPart(t.Context(), "acme", report.Run, "links")
	require.NoError(t, err)
	require.Equal(t, links, part.Looked)
	require.Equal(t, 2*links-1, c.qms.Calls(arenasim.EndpointRecord), "nothing is asked twice")
}

// Somebody has paused the QMS: it is not asked, and the report says that nothing was compared there.
func TestPausedQMSIsNotAsked(t *testing.T) {
	c := newComparing(t)
	_, record := c.ended(finishedBy(1))
	calls := c.qms.Calls(arenasim.EndpointRecord)
	_, err := c.journal.Pause(t.Context(), "acme", training.TargetQMS, "acme/qms/1", training.Decision{Action: training.ActionPause, By: "m.keller", Reason: "migration"})
	require.NoError(t, err)
	r := &reconciliation{a: New(Config{Journal: c.journal, Targets: c.journal}), runs: c.journal, tenant: c.tenant, pace: limiter(c.rules),
		run: journal.Reconciliation{Tenant: "acme"}}
	_, _, err = r.read(t.Context(), record)
	failure, ok := errors.AsType[*training.Failure](err)
	require.True(t, ok)
	require.Equal(t, training.FailureHeld, failure.Class)
	require.True(t, failure.Class.Transient(), "it is tried again for a while")
	require.Equal(t, calls, c.qms.Calls(arenasim.EndpointRecord))
}

// Reads of the QMS keep to the rate: at 20 a second they are a twentieth of a second apart.
func TestReadsKeepToTheRate_R146(t *testing.T) {
	c := newComparing(t)
	c.rules.PerSecond = 20
	_, record := c.ended(finishedBy(1))
	r := &reconciliation{a: New(Config{Journal: c.journal}), runs: c.journal, tenant: c.tenant, pace: limiter(c.rules)}
	begun := time.Now()
	for range 30 {
		_, problem, err := r.read(t.Context(), record)
		require.NoError(t, err)
		require.Empty(t, problem)
	}
	require.GreaterOrEqual(t, time.Since(begun), 1400*time.Millisecond, "29 at 20 a second, after the first")
}
