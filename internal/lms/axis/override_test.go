package axis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/axis"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

func decode(t *testing.T, d mapping.Definition, r lmstest.Recorded) lms.Decoded {
	t.Helper()
	d.Version = "acme-1"
	m, err := axis.DefaultMapping().Override(d)
	require.NoError(t, err)
	decoded, err := axis.New(m).Decode(r.Request())
	require.NoError(t, err)
	lmstest.Check(t, axis.New(m), decoded, err)
	return decoded
}

// overridden is the sample as an override has read it.
func overridden(change func(*training.Completion)) []training.Completion {
	return santos(func(c *training.Completion) {
		c.Platform, c.MappingVersion = "axis", "axis/acme-1"
		change(c)
	})
}

// TestVendorsOwnNames: nobody knows them, so whatever they are a mapping can read them.
func TestVendorsOwnNames(t *testing.T) {
	decoded := decode(t, mapping.Definition{Fields: map[mapping.Target]mapping.Field{
		mapping.Event:           {Path: "$.action", Transform: `statusMap:Done=course_complete,Begun=course_start`},
		mapping.LearnerID:       {Path: "$['Account No.']"},
		mapping.LearnerUsername: {Omit: true},
		mapping.CourseID:        {Path: "$.what.id"},
		mapping.CompletedAt:     {Path: "$.when", Parse: "MM/dd/yyyy HH:mm", Zone: "America/New_York"},
		mapping.Passed:          {Path: "$.ok", Transform: "statusMap:yes=true,no=false"},
	}}, lmstest.JSON("", `{"action":"Done","Account No.":"007","what":{"id":"HH-101"},"course_name":"Hand hygiene",
		"when":"04/11/2026 10:30","ok":"no","user_score":"88","course_passing_score":"70"}`))
	require.Empty(t, decoded.Problems)
	require.Equal(t, overridden(func(c *training.Completion) {
		c.Learner = training.Learner{ID: "007"}
		c.CompletedAt, c.Precision, c.CompletedAtSource = time.Date(2026, 4, 11, 14, 30, 0, 0, time.UTC), training.PrecisionMillisecond, "when"
		c.Score.Passed = &no
	}), decoded.Completions)
}

// TestEventOfAnOverride decides what the event is where it makes one of our names, against URL and body too.
func TestEventOfAnOverride_R79(t *testing.T) {
	byType := mapping.Definition{Fields: map[mapping.Target]mapping.Field{
		mapping.Event: {Path: "$.type", Transform: "statusMap:C=certification,R=recertification,S=course_start"},
	}}
	renewed := decode(t, byType, event("certification", forks+`,"type":"R"`))
	require.Empty(t, renewed.Problems)
	require.Equal(t, "recertification", renewed.Completions[0].Event)

	begun := decode(t, byType, event("course_complete", scored+`,"type":"S"`).At("course_complete"))
	require.Equal(t, []lms.Ignored{{Event: "course_start", Reason: "not a completion: a start of training"}}, begun.Ignored)
	require.Empty(t, begun.Completions)
}

// TestSpellingsThatDiffer: an override has a way out of a name that says two things.
func TestSpellingsThatDiffer(t *testing.T) {
	decoded := decode(t, mapping.Definition{Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID: {Path: "$.userName"}, mapping.LearnerUsername: {Path: "$.userName"},
	}}, lmstest.JSON("", `{"event":"course_complete","course_catalog_id":"HH-101","course_name":"Hand hygiene","userName":"r.santos",
		"User Name":"Ramona Santos","user_score":"88","course_passing_score":"70","date":"20260411"}`))
	require.Empty(t, decoded.Problems)
	require.Equal(t, overridden(same), decoded.Completions)
}

