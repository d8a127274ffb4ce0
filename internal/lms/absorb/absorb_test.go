package absorb_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/absorb"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// jane is the learner's sample, and with a change the others.
func jane(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		EventID:           "5b0d8a5e-6f0c-4f0e-9d0e-3f1f2a7b9c11",
		Event:             "course.completion",
		EnrollmentID:      "0c2f1d3e-1a54-4a6e-8c0b-8d3f5b1a7e21",
		Learner:           training.Learner{ID: "a14c149a-2ce0-41d4-b532-02189ad3cb22"},
		Course:            training.Course{ID: "7d9e2b40-5c1f-4f7a-9a2e-6b8c0d1e3f52", Title: "GxP Annual Refresher 2026"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "payload.dateCompleted",
		Score:             training.Score{Raw: "91.5", Max: "100"},
	}
	change(&c)
	return []training.Completion{c}
}

// envelope is an enrollment of user 7 in course 1 with the given further members.
func envelope(event, members string) string {
	return fmt.Sprintf(`{"event":%q,"payload":{"userId":7,"courseId":1%s}}`, event, members)
}

const (
	date = `,"dateCompleted":"2026-04-08T14:30:00Z"`
	done = `,"status":3` + date
)

// completion is a finished enrollment with the given further members.
func completion(members string) string { return envelope("course.completion", done+members) }

// seven is what completion holds.
func seven(change func(*training.Completion)) []training.Completion {
	return jane(func(c *training.Completion) {
		c.EventID, c.EnrollmentID, c.Score = "", "", training.Score{}
		c.Learner, c.Course = training.Learner{ID: "7"}, training.Course{ID: "1"}
		change(c)
	})
}

func same(*training.Completion) {}

