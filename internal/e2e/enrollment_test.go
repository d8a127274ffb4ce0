package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lmssim "countersign/internal/simulator/lmsapi"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// enrollmentBody is the n-th learner's enrollment, as an LMS sends it.
func enrollmentBody(n int) []byte {
	raw, err := json.Marshal(sender.Envelope{
		ID: fmt.Sprintf("wh-e%d", n), Event: sender.EventEnrollment, Version: "1.0",
		FiredAt: "2026-04-01T08:00:00.000Z", Timestamp: 1775030400, OriginalDomain: "acme.lms.example.com",
		Payload: sender.Payload{
			User:   sender.User{ID: 10000 + n, Email: "jordan.lee@example.com", FirstName: "Jordan", LastName: "Lee", ExternalID: fmt.Sprintf("HR-%d", n)},
			Course: sender.Course{ID: 5541, Title: "Annual Compliance Training 2026", Code: "COMP-2026"},
		},
	})
	if err != nil {
		panic(err) // the type is ours and always encodes
	}
	return raw
}

// employ makes somebody known to the QMS who has no record.
func (s *system) employ(n int) {
	s.qms.AddUser(arena.User{EmployeeID: fmt.Sprintf("HR-%d", n), FullName: "Jordan Lee", Active: true})
}

func (s *system) enrollment(j *journal.Journal, key training.EnrollmentKey) journal.StoredEnrollment {
	s.t.Helper()
	stored, err := j.Enrollment(s.t.Context(), tenant, key)
	require.NoError(s.t, err)
	return stored
}

// Enrollment and completion in either order, the first delivered twenty times at once: one record, completed once.
func TestEnrollmentsThroughTheWholeSystem_R97_R98(t *testing.T) {
	s := newSystem(t, policy("enrollments: create"))
	j := s.journal()
	for n := 1; n <= 2; n++ {
		s.employ(n)
	}
	early := s.complete(2) // before its enrollment
	s.becomes(j, early, training.StateInReview)

	keys := make([]training.EnrollmentKey, 20)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			if answer, err := s.post(enrollmentBody(1)); err == nil && len(answer.Enrollments) == 1 {
				keys[i] = answer.Enrollments[0].Enrollment
			}
		})
	}
	group.Wait()
	answer, err := s.post(enrollmentBody(2))
	require.NoError(t, err)
	for _, key := range keys {
		require.Equal(t, keys[0], key)
	}
	s.eventually(func() bool { return s.enrollment(j, keys[0]).State == training.EnrollmentLinked }, "the enrollment is linked")
	record := s.enrollment(j, keys[0]).RecordID
	late := s.complete(1)
	s.becomes(j, late, training.StateCompleted)
	s.becomes(j, early, training.StateCompleted) // nobody had to decide
	s.requireOneEffectOfEachKind(
		[]string{record, s.enrollment(j, answer.Enrollments[0].Enrollment).RecordID}, []training.Fingerprint{late, early})
	require.Len(t, s.qms.Records(), 2)
	s.record("enrollment", training.Fingerprint(workflows.EnrollmentID(keys[0])))

	answer, err = s.post(enrollmentBody(3)) // nobody the QMS knows
	require.NoError(t, err)
	unknown := answer.Enrollments[0].Enrollment
	s.eventually(func() bool { return s.enrollment(j, unknown).State == training.EnrollmentInReview }, "in review")
	id := training.Fingerprint(workflows.EnrollmentID(unknown))
	s.decide(id, workflows.ReviewSignal, training.ActionRetry)
	s.eventually(func() bool { return s.update(id, decision(training.ActionClose)) == nil }, "a second review")
	s.eventually(func() bool { return s.enrollment(j, unknown).State == training.EnrollmentClosed }, "closed")
	s.record("enrollment-closed", id)

	// Begun again by a person, and only so (R142).
	s.employ(3)
	out, err := s.starterCommand("replay", tenant, string(id))
	require.Error(t, err, out)
	require.Contains(t, out, "-by and -reason")
	replay := []string{"replay", "-by", "m.keller", "-reason", "employee created", tenant, string(id)}
	out, err = s.starterCommand(replay...)
	require.NoError(t, err, out)
	s.eventually(func() bool { return s.enrollment(j, unknown).State == training.EnrollmentLinked }, "linked after all")
	out, err = s.starterCommand(replay...)
	require.Error(t, err, out)
	require.Contains(t, out, "its state is LINKED")
	require.Len(t, s.qms.Records(), 3)
}

