package training_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func enrollment() training.Enrollment {
	return training.Enrollment{
		Tenant: "acme", Source: "lms", Platform: "adobe-learning-manager", EnrollmentID: "88121",
		Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: "5541"}, EnrolledAt: completedAt,
	}
}

func TestEnrollmentKeyTellsEnrollmentsApart_R97(t *testing.T) {
	seen := map[training.EnrollmentKey]string{}
	for name, change := range map[string]func(*training.Enrollment){
		"as it is":              func(*training.Enrollment) {},
		"another tenant":        func(e *training.Enrollment) { e.Tenant = "globex" },
		"another source":        func(e *training.Enrollment) { e.Source = "lms2" },
		"fields moved together": func(e *training.Enrollment) { e.Source, e.EnrollmentID = "lms8", "8121" },
		"another enrollment":    func(e *training.Enrollment) { e.EnrollmentID = "88122" },
		"no enrollment id":      func(e *training.Enrollment) { e.EnrollmentID = "" },
		"another learner":       func(e *training.Enrollment) { e.Learner.ID = "10292" },
		"another course":        func(e *training.Enrollment) { e.Course.ID = "5542" },
		"another time":          func(e *training.Enrollment) { e.EnrolledAt = e.EnrolledAt.Add(time.Second) },
	} {
		e := enrollment()
		change(&e)
		_, err := training.ParseEnrollmentKey(string(e.Key()))
		require.NoError(t, err)
		require.Empty(t, seen[e.Key()], "%s and %s", name, seen[e.Key()])
		seen[e.Key()] = name
	}
	same := enrollment() // what is only shown does not count
	same.EventID, same.Course.Title, same.Learner.FirstName = "wh-2", "GDPR", "Jane"
	same.EnrolledAt = same.EnrolledAt.In(time.FixedZone("", 7200)).Add(time.Microsecond)
	require.Equal(t, "as it is", seen[same.Key()])
	_, err := training.ParseEnrollmentKey("X")
	require.Error(t, err)
}

func TestEnrollmentRef_R98(t *testing.T) {
	e := enrollment()
	c := training.Completion{Tenant: e.Tenant, Source: e.Source, EnrollmentID: e.EnrollmentID, Learner: e.Learner, Course: e.Course}
	require.Equal(t, c.ExternalRef(), e.ExternalRef(), "as the completion computes it")
	require.NotEqual(t, e.ExternalRef(), e.OwnRef())
	without := e
	without.EnrollmentID = ""
	require.Equal(t, without.OwnRef(), without.ExternalRef())
	for _, ref := range []string{e.OwnRef(), without.ExternalRef()} {
		require.Regexp(t, `^lms:enrollment:[0-9a-f]{32}$`, ref)
	}
}

func TestEnrollmentFulfilledBy(t *testing.T) {
	midnight := training.PrecisionDay.Truncate(completedAt)
	for name, test := range map[string]struct {
		record training.Record
		want   bool
	}{
		"afterwards":       {training.Record{Status: training.RecordCompleted, CompletedAt: completedAt.Add(time.Hour)}, true},
		"at once":          {training.Record{Status: training.RecordCompleted, CompletedAt: completedAt.Truncate(time.Second)}, true},
		"the day":          {training.Record{Status: training.RecordCompleted, CompletedAt: midnight}, true},
		"the day before":   {training.Record{Status: training.RecordCompleted, CompletedAt: midnight.Add(-24 * time.Hour)}, false},
		"a minute before":  {training.Record{Status: training.RecordCompleted, CompletedAt: completedAt.Add(-time.Minute)}, false},
		"not completed":    {training.Record{Status: training.RecordCancelled, CompletedAt: completedAt.Add(time.Hour)}, false},
		"without its date": {training.Record{Status: training.RecordCompleted}, false},
	} {
		require.Equal(t, test.want, enrollment().FulfilledBy(test.record), name)
	}
}

func TestEnrollmentValidate_R86(t *testing.T) {
	require.NoError(t, enrollment().Validate())
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for want, change := range map[string]func(*training.Enrollment){
		"no learner id":                   func(e *training.Enrollment) { e.Learner = training.Learner{FirstName: "Jane"} },
		"no course id":                    func(e *training.Enrollment) { e.Course = training.Course{} },
		"no enrollment date":              func(e *training.Enrollment) { e.EnrolledAt = time.Time{} },
		"enrollment date outside":         func(e *training.Enrollment) { e.EnrolledAt = far },
		"due date outside":                func(e *training.Enrollment) { e.DueAt = &far },
		"enrollment id longer":            func(e *training.Enrollment) { e.EnrollmentID = strings.Repeat("x", 1001) },
		"course title contains a control": func(e *training.Enrollment) { e.Course.Title = "a\x00" },
		"learner id is not UTF-8":         func(e *training.Enrollment) { e.Learner.ID = "\xff" },
	} {
		e := enrollment()
		change(&e)
		require.ErrorIs(t, e.Validate(), training.ErrIncompleteEnrollment)
		require.ErrorContains(t, e.Validate(), want)
	}
}

func TestEnrollmentStatesEnd(t *testing.T) {
	ended := map[training.EnrollmentState]bool{}
	for _, s := range constants[training.EnrollmentState](t, "EnrollmentState") {
		ended[s] = s.Ended()
	}
	require.Equal(t, map[training.EnrollmentState]bool{
		"QUEUED": false, "STARTING": false, "RUNNING": false, "RETRYING": false, "IN_REVIEW": false,
		"LINKED": true, "CLOSED": true, "EXPIRED_IN_REVIEW": true,
	}, ended)
}
