package activities

import (
	"net/http/httptest"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/moodle"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	lmssim "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// finished is when the learner of bare finished; its event came three days later.
func finished() time.Time { return time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC) }

// bare is a completion as Moodle's event brings it: ids and a late instant.
func bare() training.Completion {
	return training.Completion{
		Tenant: "acme", Source: "lms", Platform: "moodle", Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: "5541"},
		CompletedAt: finished().Add(72 * time.Hour), Precision: training.PrecisionMillisecond, CompletedAtSource: "timecreated",
	}
}

// lookingUp gives the world's tenant a Moodle that knows the learner of bare.
func (w *world) lookingUp() *lmssim.LMS {
	w.t.Helper()
	lms, err := lmssim.New(lmssim.Options{Platform: "moodle"})
	require.NoError(w.t, err)
	w.t.Cleanup(lms.Close)
	server := httptest.NewServer(lms.Handler())
	w.t.Cleanup(server.Close)
	lms.AddLearner(lmssim.Learner{ID: "10291", Username: "jlee", Email: "jordan.lee@example.com", ExternalID: employee, FirstName: "Jordan", LastName: "Lee"})
	lms.AddCourse(lmssim.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"})
	lms.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541", CompletedAt: finished(), Score: "91.5", Max: "100"})
	client, err := moodle.New(rest.Config{URL: server.URL, Credentials: map[rest.Key]string{rest.KeyToken: lms.Credentials()["token"]}})
	require.NoError(w.t, err)
	w.tenant.LMS = func(source string) lmsapi.Client {
		if source != "lms" {
			return nil
		}
		return client
	}
	return lms
}

// lookUp runs the step, which must not fail.
func (w *world) lookUp(ref workflows.Ref) {
	w.t.Helper()
	_, failure := run[struct{}](w, "LookUp", ref)
	require.Empty(w.t, failure)
}

// The record gets the employee, the score and the instant that only the LMS knows; the completion stays as it came.
func TestWhatTheEventLacksIsLookedUp_R15(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	ref := w.journaled(bare())
	w.lookUp(ref)

	stored := w.stored(ref)
	require.Equal(t, bare(), stored.Completion)
	require.Equal(t, ref.Fingerprint, stored.Completion.Fingerprint())
	whole, err := enriched(stored)
	require.NoError(t, err)
	require.Equal(t, employee, whole.Learner.ExternalID)
	require.Equal(t, "COMP-2026", whole.Course.Code)

	record := w.assigned()
	_, failure := run[struct{}](w, "ResolveLearner", ref)
	require.Empty(t, failure)
	_, failure = run[workflows.VerifiedRecord](w, "CompleteRecord", workflows.CompleteRecord{Ref: ref, RecordID: record, Target: training.RecordCompleted})
	require.Empty(t, failure)
	written, ok := w.qms.Record(record)
	require.True(t, ok)
	require.NotNil(t, written.CompletionDate)
	require.True(t, finished().Equal(*written.CompletionDate), "the instant at which the learner finished: %s", written.CompletionDate)

	calls := lms.Calls(fault.Any)
	w.lookUp(ref)
	require.Equal(t, calls, lms.Calls(fault.Any), "asked once")
}

// A file that names people by what only the LMS knows starts nothing that their events have started (R128).
func TestFileByLookedUpIDsStartsNothingTwice_R88_R128(t *testing.T) {
	c := newComparing(t)
	c.lookingUp()
	c.lookUp(c.journaled(bare()))
	upload := c.uploaded("email,course_code,completed_at\nJordan.Lee@example.com,COMP-2026," + finished().Format(time.RFC3339) + "\n")
	report, found := c.reconcile(upload)
	require.Zero(t, report.Started, kinds(found))
}

// The fingerprint in a statement leads to the completion in the journal, though the LMS knew another instant.
func TestStatementOfWhatWasLookedUpHasTheEventsFingerprint_R148(t *testing.T) {
	w := newWorld(t)
	w.lookingUp()
	ref := w.journaled(bare())
	w.lookUp(ref)
	record := w.assigned()
	_, failure := run[workflows.VerifiedRecord](w, "CompleteRecord", workflows.CompleteRecord{Ref: ref, RecordID: record, Target: training.RecordCompleted})
	require.Empty(t, failure)
	_, failure = run[workflows.Issued](w, "PostStatement", workflows.Document{Ref: ref, RecordID: record})
	require.Empty(t, failure)
	stored, err := w.journal.Effect(t.Context(), "acme", ref.Fingerprint, training.EffectStatement)
	require.NoError(t, err)
	require.Contains(t, string(stored.Bytes), string(ref.Fingerprint))
	require.Contains(t, string(stored.Bytes), finished().Format("2006-01-02T15:04:05.000Z"))
}

// A retry, a replay and another worker see what the first look-up saw, whatever the LMS says by then. Only an employee
// id that was missing is taken.
func TestWhatWasLookedUpStands_R15(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	lms.AddLearner(lmssim.Learner{ID: "10291", Username: "jlee", Email: "first@example.com"})
	ref := w.journaled(bare())
	w.lookUp(ref)

	lms.AddLearner(lmssim.Learner{ID: "10291", Username: "jlee", Email: "second@example.com", ExternalID: employee})
	lms.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541", CompletedAt: finished().Add(time.Hour), Score: "12", Max: "100"})
	w.lookUp(ref)
	whole, err := enriched(w.stored(ref))
	require.NoError(t, err)
	require.Equal(t, training.Learner{ID: "10291", Username: "jlee", Email: "first@example.com", ExternalID: employee}, whole.Learner)
	require.Equal(t, finished(), whole.CompletedAt)
	require.Equal(t, "91.5", whole.Score.Raw)
}

// A completion that was begun before its source had an API is finished as its event came: another instant would be
// another write.
func TestBegunCompletionIsNotLookedUp(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	ref := w.journaled(bare())
	require.NoError(t, w.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: training.StateRunning, RecordID: "TR-1"}))
	w.lookUp(ref)
	require.Zero(t, lms.Calls(fault.Any))
	require.Nil(t, w.stored(ref).Enrichment)
}