// An enrollment is linked while the completion is on its way into the review: it is tried once more before anybody is asked, and
// here in vain, because the record is gone again.
func TestRecordThatArrivesOnTheWayIntoTheReview_R98(t *testing.T) {
	s := newSystem(t)
	s.employ(1)
	later, err := journal.Open(t.Context(), s.env["COUNTERSIGN_JOURNAL"], journal.Options{Now: func() time.Time { return time.Now().Add(time.Minute) }})
	require.NoError(t, err)
	learner, course := training.Learner{ID: "10001"}, training.Course{ID: "5541"}
	require.NoError(t, later.PutLink(t.Context(), journal.Link{
		Tenant: tenant, Source: "lms", LearnerKey: learner.Key(), CourseKey: course.Key(), EmployeeID: "HR-1", RecordID: "TR-gone",
	}))
	require.NoError(t, later.Close())

	j, f := s.journal(), s.complete(1)
	s.eventually(func() bool {
		decisions, err := j.Decisions(t.Context(), tenant, f)
		require.NoError(t, err)
		return len(decisions) == 1 && decisions[0].Decision == training.EnrollmentArrived("TR-gone") && state(s, j, f) == training.StateInReview
	}, "a second review")
	s.decide(f, workflows.ReviewSignal, training.ActionClose)
	s.becomes(j, f, training.StateClosed)
	s.record("review-arrived", f)
}

// The QMS is away while enrollments come: they go on by themselves when it is back, and not hours later.
func TestHeldEnrollmentsGoOnWhenTheOutageIsOver_R98_R133(t *testing.T) {
	s := newSystem(t, policy("enrollments: create, digest_every: 1s, outage: {probe: {first: 500ms, maximum: 1s}, resume_per_second: 20}"))
	j := s.journal()
	s.qms.Fault(fault.Any, fault.Status(503, fault.Forever))
	keys := make([]training.EnrollmentKey, 12)
	for n := range keys {
		s.employ(n)
		answer, err := s.post(enrollmentBody(n))
		require.NoError(t, err)
		keys[n] = answer.Enrollments[0].Enrollment
	}
	s.eventually(func() bool { return s.qmsTarget(j).State == training.TargetHeld }, "held")
	var held training.EnrollmentKey
	s.eventually(func() bool {
		for _, key := range keys {
			if s.enrollment(j, key).FailureClass == training.FailureHeld {
				held = key
			}
		}
		return held != ""
	}, "one waits for the end of it")
	id := training.Fingerprint(workflows.EnrollmentID(held))
	s.eventually(func() bool { return s.update(id, decision(training.ActionRetry)) == nil }, "a person has it tried all the same")
	s.eventually(func() bool {
		counts, err := j.OpenEnrollments(t.Context())
		return err == nil && counts[training.EnrollmentRunning]+counts[training.EnrollmentStarting] == 0 &&
			s.enrollment(j, held).FailureClass == training.FailureHeld
	}, "everything waits")

	s.qms.ClearFaults()
	s.eventually(func() bool {
		counts, err := j.OpenEnrollments(t.Context())
		return err == nil && len(counts) == 0
	}, "all end without a person")
	for _, key := range keys {
		require.Equal(t, training.EnrollmentLinked, s.enrollment(j, key).State)
	}
	require.Len(t, s.qms.Records(), len(keys))
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(outage()), "").Get(t.Context(), nil))
	mails, err := s.mail.Wait(t.Context(), 2)
	require.NoError(t, err)
	require.Contains(t, mails[1].Text, "enrollments went on by themselves")
	s.record("enrollment-held", id)
}

// enrolledInMoodle is what Moodle sends of Jordan Lee's enrollment, which says hardly anything.
const enrolledInMoodle = `{"eventname":"\\core\\event\\user_enrolment_created","courseid":"5541","relateduserid":"10291","timecreated":"1775831422"}`

// The LMS gives no more calls for now: the enrollment waits for its turn beyond its retries, and nobody is asked.
func TestEnrollmentWaitsForItsTurnAtTheLMS_R15_R98(t *testing.T) {
	moodle, err := lmssim.New(lmssim.Options{Platform: "moodle"})
	require.NoError(t, err)
	t.Cleanup(moodle.Close)
	moodle.AddLearner(lmssim.Learner{ID: "10291", Username: "jordan.lee", Email: "jordan.lee@example.com", ExternalID: "HR-1", FirstName: "Jordan", LastName: "Lee"})
	moodle.AddCourse(lmssim.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"})
	moodle.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541"})
	moodle.Fault(fault.Any, fault.Status(http.StatusTooManyRequests, 6))
	url := serve(t, moodle.Handler())

	s := newSystem(t, policy("enrollments: create"), func(p *plan) { p.moodle = url })
	s.employ(1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/webhooks/lms/acme/portal", strings.NewReader(enrolledInMoodle))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := lms.Do(request)
	require.NoError(t, err)
	var answer receipt
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.NoError(t, response.Body.Close())
	require.Len(t, answer.Enrollments, 1)

	key, j := answer.Enrollments[0].Enrollment, s.journal()
	s.eventually(func() bool { return s.enrollment(j, key).State == training.EnrollmentLinked }, "the enrollment is linked")
	require.Len(t, s.qms.Records(), 1)
	s.record("enrollment-in-turn", training.Fingerprint(workflows.EnrollmentID(key)))
}