// spec is what the suite has to know of Absorb.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	return lmstest.Spec{
		New:              lmstest.With(absorb.New),
		Mapping:          absorb.DefaultMapping(),
		Verifier:         verifier,
		Sign:             sign,
		Secret:           "s3cret-absorb",
		CredentialHeader: "absorb-signature",
		SignsBody:        true,
		Valid: []lmstest.Valid{
			{Recorded: sample("course-completed-by-learner"), Want: jane(same)},
			{Recorded: sample("enrollment-completed-by-admin"), Want: jane(func(c *training.Completion) {
				c.EventID, c.Event = "91c7e3aa-40b2-4d53-8f4a-1de6a2f0c7b4", "Enrollment Completed by Admin"
				c.EnrollmentID, c.Learner.ID = "1f4b6a77-93de-47c8-a1f0-5e2d7c9b0a36", "c3f8d2b1-7e65-4b09-8d1a-9f0e4c7a2b53"
				c.CompletedAt, c.Score = time.Date(2026, 4, 9, 7, 5, 0, 0, time.UTC), training.Score{}
			})},
			{Recorded: lmstest.JSON("least", completion(``)), Want: seven(same)},
			{Recorded: lmstest.JSON("failed", envelope("course.completion", `,"status":5,"score":40`+date)),
				Want: seven(func(c *training.Completion) { c.Score = training.Score{Raw: "40", Max: "100", Passed: new(bool)} })},
			{Recorded: lmstest.JSON("failed without a score", envelope("course.completion", `,"status":"5"`+date)),
				Want: seven(func(c *training.Completion) { c.Score.Passed = new(bool) })},
			{Recorded: lmstest.JSON("the number decides, not the name", envelope("User Created", done)),
				Want: seven(func(c *training.Completion) { c.Event = "User Created" })},
			{Recorded: lmstest.JSON("no event name", strings.Replace(completion(``), `"event":"course.completion",`, ``, 1)),
				Want: seven(func(c *training.Completion) { c.Event = "" })},
			{Recorded: lmstest.JSON("a score of 0", completion(`,"score":0`)),
				Want: seven(func(c *training.Completion) { c.Score = training.Score{Raw: "0", Max: "100"} })},
			{Recorded: lmstest.JSON("score as text", completion(`,"score":"91.50"`)),
				Want: seven(func(c *training.Completion) { c.Score = training.Score{Raw: "91.50", Max: "100"} })},
			{Recorded: lmstest.JSON("names with a capital", `{"event":"course.completion","payload":{"EnrollmentId":"e","UserId":7,`+
				`"CourseId":1,"CourseName":"Fire","Status":3,"Score":80,"DateCompleted":"2026-04-08T14:30:00Z"}}`),
				Want: seven(func(c *training.Completion) {
					c.EnrollmentID, c.Course.Title, c.Score = "e", "Fire", training.Score{Raw: "80", Max: "100"}
					c.CompletedAtSource = "payload.DateCompleted"
				})},
			{Recorded: lmstest.JSON("names in any case", `{"ID":"x","EVENT":"y","Payload":{"enrollmentID":"e","userID":7,`+
				`"COURSEID":1,"coursename":"Fire","STATUS":5,"SCORE":80,"DATECOMPLETED":"2026-04-08T14:30:00Z"}}`),
				Want: seven(func(c *training.Completion) {
					c.EventID, c.Event, c.EnrollmentID, c.Course.Title = "x", "y", "e", "Fire"
					c.Score = training.Score{Raw: "80", Max: "100", Passed: new(bool)}
					c.CompletedAtSource = "payload.DATECOMPLETED"
				})},
			{Recorded: lmstest.JSON("names of the REST API", completion(`,"enrollmentId":"e","EnrollmentId":null`)),
				Want: seven(func(c *training.Completion) { c.EnrollmentID = "e" })},
			{Recorded: lmstest.JSON("offset", envelope("course.completion", `,"status":3,"dateCompleted":"2026-04-08T09:30:00.0009999-05:00"`)),
				Want: seven(same)},
			{Recorded: lmstest.JSON("a day", envelope("course.completion", `,"status":3,"dateCompleted":"2026-04-08"`)),
				Want: seven(func(c *training.Completion) {
					c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
				})},
		},
		Ignored: append(unfinished(),
			ignored(lmstest.JSON("a user", `{"event":"User Created","payload":{"userId":7}}`), "User Created", "not about an enrollment"),
			ignored(lmstest.JSON("no payload", `{"event":"Department Created"}`), "Department Created", "not about an enrollment"),
		),
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("an unknown event without a status", `{"event":"LearnerCoursePassed","payload":{"userId":7}}`),
				Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("a known event, with an enrollment", `{"event":"User Created","payload":{"ENROLLMENTID":"e"}}`),
				Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("two payloads", `{"event":"User Created","payload":{},"Payload":{"status":3}}`), Reason: "payload: given in two spellings"},
			{Recorded: lmstest.JSON("three spellings", completion(`,"DATECOMPLETED":"2026-04-09T14:30:00Z"`)),
				Reason: "payload.dateCompleted: given in two spellings"},
			{Recorded: lmstest.JSON("nothing in it", `{"id":"x"}`), Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("a completion without a status", envelope("Enrollment Completed by Admin", date)), Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("an enrollment without a status", envelope("x", `,"EnrollmentId":"e"`)), Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("a date without a status", envelope("x", date)), Reason: "payload.status: is missing"},
			{Recorded: lmstest.JSON("an undocumented number", envelope("x", `,"status":13`+date)),
				Reason: "payload.status: want a status number from 0 to 12"},
			{Recorded: lmstest.JSON("a status in words", envelope("x", `,"status":"Complete"`+date)), Reason: "payload.status: want a status number"},
			{Recorded: lmstest.JSON("a status with a fraction", envelope("x", `,"status":3.0`+date)), Reason: "payload.status: want a string or an integer"},
			{Recorded: lmstest.JSON("a negative status", envelope("x", `,"status":-3`+date)), Reason: "payload.status: want a status number"},
			{Recorded: lmstest.JSON("two statuses", completion(`,"Status":1`)), Reason: "payload.status: given in two spellings"},
			{Recorded: lmstest.JSON("two users", completion(`,"UserId":8`)), Reason: "payload.userId: given in two spellings"},
			{Recorded: lmstest.JSON("payload is a list", `{"event":"x","payload":[]}`), Reason: "payload: want an object, is an array"},
			{Recorded: lmstest.JSON("event is a list", `{"event":[],"payload":{"status":3}}`), Reason: "event: want"},
			{Recorded: lmstest.JSON("no user", `{"event":"x","payload":{"courseId":1`+done+`}}`), Reason: "no learner id"},
			{Recorded: lmstest.JSON("no course", `{"event":"x","payload":{"userId":7`+done+`}}`), Reason: "no course id"},
			{Recorded: lmstest.JSON("no date", envelope("x", `,"status":3`)), Reason: "no completion date"},
			{Recorded: lmstest.JSON("no date but fired_at", `{"fired_at":"2026-04-08T14:30:00Z",`+envelope("x", `,"status":3,"dateCompleted":null`)[1:]),
				Reason: "no completion date"},
			{Recorded: lmstest.JSON("date without zone", envelope("x", `,"status":3,"dateCompleted":"2026-04-08T14:30:00"`)),
				Reason: "payload.dateCompleted: date-time without a time zone"},
			{Recorded: lmstest.JSON("date as a number", envelope("x", `,"status":3,"dateCompleted":1775658600`)),
				Reason: "payload.dateCompleted: want a string"},
			{Recorded: lmstest.JSON("score over 100", completion(`,"score":100.01`)), Reason: "score lies outside"},
			{Recorded: lmstest.JSON("score in words", completion(`,"score":"91,5"`)), Reason: "payload.score: want a number"},
			{Recorded: lmstest.JSON("id through floating point", strings.Replace(completion(``), `:7`, `:7e0`, 1)), Reason: "payload.userId: want"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a batch", `[`+completion(``)+`]`), Reason: "want one envelope, an object; is an array"},
			{Recorded: lmstest.JSON("a member twice", `{"payload":{"status":1,"status":3}}`), Reason: "key given twice"},
		},
	}
}

