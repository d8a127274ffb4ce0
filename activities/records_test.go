package activities

import (
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

// run executes an activity and returns its result or its failure.
func run[Out any](w *world, name string, in any) (out Out, failure training.Failure) {
	w.t.Helper()
	value, err := w.env.ExecuteActivity(name, in)
	if err == nil {
		if value.HasValue() {
			require.NoError(w.t, value.Get(&out))
		}
		return out, failure
	}
	var application *temporal.ApplicationError
	require.ErrorAs(w.t, err, &application)
	require.NoError(w.t, application.Details(&failure))
	require.Equal(w.t, string(failure.Class), application.Type())
	require.Equal(w.t, !failure.Retryable() || failure.Class == training.FailureHeld, application.NonRetryable())
	return out, failure
}

func (w *world) check(ref workflows.Ref) (workflows.RecordPlan, training.Failure) {
	return run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{Ref: ref, HoldFailed: true})
}

func (w *world) complete(ref workflows.Ref, plan workflows.RecordPlan) (workflows.VerifiedRecord, training.Failure) {
	return run[workflows.VerifiedRecord](w, "CompleteRecord", workflows.CompleteRecord{Ref: ref, RecordID: plan.RecordID, Target: plan.Target})
}

func TestUnknownEmployeeIsAPermanentFailure_R186(t *testing.T) {
	w := newWorld(t)
	c := completion()
	c.Learner.ExternalID = "HR-404"
	_, failure := run[struct{}](w, "ResolveLearner", w.journaled(c))
	require.Equal(t, training.FailureEmployeeUnknown, failure.Class)
	require.NotContains(t, failure.Error(), "HR-404", "no personal data in a failure")
}

func TestEventWithoutEmployeeID_R106(t *testing.T) {
	w := newWorld(t)
	c := completion()
	c.Learner.ExternalID = ""
	_, failure := run[struct{}](w, "ResolveLearner", w.journaled(c))
	require.Equal(t, training.FailureIncomplete, failure.Class)
}

func TestOneOpenRecordIsCompletedAndReadBack_R184(t *testing.T) {
	w := newWorld(t)
	id := w.assigned()
	ref := w.journaled(completion())

	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, workflows.RecordPlan{RecordID: id, Status: training.RecordAssigned, Target: training.RecordCompleted}, plan)
	verified, failure := w.complete(ref, plan)
	require.Empty(t, failure)
	require.Equal(t, workflows.VerifiedRecord{RecordID: id, Status: training.RecordCompleted}, verified)
	require.Len(t, w.qms.Changes(id), 1)
	require.Equal(t, id, w.stored(ref).RecordID, "the record is pinned in the journal")

	proof, err := w.journal.Effect(t.Context(), "acme", ref.Fingerprint, training.EffectRecord)
	require.NoError(t, err)
	require.Contains(t, string(proof.Bytes), `"read":{"id":"`+id)
}

// Whoever carries on finds the same record, also when another one was assigned since.
func TestRetryStaysWithItsRecord(t *testing.T) {
	w := newWorld(t)
	id := w.assigned()
	ref := w.journaled(completion())
	plan, _ := w.check(ref)
	w.qms.Fault(arenasim.EndpointComplete, fault.DropAfter(1))
	_, failure := w.complete(ref, plan)
	require.Empty(t, failure, "settled by reading")
	w.assigned()

	again, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, id, again.RecordID)
	_, failure = w.complete(ref, again)
	require.Empty(t, failure)
	require.Len(t, w.qms.Changes(id), 1, "one effective change")
}

func TestRecordIsNeverGuessed(t *testing.T) {
	status := func(s training.RecordStatus) func(*arenasim.Record) {
		return func(r *arenasim.Record) { r.Status = s }
	}
	completedElse := func(r *arenasim.Record) {
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		r.Status, r.CompletionDate = training.RecordCompleted, &at
	}
	for name, test := range map[string]struct {
		records []func(*arenasim.Record)
		class   training.FailureClass
	}{
		"none":               {nil, training.FailureRecordMissing},
		"two open":           {[]func(*arenasim.Record){status(training.RecordAssigned), status(training.RecordInProgress)}, training.FailureRecordAmbiguous},
		"completed (R187)":   {[]func(*arenasim.Record){completedElse}, training.FailureCompletedElse},
		"expired (R108)":     {[]func(*arenasim.Record){status(training.RecordExpired)}, training.FailureRecordExpired},
		"cancelled (R108)":   {[]func(*arenasim.Record){status(training.RecordCancelled)}, training.FailureRecordCancelled},
		"old one, open one":  {[]func(*arenasim.Record){completedElse, status(training.RecordAssigned)}, ""},
		"cancelled and open": {[]func(*arenasim.Record){status(training.RecordCancelled), status(training.RecordInProgress)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, change := range test.records {
				w.assigned(change)
			}
			_, failure := w.check(w.journaled(completion()))
			require.Equal(t, test.class, failure.Class)
		})
	}
}

func TestCourseWithoutTrainingGoesToReview(t *testing.T) {
	w := newWorld(t)
	c := completion()
	c.Course.Code = "UNMAPPED"
	_, failure := w.check(w.journaled(c))
	require.Equal(t, training.FailureCourseUnmapped, failure.Class)
}

