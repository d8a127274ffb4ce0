package activities

import (
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

func TestEnrollmentUnderFaults_R98_R123(t *testing.T) {
	for name, f := range map[string]fault.Fault{
		"reset after the commit": fault.DropAfter(1),
		"500 after the commit":   fault.CommitThenStatus(500, 1),
		"503":                    fault.Status(503, 1),
		"201 and nothing done":   fault.Silent(1),
		"no JSON":                fault.Malformed(1),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.qms.Fault(arenasim.EndpointCreate, f)
			ref := w.enrolled(enrollment())
			linked, failure := w.link(ref)
			if failure.Class != "" {
				require.True(t, failure.Retryable(), failure.Class)
				stored, err := w.journal.Enrollment(t.Context(), "acme", ref.Key)
				require.NoError(t, err)
				require.Equal(t, training.EnrollmentRetrying, stored.State, "it holds no slot while it waits")
				linked, failure = w.link(ref)
			}
			require.Empty(t, failure)
			require.Len(t, w.qms.Records(), 1)
			require.Equal(t, w.qms.Records()[0].ID, linked.RecordID)
		})
	}
}

func TestEnrollmentIsHeld(t *testing.T) {
	w := newWorld(t)
	_, err := w.journal.Pause(t.Context(), "acme", training.TargetQMS, "acme/qms/1", training.Decision{Action: training.ActionPause, By: "ops", Reason: "upgrade"})
	require.NoError(t, err)
	ref := w.enrolled(enrollment())
	_, failure := w.link(ref)
	require.Equal(t, training.FailureHeld, failure.Class)
	require.Empty(t, failure.Attempts)
	require.Empty(t, w.qms.Log(0), "nothing was asked")
	stored, err := w.journal.Enrollment(t.Context(), "acme", ref.Key)
	require.NoError(t, err)
	require.Equal(t, training.EnrollmentRetrying, stored.State)
}

func TestHeldEnrollmentAsksNoLMS_R15(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	w.held(time.Time{}, "")
	e := enrollment()
	e.Learner, e.Course = bare().Learner, bare().Course
	_, failure := w.link(w.enrolled(e))
	require.Equal(t, training.FailureHeld, failure.Class)
	require.Zero(t, lms.Calls(fault.Any))
}

func TestOutageThatEnrollmentsMeet(t *testing.T) {
	w := holding(t)
	w.tenant.Policy.Enrollments = training.EnrollmentsCreate
	other := enrollment()
	other.EnrollmentID = "2"
	refs := []workflows.EnrollmentRef{w.enrolled(enrollment()), w.enrolled(other)}
	w.qms.Fault(arenasim.EndpointRecords, fault.Status(503, fault.Forever))
	var unreachable training.Failure
	for _, ref := range refs {
		require.Equal(t, training.TargetAnswering, w.target().State)
		_, unreachable = w.link(ref)
		require.Equal(t, training.FailureUnreachable, unreachable.Class)
		require.Equal(t, training.TargetQMS, unreachable.Target)
	}
	target := w.target()
	require.Equal(t, training.TargetHeld, target.State)
	require.Equal(t, string(refs[1].Key), string(target.Example))
	require.Len(t, w.outages.watched, 1)
	_, failure := w.link(refs[0])
	require.Equal(t, training.FailureHeld, failure.Class)

	// What has failed is parked by its workflow; both go on when it is over, behind the completions.
	parked := training.Fail(training.FailureUnreachable, "find record", "", "503")
	parked.Target = unreachable.Target
	_, err := w.env.ExecuteActivity("RecordEnrollment", workflows.RecordEnrollment{EnrollmentRef: refs[1], State: training.EnrollmentInReview, Failure: parked})
	require.NoError(t, err)
	completion := w.learner(1)
	_, failure = run[struct{}](w, "ResolveLearner", completion)
	require.Equal(t, training.FailureHeld, failure.Class)

	require.Equal(t, training.TargetHeld, w.look().State, "the probe asks what has failed")
	w.qms.ClearFaults(arenasim.EndpointRecords)
	require.Equal(t, training.TargetAnswering, w.look().State)

	in := workflows.ResumeWaiting{
		TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Incident: target.Incident, Limit: 2,
		ParkedSince: target.BeganAt.Add(-time.Minute), Reason: "the qms answers again",
	}
	var resumed []workflows.ResumedPage
	for more := true; more; {
		page, failure := run[workflows.ResumedPage](w, "ResumeWaiting", in)
		require.Empty(t, failure)
		resumed, in.After, more = append(resumed, page), page.Next, page.More
	}
	require.Len(t, resumed, 2)
	require.Equal(t, []int{1, 1, 0, 1}, []int{resumed[0].Resumed, resumed[0].Enrollments, resumed[1].Resumed, resumed[1].Enrollments})
	require.Equal(t, completion.Fingerprint, w.outages.resumed[0].w.Fingerprint)
	ids := map[string]bool{}
	for i, ref := range refs {
		told := w.outages.resumed[i+1]
		require.Equal(t, ref.Key, told.w.Enrollment)
		require.Equal(t, i == 0, told.w.Held)
		ids[told.id] = true
	}
	require.Len(t, ids, 2)
	in.After, in.FailedAfter = workflows.Place{}, time.Now()
	page, failure := run[workflows.ResumedPage](w, "ResumeWaiting", in)
	require.Empty(t, failure)
	require.Zero(t, page.Resumed+page.Enrollments, "all of them went on with the first pass")

	refs[0].Again = true
	_, failure = w.link(refs[0])
	require.Empty(t, failure)
	stored, err := w.journal.Enrollment(t.Context(), "acme", refs[0].Key)
	require.NoError(t, err)
	require.Equal(t, training.EnrollmentRunning, stored.State, "it is under way again")
}