// A person named the employee whom the LMS does not, so the look-up would be repeated on every replay: what is
// written stays what was written.
func TestBegunCompletionIsNotLookedUpAgain(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	lms.AddLearner(lmssim.Learner{ID: "10291", Username: "jlee"})
	lms.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541", CompletedAt: finished()})
	ref := w.journaled(bare())
	w.lookUp(ref)
	require.NoError(t, w.journal.Project(t.Context(), "acme", ref.Fingerprint, journal.Projection{State: training.StateRunning, RecordID: "TR-1"}))
	before := w.stored(ref).Enrichment
	lms.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541", CompletedAt: finished(), Score: "12", Max: "100"})
	w.lookUp(ref)
	require.JSONEq(t, string(before), string(w.stored(ref).Enrichment))
}

func TestSourceWithoutAnAPIIsNotLookedUp(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(bare())
	w.lookUp(ref) // no API at all
	w.lookingUp()
	other := bare()
	other.Source = "portal"
	w.lookUp(w.journaled(other))
}

// Links are found by the keys that enrollment events have, which know nothing of what was looked up.
func TestLinksKeepTheEventsKeys_R97(t *testing.T) {
	w := newWorld(t)
	w.lookingUp()
	c := bare()
	c.EnrollmentID = "E-1"
	record := w.assigned()
	ref := w.journaled(c)
	w.lookUp(ref)
	_, failure := run[workflows.RecordPlan](w, "CheckRecord", workflows.CheckRecord{Ref: ref})
	require.Empty(t, failure)
	link, err := w.journal.FindLink(t.Context(), "acme", "lms", "E-1", c.Learner.Key(), c.Course.Key())
	require.NoError(t, err)
	require.Equal(t, record, link.RecordID)
}

func TestFailedLookUpPointsToTheLMS_R15_R133(t *testing.T) {
	for want, scripted := range map[training.FailureClass]fault.Fault{
		training.FailureLMSUnreachable: fault.Status(503, fault.Forever),
		training.FailureLMSCredentials: fault.Status(403, fault.Forever),
		training.FailureLMSRateLimited: fault.RateLimited("60", fault.Forever),
		training.FailureLMSMisread:     fault.Malformed(fault.Forever),
		training.FailureLMSRefused:     fault.Status(404, fault.Forever),
	} {
		w := newWorld(t)
		lms := w.lookingUp()
		lms.Fault(fault.Any, scripted)
		ref := w.journaled(bare())
		_, failure := run[struct{}](w, "LookUp", ref)
		require.Equal(t, want, failure.Class)
		require.NotContains(t, failure.Error(), "10291")
		require.Nil(t, w.stored(ref).Enrichment)
	}
}

func TestRehearsalLooksUp_R15_R190(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	w.assigned()
	r := w.rehearse(bare())
	require.Empty(t, r.Problems)
	require.Equal(t, "From the LMS would be added what the event lacks: username, e-mail, external id, name, course title, "+
		"course code, completion date, score.", r.WouldDo[0])
	require.Contains(t, r.WouldDo[1], "would be set to COMPLETED")

	lms.Fault(fault.Any, fault.Status(503, fault.Forever))
	require.Equal(t, []training.FailureClass{training.FailureLMSUnreachable}, classes(w.rehearse(bare())))
}

// The whole way, on the real workflow: the first look-up fails, the retry does not, nobody is asked.
func TestCompletionIsLookedUpOnItsWay_R15_R123(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	s := newHouse(t).stage(t)
	s.tenant.LMS = w.tenant.LMS
	s.completion = bare()
	s.completion.CompletedAt = finished()
	record := s.assigned()
	lms.Fault(fault.Any, fault.Status(503, 1))
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.Empty(t, s.reviews)
	require.True(t, s.shows(record, training.RecordCompleted))
	require.Len(t, s.mine(record), 1)
}

// A completion that is looked up in vain asks a person once, and goes on when the LMS is mended.
func TestLookUpInVainIsAReview_R133(t *testing.T) {
	w := newWorld(t)
	lms := w.lookingUp()
	s := newHouse(t).stage(t)
	s.tenant.LMS = w.tenant.LMS
	s.completion = bare()
	s.completion.CompletedAt = finished()
	record := s.assigned()
	lms.Fault(fault.Any, fault.Status(403, fault.Forever))
	s.onReview = func(training.Failure) training.Action {
		lms.ClearFaults()
		return training.ActionRetry
	}
	require.Equal(t, training.OutcomeCompleted, s.run().Outcome)
	require.Equal(t, []training.FailureClass{training.FailureLMSCredentials}, s.classes())
	require.True(t, s.shows(record, training.RecordCompleted))
}