func TestFailedCourseIsHeldByPolicy(t *testing.T) {
	w := newWorld(t)
	w.assigned()
	c := completion()
	failed := false
	c.Score.Passed = &failed
	ref := w.journaled(c)
	_, failure := w.check(ref)
	require.Equal(t, training.FailureNotPassed, failure.Class)
	_, failure = run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{Ref: ref})
	require.Empty(t, failure, "unless the tenant's policy says otherwise")
}

// Approval is asked for where the course's setting or the record says so (R120, R121).
func TestApprovalIsAskedForAndCarried_R120(t *testing.T) {
	for name, course := range map[string]string{"by the course": "APPROVED", "by the record": "COMP-2026"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.assigned(func(r *arenasim.Record) { r.ApprovalRequired = true })
			c := completion()
			c.Course.Code = course
			ref := w.journaled(c)
			plan, _ := w.check(ref)
			require.Equal(t, training.RecordPendingApproval, plan.Target)
			verified, failure := w.complete(ref, plan)
			require.Empty(t, failure)
			require.Equal(t, training.RecordPendingApproval, verified.Status)
			_, failure = run[workflows.Issued](w, "IssueCertificate", workflows.Document{Ref: ref, RecordID: id})
			require.Equal(t, training.FailureDefect, failure.Class, "no certificate before the verified record")

			verified, failure = run[workflows.VerifiedRecord](w, "CarryDecision", workflows.CarryDecision{
				Ref: ref, RecordID: id, Decision: training.Decision{Action: training.ActionApprove, By: "m.keller", Reason: "seen"},
			})
			require.Empty(t, failure)
			require.Equal(t, training.RecordCompleted, verified.Status)
		})
	}
}

func TestTransientFailureIsProjected(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	w.qms.Fault(arenasim.EndpointUser, fault.Status(503, 1))
	_, failure := run[struct{}](w, "ResolveLearner", ref)
	require.Equal(t, training.FailureUnreachable, failure.Class)
	stored := w.stored(ref)
	require.Equal(t, training.StateRetrying, stored.State, "a retrying completion does not count as in flight")
	require.Equal(t, training.FailureUnreachable, stored.FailureClass)

	ref.Again = true
	_, failure = run[struct{}](w, "ResolveLearner", ref)
	require.Empty(t, failure)
	require.Equal(t, training.StateRunning, w.stored(ref).State)
}

// A mapping was wrong, the write failed, the admin corrected the mapping and chose retry: the
// record of the wrong training must not be completed.
func TestPinnedRecordOfAnotherTrainingIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.qms.AddTraining(arenasim.Training{ID: "TP-WRONG", Name: "Another"})
	wrong := w.assigned(func(r *arenasim.Record) { r.TrainingID = "TP-WRONG" })
	right := w.assigned()
	ref := w.journaled(completion())
	require.NoError(t, w.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: training.StateInReview, RecordID: wrong}))
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, right, plan.RecordID)

	require.NoError(t, w.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: training.StateInReview, RecordID: "TR-DELETED"}))
	plan, failure = w.check(ref)
	require.Empty(t, failure, "a record that is gone is looked for anew")
	require.Equal(t, right, plan.RecordID)
}

func TestUnknownTenantAndUnknownCompletionAreDefects(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	stranger := ref
	stranger.Tenant = "globex"
	_, failure := run[struct{}](w, "ResolveLearner", stranger)
	require.Equal(t, training.FailureTenantUnknown, failure.Class, "another worker may know it")
	ref.Fingerprint = training.Completion{}.Fingerprint()
	_, failure = run[struct{}](w, "ResolveLearner", ref)
	require.Equal(t, training.FailureDefect, failure.Class)
}

func TestNextDelay_R129(t *testing.T) {
	retry := training.DefaultPolicy().Retry
	require.Zero(t, nextDelay(retry, 1, 0), "exactly the schedule")
	require.Zero(t, nextDelay(retry, 1, 30*time.Second), "the schedule waits longer anyway")
	require.Equal(t, 3*time.Minute, nextDelay(retry, 1, 3*time.Minute), "Retry-After")
	require.Equal(t, 15*time.Minute, nextDelay(retry, 1, 24*time.Hour), "a person must hear of it today")
	retry.Jitter = 0.2
	for range 100 {
		delay := nextDelay(retry, 2, 0)
		require.GreaterOrEqual(t, delay, 5*time.Minute)
		require.LessOrEqual(t, delay, 6*time.Minute)
	}
}

// The same fact under two identities, from two sources say: the record shows what the second one means, and
// it gets no second certificate (law 2).
func TestSecondIdentityOfACompletionIsNoSecondOne_R92(t *testing.T) {
	w := newWorld(t)
	w.assigned()
	first := w.journaled(completion())
	plan, failure := w.check(first)
	require.Empty(t, failure)
	_, failure = w.complete(first, plan)
	require.Empty(t, failure)

	c := completion()
	c.Learner.ID = "another id of the same person"
	second := w.journaled(c)
	require.NotEqual(t, first.Fingerprint, second.Fingerprint)
	plan, failure = w.check(second)
	require.Empty(t, failure, "the record shows it")
	_, failure = w.complete(second, plan)
	require.Equal(t, training.FailureCompletedElse, failure.Class)
	require.Contains(t, failure.Detail, "another completion")
	require.Len(t, w.qms.Changes(plan.RecordID), 1)
}