// TestCompletionWhenSettlesAnUnknownEvent, and still makes no completion of a start.
func TestCompletionWhenSettlesAnUnknownEvent_R79(t *testing.T) {
	when := mapping.Definition{CompletionWhen: &mapping.Condition{Path: "$.state", In: []string{"done"}}}
	done := decode(t, when, unnamed("", path+`,"state":"done"`))
	require.Empty(t, done.Problems)
	require.Equal(t, training.Course{Title: "New hire path"}, done.Completions[0].Course)
	require.Nil(t, done.Completions[0].Score.Passed)

	open := decode(t, when, unnamed("", path+`,"state":"open"`))
	require.Equal(t, []lms.Ignored{{Reason: "state: is none of the mapping's completionWhen"}}, open.Ignored)
	require.NotEmpty(t, decode(t, when, event("course_start", hygiene+`,"state":"done"`)).Ignored)
}

// TestCompletionWhenStandsForAScore: a course without one is a completion at its URL where a member says so.
func TestCompletionWhenStandsForAScore(t *testing.T) {
	when := mapping.Definition{CompletionWhen: &mapping.Condition{Path: "$.state", In: []string{"done"}}}
	decoded := decode(t, when, unnamed("course_complete", hygiene+`,"state":"done"`))
	require.Empty(t, decoded.Problems)
	require.Equal(t, "course_complete", decoded.Completions[0].Event)

	named := mapping.Definition{Fields: map[mapping.Target]mapping.Field{mapping.Event: {Path: "$.state", Transform: "statusMap:done=course_complete"}}}
	require.Len(t, decode(t, named, unnamed("course_complete", hygiene+`,"state":"done"`)).Completions, 1)
}

// TestSecretIsNoField: no path reads the secret that came as a parameter, so no answer and no trace shows it.
func TestSecretIsNoField(t *testing.T) {
	for _, key := range []string{"auth_secret", "Auth Secret"} {
		decoded := decode(t, mapping.Definition{Fields: map[mapping.Target]mapping.Field{
			mapping.EnrollmentID: {Path: "$['auth_secret','Auth Secret']"}, mapping.CourseCode: {Path: "$[?search(@, 's3cret')]"},
		}}, event("course_complete", scored+`,"`+key+`":"`+secret+`"`))
		require.Equal(t, overridden(same), decoded.Completions)
	}
}

// TestTwoHooksAreOneCompletion_R80: the global and the course's own hook post the same event to two URLs, and may
// name it in two ways.
func TestTwoHooksAreOneCompletion_R80(t *testing.T) {
	var all []training.Fingerprint
	for _, r := range []lmstest.Recorded{
		event("course_complete", scored), unnamed("course_complete", scored), unnamed("", scored),
		lmstest.Form("", "Course+Name=Hand+hygiene&course_catalog_id=HH-101&score=88&passing_score=70&username=r.santos&date=2026-04-11").At("course_complete"),
	} {
		decoded, err := axis.New(nil).Decode(r.Request())
		require.NoError(t, err)
		all = append(all, decoded.Completions[0].Fingerprint())
	}
	for _, fingerprint := range all {
		require.Equal(t, all[0], fingerprint)
	}
}

// TestRenewalIsAnotherCompletion_R161: the same person, program and number, at another time.
func TestRenewalIsAnotherCompletion_R161(t *testing.T) {
	var all []training.Fingerprint
	for _, name := range []string{"certification-certified", "certification-recertified"} {
		decoded, err := axis.New(nil).Decode(lmstest.Sample(t, "testdata", name).Request())
		require.NoError(t, err)
		all = append(all, decoded.Completions[0].Fingerprint())
	}
	require.NotEqual(t, all[0], all[1])
}

// TestSentAgainOnAnotherDay is the trap of a date that is the day of sending: nothing in the delivery says that the two
// are one. It is written down here so that whoever finds a way can see it.
func TestSentAgainOnAnotherDay(t *testing.T) {
	today, err := axis.New(nil).Decode(dated(`"20260411"`).Request())
	require.NoError(t, err)
	tomorrow, err := axis.New(nil).Decode(dated(`"20260412"`).Request())
	require.NoError(t, err)
	require.NotEqual(t, today.Completions[0].Fingerprint(), tomorrow.Completions[0].Fingerprint())
}