func TestEnrollmentsOfOneTrainingHoldNobodyForEver(t *testing.T) {
	w := holding(t)
	w.tenant.Policy.Enrollments = training.EnrollmentsCreate
	w.qms.Fault(arenasim.EndpointRecords, fault.Status(503, fault.Forever))
	for n := range 2 {
		e := enrollment()
		e.EnrolledAt = e.EnrolledAt.Add(time.Duration(n) * time.Hour)
		_, failure := w.link(w.enrolled(e))
		require.Equal(t, training.FailureUnreachable, failure.Class)
	}
	var states []training.TargetState
	for look := range 3 {
		standing, failure := run[workflows.TargetStanding](w, "LookAtTarget", workflows.LookAtTarget{
			TargetRef: workflows.TargetRef{Tenant: "acme", Target: training.TargetQMS}, Probe: true, Look: look,
		})
		require.Empty(t, failure)
		states = append(states, standing.State)
	}
	require.Equal(t, []training.TargetState{training.TargetHeld, training.TargetHeld, training.TargetAnswering}, states)
}

func TestMissingPermissionToCreateHoldsNothing(t *testing.T) {
	w := holding(t)
	w.tenant.Policy.Enrollments = training.EnrollmentsCreate
	w.qms.Fault(arenasim.EndpointCreate, fault.Status(403, fault.Forever))
	for n := range 4 {
		e := enrollment()
		e.EnrolledAt = e.EnrolledAt.Add(time.Duration(n) * time.Hour)
		_, failure := w.link(w.enrolled(e))
		require.Equal(t, training.FailureCredentials, failure.Class)
	}
	require.Equal(t, training.TargetAnswering, w.target().State)
}

func TestEnrollmentsThatWereSwitchedOff_R98(t *testing.T) {
	for _, policy := range []training.Enrollments{training.EnrollmentsIgnore, "", "unheard of"} {
		w := newWorld(t)
		w.tenant.Policy.Enrollments = policy
		_, failure := w.link(w.enrolled(enrollment()))
		require.Equal(t, training.FailureEnrollmentsOff, failure.Class)
		require.True(t, failure.Retryable(), "this worker may be the last to be given the settings that want them")
		require.Empty(t, w.qms.Log(0), "nothing was asked")
	}
}
