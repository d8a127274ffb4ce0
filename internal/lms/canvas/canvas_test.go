package canvas_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/canvas"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const (
	secret  = "s3cret-canvas"
	account = `"root_account_uuid":"VicTestRootAccountUuid00000000000000plantA"`
)

// jane is the sample, and with a change the others.
func jane(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		Event:             "course_completed",
		Learner:           training.Learner{ID: "1042", Email: "jane.doe@example.test", FirstName: "Jane Doe"},
		Course:            training.Course{ID: "565", Title: "SOP-017 Line clearance", Code: "SOP-017"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "body.progress.completed_at",
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

// course is a completion with the least that Canvas says, and the given members in its progress.
func course(members string) string {
	return `{"metadata":{"event_name":"course_completed","event_time":"2026-04-08T14:32:21.402Z",` + account + `},` +
		`"body":{"progress":{"requirement_count":6,"requirement_completed_count":6,"completed_at":"2026-04-08T14:30:00Z"` + members + `},` +
		`"user":{"id":"1042"},"course":{"id":"565"}}}`
}

// least is what course says.
func least(change func(*training.Completion)) []training.Completion {
	return jane(func(c *training.Completion) {
		c.Learner, c.Course = training.Learner{ID: "1042"}, training.Course{ID: "565"}
		change(c)
	})
}

// with is course with texts replaced.
func with(name string, replace ...string) lmstest.Recorded {
	return lmstest.JSON(name, strings.NewReplacer(replace...).Replace(course("")))
}

func ignored(r lmstest.Recorded, event, reason string) lmstest.Ignored {
	return lmstest.Ignored{Recorded: r, Want: []lms.Ignored{{Event: event, Reason: reason}}}
}

const (
	concluded   = "a change of an enrollment; completed means concluded there, not learned"
	grade       = "a grade, not a completion"
	requirement = "a requirement was met, not the last one"
	noCaliper   = "the Caliper format has no event for a completed course; subscribe in the Canvas format"
)

// enrolledJane is the sample of an enrollment: with the local ids that a completion has.
func enrolledJane() []training.Enrollment {
	return []training.Enrollment{{
		Event: "enrollment_created", Learner: training.Learner{ID: "1042", FirstName: "Jane Doe"},
		Course: training.Course{ID: "565", Code: "SOP-017"}, EnrolledAt: time.Date(2026, 4, 7, 8, 0, 0, 0, time.UTC),
	}}
}

// TestUnsigned: "Sign Payload" is off, and the URL's token is all that there is.
func TestUnsigned(t *testing.T) {
	sample := func(name string) lmstest.Recorded {
		r := lmstest.Sample(t, "testdata", name)
		r.Header = http.Header{"Content-Type": {"application/json"}} // Canvas sends no credential of its own
		return r
	}
	const (
		done    = `"completed_at":"2026-04-08T14:30:00Z"`
		missing = "body.progress.completed_at: is missing, and the requirements are not all met"
	)
	enrolling := func(before, after string) lmstest.Recorded {
		return lmstest.JSON(before+" → "+after, strings.Replace(string(sample("enrollment_created").Body), before, after, 1))
	}
	event := func(name string) lmstest.Recorded { return with(name, "course_completed", name) }
	lmstest.Run(t, lmstest.Spec{
		New:      lmstest.With(canvas.New),
		Mapping:  canvas.DefaultMapping(),
		Verifier: func(tokens ...string) (lms.Verifier, error) { return signature.NewPathToken(tokens) },
		Send: func(document []byte, token string) lms.Request {
			return lms.Request{Method: http.MethodPost, Body: document, PathToken: token}
		},
		Secret: secret,
		Valid: []lmstest.Valid{
			{Recorded: sample("course_completed"), Want: jane(same)},
			{Recorded: with("least"), Want: least(same)},
			{Recorded: with("ids as numbers", `"1042"`, `21070000000001042`, `"565"`, `565`), Want: least(func(c *training.Completion) { c.Learner.ID = "21070000000001042" })},
			{Recorded: with("a teacher clicked", `"root_account_uuid"`, `"user_id":"7","user_login":"t@example.test","root_account_uuid"`), Want: least(same)},
			{Recorded: with("no date, all met", done, `"completed_at":null`), Want: least(func(c *training.Completion) {
				c.CompletedAt = time.Date(2026, 4, 8, 14, 32, 21, 402_000_000, time.UTC)
				c.CompletedAtSource = "metadata.event_time"
			})},
			{Recorded: with("another zone", `14:30:00Z`, `16:30:00+02:00`), Want: least(same)},
			{Recorded: lmstest.JSON("an error that is null", course(`,"error":null`)), Want: least(same)},
		},
		Ignored: []lmstest.Ignored{
			ignored(sample("course_progress.not-a-completion"), "course_progress", requirement),
			ignored(enrolling("StudentEnrollment", "TeacherEnrollment"), "enrollment_created", "an enrollment, and not of a student"),
			ignored(enrolling(`"active"`, `"deleted"`), "enrollment_created", "an enrollment that is not active"),
			ignored(sample("enrollment_state_updated.not-a-completion"), "enrollment_state_updated", concluded),
			ignored(sample("course_grade_change.not-a-completion"), "course_grade_change", grade),
			ignored(event("enrollment_updated"), "enrollment_updated", concluded),
			ignored(event("grade_change"), "grade_change", grade),
			ignored(event("user_created"), "user_created", "not a completion event"),
			ignored(event("Course_completed"), "Course_completed", "not a completion event"),
			ignored(lmstest.JSON("a course without modules", course(`,"error":{"message":"no progress available"}`)), "course_completed",
				"progress.error: Canvas has no progress to report"),
			ignored(sample("caliper.enrollment_created"), "Event:Created", noCaliper),
			{
				Recorded: lmstest.JSON("two of Caliper", `{"sensor":"x","data":[{"type":"GradeEvent","action":"Graded"},7]}`),
				Want:     []lms.Ignored{{Event: "GradeEvent:Graded", Reason: noCaliper}, {Reason: noCaliper}},
			},
			ignored(lmstest.JSON("none of Caliper", `{"sensor":"x","data":[]}`), "", "the envelope holds no event"),
		},
		Enrolled: []lmstest.Enrolled{{Recorded: sample("enrollment_created"), Want: enrolledJane()}},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: enrolling(`"type":"StudentEnrollment",`, ``), Reason: "body.type: is missing"},
			{Recorded: enrolling(`"user_id":"21070000000001042"`, `"user_id":"jane"`), Reason: "body.user_id: want a number"},
			{Recorded: enrolling(`"user_id":"21070000000001042"`, `"user_id":null`), Reason: "no learner id"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "metadata.event_name: is missing"},
			{Recorded: with("no metadata", `"metadata"`, `"meta"`), Reason: "metadata.event_name: is missing"},
			{Recorded: with("a name that is none", `"course_completed"`, `7`), Reason: "metadata.event_name: want a string"},
			{Recorded: with("no user", `"user"`, `"student"`), Reason: "no learner id"},
			{Recorded: with("a user without an id", `"1042"`, `""`), Reason: "no learner id"},
			{Recorded: with("an id through floating point", `"1042"`, `1.042e3`), Reason: "body.user.id: want"},
			{Recorded: with("no course", `"565"`, `null`), Reason: "no course id"},
			{Recorded: with("no date, not all met", done, `"completed_at":null`, `completed_count":6`, `completed_count":5`), Reason: missing},
			{Recorded: with("no date, no counts", done, `"x":1`, `requirement_`, ``), Reason: missing},
			{Recorded: with("no date, no requirements", done, `"x":1`, `count":6`, `count":0`), Reason: missing},
			{Recorded: with("no progress", `"progress"`, `"result"`), Reason: missing},
			{Recorded: with("counts that are none", done, `"x":1`, `count":6`, `count":true`), Reason: "requirement_count: want a number"},
			{Recorded: with("no zone", `14:30:00Z`, `14:30:00`), Reason: "body.progress.completed_at: date-time without a time zone"},
			{Recorded: with("a date as a number", `"2026-04-08T14:30:00Z"`, `1775658600`), Reason: "completed_at: want a string"},
			{Recorded: with("a date with a blank", `2026-04-08T14:30:00Z`, `2026-04-08 14:30:00 -0800`), Reason: "completed_at: neither"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a list", `[`+course("")+`]`), Reason: "want one event, an object; is an array"},
			{Recorded: lmstest.JSON("a token of two parts", `eyJhbGciOiJub25lIn0.e30`), Reason: "not a signed token of three parts"},
			{Recorded: lmstest.JSON("a token that says nothing", `eyJhbGciOiJub25lIn0..`), Reason: "second part is not base64url"},
			{Recorded: lmstest.JSON("a token with padding", `eyJhbGciOiJub25lIn0.e30=.x`), Reason: "second part is not base64url"},
			{Recorded: lmstest.JSON("a token in a text", `"eyJhbGciOiJub25lIn0.e30.x"`), Reason: "want one event, an object; is a string"},
			{Recorded: lmstest.JSON("a token of a list", `eyJhbGciOiJub25lIn0.W10.x`), Reason: "want one event, an object; is an array"},
			{Recorded: lmstest.JSON("a token that says two things", `eyJhbGciOiJub25lIn0.eyJhIjoxLCJhIjoyfQ.x`), Reason: "key given twice"},
		},
	})
}

// signed is "Sign Payload": the body is the token, and its claims are the event.
func signed(t testing.TB, made *keys) lmstest.Spec {
	t.Helper()
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(t, "testdata", name+".jwt") }
	sealed := func(name string, event string) lmstest.Recorded {
		return lmstest.Recorded{Name: name, Body: made.seal(claims([]byte(event)), secret)}
	}
	own := claims([]byte(course("")))
	refused := func(name string, body []byte) lmstest.Recorded { return lmstest.Recorded{Name: name, Body: body} }
	return lmstest.Spec{
		New:     lmstest.With(canvas.New),
		Mapping: canvas.DefaultMapping(),
		Verifier: func(names ...string) (lms.Verifier, error) {
			set := made.set(names...)
			for _, name := range names {
				if name == secret {
					set = recordedSet(t, set)
				}
			}
			return verifier(t, set)
		},
		Send: func(document []byte, name string) lms.Request {
			return lms.Request{Method: http.MethodPost, Body: made.seal(claims(document), name)}
		},
		Secret:            secret,
		SignsBody:         true,
		KeysAreTheIssuers: true,
		Refused: []lmstest.Recorded{
			refused("unsigned JSON", []byte(course(""))),
			refused("no algorithm", made.sign(`{"alg":"none","kid":"`+kid+`"}`, own, secret)),
			refused("no algorithm, no signature", []byte("eyJhbGciOiJub25lIn0.e30.")),
			refused("the public key as a secret", made.mac(own, secret)),
			refused("another RSA algorithm", made.sign(`{"alg":"RS512","kid":"`+kid+`"}`, own, secret)),
			refused("an unknown key", made.sign(`{"alg":"RS256","kid":"other"}`, own, secret)),
			refused("another issuer", made.seal([]byte(`{"iss":"https://other.example",`+course("")[1:]), secret)),
			refused("no issuer", made.seal([]byte(course("")), secret)),
			refused("another customer of the vendor", made.seal(claims([]byte(strings.Replace(course(""), "plantA", "plantB", 1))), secret)),
			refused("an account further in", made.seal(claims([]byte(strings.Replace(course(""), account, `"user":{`+account+`}`, 1))), secret)),
		},
		Open: func(body []byte) []byte {
			document, err := signature.Payload(body)
			require.NoError(t, err)
			return document
		},
		Seal: unverified,
		Valid: []lmstest.Valid{
			{Recorded: sample("course_completed"), Want: jane(same)},
			{Recorded: sealed("our own key", course("")), Want: least(same)},
		},
		Enrolled: []lmstest.Enrolled{{Recorded: sample("enrollment_created"), Want: enrolledJane()}},
		Ignored: []lmstest.Ignored{
			ignored(sample("course_progress.not-a-completion"), "course_progress", requirement),
			ignored(sample("enrollment_state_updated.not-a-completion"), "enrollment_state_updated", concluded),
			ignored(sample("course_grade_change.not-a-completion"), "course_grade_change", grade),
			ignored(sealed("Caliper", `{"sensor":"x","data":[{"type":"Event","action":"Created"}]}`), "Event:Created", noCaliper),
		},
	}
}