func TestAbsorb_R55(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkAbsorb(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// unfinished are the documented status numbers that end nothing, whatever the event's name and
// the other members say.
func unfinished() (all []lmstest.Ignored) {
	for number, name := range map[int]string{
		0: "not started", 1: "in progress", 2: "pending approval", 4: "not complete", 6: "declined", 7: "pending evaluation required",
		8: "on waitlist", 9: "absent", 10: "not applicable", 11: "pending proctor", 12: "ready for review",
	} {
		body := envelope("course.completion", fmt.Sprintf(`,"status":%d,"progress":100`, number)+date)
		all = append(all, ignored(lmstest.JSON(name, body), "course.completion", "enrollment not finished: "+name))
	}
	return all
}

func ignored(r lmstest.Recorded, event, reason string) lmstest.Ignored {
	return lmstest.Ignored{Recorded: r, Want: []lms.Ignored{{Event: event, Reason: reason}}}
}

func TestOriginalDomain_R162(t *testing.T) {
	decoded, err := absorb.New(nil).Decode(lmstest.Sample(t, "testdata", "course-completed-by-learner").Request())
	require.NoError(t, err)
	require.Equal(t, "example-co.myabsorb.com", decoded.OriginalDomain)
}

func TestBothSignatureHeaders_R27_R28_R31(t *testing.T) {
	body := []byte(`{}`)
	digits := sign(body, "s").Get("absorb-signature")
	v, err := verifier("s")
	require.NoError(t, err)
	for _, name := range []string{"absorb-signature", "X-Absorb-Signature"} {
		for _, value := range []string{digits, "sha256=" + digits} {
			header := http.Header{}
			header.Set(name, value)
			_, err := v.Verify(lms.Request{Method: http.MethodPost, Header: header, Body: body})
			require.NoError(t, err, name)
		}
	}
}

// TestCompletionWhenReplacesTheStatus: nobody has seen a body, so what is a completion, and where it says so, has to be
// the tenant's to say.
func TestCompletionWhenReplacesTheStatus_R61(t *testing.T) {
	m, err := absorb.DefaultMapping().Override(mapping.Definition{
		Version: "acme-1",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerID:   {Path: "$.payload.enrollment.userId"},
			mapping.CourseID:    {Path: "$.payload.enrollment.courseId"},
			mapping.CompletedAt: {Path: "$.payload.enrollment.dateCompleted"},
			mapping.Passed:      {Path: "$.payload.enrollment.status", Transform: "statusMap:5=false,*=null"},
		},
		CompletionWhen: &mapping.Condition{Path: "$.payload.enrollment.status", In: []string{"3", "5"}},
	})
	require.NoError(t, err)
	adapter := absorb.New(m)
	decode := func(event, status string) lms.Decoded {
		decoded, err := adapter.Decode(lms.Request{Body: []byte(`{"id":"1","event":"` + event + `","payload":{"enrollment":` +
			`{"userId":7,"courseId":1,"status":` + status + date + `}}}`)})
		require.NoError(t, err)
		lmstest.Check(t, adapter, decoded, err)
		return decoded
	}
	for _, event := range []string{"LearnerCourseCompleted", "LearnerCoursePassed", "User Created"} {
		require.Len(t, decode(event, `3`).Completions, 1, event)
		require.False(t, *decode(event, `5`).Completions[0].Score.Passed, event)
		require.Equal(t, []lms.Ignored{{Event: event, Reason: "payload.enrollment.status: is none of the mapping's completionWhen"}}, decode(event, `1`).Ignored)
	}
	decoded, err := adapter.Decode(lms.Request{Body: []byte(`{"payload":{"enrollment":{"status":3}}}`)})
	require.NoError(t, err)
	require.Len(t, decoded.Problems, 1, "it still needs a learner, a course and a date")
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		completion(`,"score":1e1`), envelope("x", `,"Status":"5","DateCompleted":"2026-04-08"`), completion(`,"Status":3`),
		`{"event":"User Created"}`, `{"event":1}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	adapter := absorb.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func verifier(secrets ...string) (lms.Verifier, error) {
	return signature.NewHMAC(secrets, absorb.SignatureHeaders()...)
}

func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{"Absorb-Signature": {hex.EncodeToString(mac.Sum(nil))}}
}