func TestSigned_R46(t *testing.T) { lmstest.Run(t, signed(t, newKeys(t))) }

// TestTransport_R4: Canvas does not say what type a signed delivery has.
func TestTransport_R4(t *testing.T) { require.Equal(t, lms.Transport{JWT: true}, canvas.Transport()) }

// TestSigningChangesNoFingerprint: whoever turns "Sign Payload" on completes nothing twice.
func TestSigningChangesNoFingerprint_R90(t *testing.T) {
	plain, err := canvas.New(nil).Decode(lmstest.Sample(t, "testdata", "course_completed").Request())
	require.NoError(t, err)
	token, err := canvas.New(nil).Decode(lmstest.Sample(t, "testdata", "course_completed.jwt").Request())
	require.NoError(t, err)
	require.Equal(t, plain.Completions[0].Fingerprint(), token.Completions[0].Fingerprint())
}

// TestOverride: an administrator takes the SIS id for the course's, and only some courses.
func TestOverride_R61(t *testing.T) {
	m, err := canvas.DefaultMapping().Override(mapping.Definition{
		Version: "acme-1",
		Fields: map[mapping.Target]mapping.Field{
			mapping.CourseID:    {Path: "$.body.course.sis_source_id"},
			mapping.CompletedAt: {Path: "$.metadata.event_time"},
		},
		CompletionWhen: &mapping.Condition{Path: "$.body.course.account_id", In: []string{"79"}},
	})
	require.NoError(t, err)
	sample := lmstest.Sample(t, "testdata", "course_completed")
	decoded, err := canvas.New(m).Decode(sample.Request())
	require.NoError(t, err)
	want := jane(func(c *training.Completion) {
		c.Platform, c.MappingVersion, c.Course.ID = "canvas", "canvas/acme-1", "SOP-017"
		c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 8, 14, 32, 21, 402_000_000, time.UTC), "metadata.event_time"
	})
	require.Equal(t, want, decoded.Completions)

	// The date is the tenant's own matter then.
	decoded, err = canvas.New(m).Decode(lms.Request{Body: []byte(strings.NewReplacer(
		`"2026-04-08T14:30:00Z"`, `null`, `_count":6`, `_count":7`, `"565"`, `"565","sis_source_id":"SOP-017","account_id":"79"`).Replace(course("")))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)

	decoded, err = canvas.New(m).Decode(lms.Request{Body: []byte(course(""))})
	require.NoError(t, err)
	require.Equal(t, []lms.Ignored{{Event: "course_completed", Reason: "body.course.account_id: is missing, and the mapping's completionWhen wants it"}}, decoded.Ignored)
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"course_completed", "course_completed.jwt", "caliper.enrollment_created", "enrollment_created"} {
		f.Add(lmstest.Sample(f, "testdata", name).Body)
	}
	f.Add([]byte(course(`,"error":{}`)))
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	adapter := canvas.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func BenchmarkSigned(b *testing.B) { lmstest.Benchmark(b, signed(b, newKeys(b))) }
