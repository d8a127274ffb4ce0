package axis_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/axis"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const (
	secret = "s3cret-axis"
	// hygiene is a course that was begun, and with a score one that was completed.
	hygiene = `"course_name":"Hand hygiene","course_catalog_id":"HH-101","course_passing_score":"70","username":"r.santos","date":"20260411"`
	scored  = hygiene + `,"user_score":"88"`
	forks   = `"program_name":"Forklift operator","program_id":"12","username":"r.santos","certification_number":"FL-000381","issue_date":"20260411"`
	// onboarding is a session, begun or ended.
	onboarding = `"ilt_name":"Onboarding","username":"r.santos","date":"20260411"`
	path       = `"learning_path_name":"New hire path","username":"r.santos","date":"20260411"`
)

var yes, no = true, false

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// santos is the sample of a course, and with a change the others.
func santos(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		Event:             "course_complete",
		Learner:           training.Learner{ID: "r.santos", Username: "r.santos"},
		Course:            training.Course{ID: "HH-101", Title: "Hand hygiene"},
		CompletedAt:       day(2026, 4, 11),
		Precision:         training.PrecisionDay,
		CompletedAtSource: "date",
		Score:             training.Score{Raw: "88", Max: "100", Passed: &yes},
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

// score is the sample with another result.
func score(raw string, passed *bool) []training.Completion {
	return santos(func(c *training.Completion) {
		c.Score = training.Score{Raw: raw, Passed: passed}
		if raw != "" {
			c.Score.Max = "100"
		}
	})
}

// forklift is a certification, by its event and its dates.
func forklift(event string, issued, expires time.Time) []training.Completion {
	return santos(func(c *training.Completion) {
		c.Event, c.Course, c.Score = event, training.Course{ID: "12", Title: "Forklift operator"}, training.Score{}
		c.CompletedAt, c.CompletedAtSource = issued, "issue_date"
		if !expires.IsZero() {
			c.ExpiresAt = &expires
		}
	})
}

// titled is what has no id: a session or a path.
func titled(event, title string, at time.Time) []training.Completion {
	return santos(func(c *training.Completion) {
		c.Event, c.Course, c.Score, c.CompletedAt = event, training.Course{Title: title}, training.Score{}, at
	})
}

func at(instant time.Time) []training.Completion {
	return santos(func(c *training.Completion) { c.CompletedAt, c.Precision = instant, training.PrecisionMillisecond })
}

func event(name, members string) lmstest.Recorded {
	return lmstest.JSON(name+" "+members, `{"event":"`+name+`",`+members+`}`)
}

// unnamed is a body that does not say what the event is, at a URL that may.
func unnamed(inURL, members string) lmstest.Recorded {
	return lmstest.JSON("unnamed at "+inURL+" "+members, `{`+members+`}`).At(inURL)
}

func dated(text string) lmstest.Recorded {
	return event("course_complete", strings.Replace(scored, `"20260411"`, text, 1))
}

func scoredOf(raw, mark string) lmstest.Recorded {
	return event("course_complete", strings.NewReplacer(`"88"`, raw, `"70"`, mark).Replace(scored))
}

func valid(r lmstest.Recorded, want []training.Completion) lmstest.Valid {
	return lmstest.Valid{Recorded: r, Want: want}
}

func samples(tb testing.TB) []lmstest.Valid {
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	return []lmstest.Valid{
		valid(sample("course-completed"), santos(same)),
		valid(sample("course-completed-below-passing"), score("65", &no)),
		valid(body(tb, "course-completed-hmac"), santos(func(c *training.Completion) {
			c.Learner = training.Learner{ID: "lee@example.com", Username: "lee@example.com", Email: "lee@example.com"}
		})),
		valid(body(tb, "course-completed-form"), santos(func(c *training.Completion) { c.Course.Title = "Hand hygiene & gloves" })),
		valid(sample("ilt-completed"), titled("ilt_complete", "Press operator onboarding", day(2026, 4, 10))),
		valid(sample("learningpath-completed"), titled("learningpath_complete", "New hire path", day(2026, 4, 11))),
		valid(sample("certification-certified"), forklift("certification", day(2026, 4, 11), day(2027, 4, 11))),
		valid(sample("certification-recertified"), forklift("recertification", day(2027, 2, 1), day(2028, 2, 1))),
	}
}

func spec(tb testing.TB) lmstest.Spec {
	unscored := score("", nil)
	return lmstest.Spec{
		New:              lmstest.With(axis.New),
		Mapping:          axis.DefaultMapping(),
		Verifier:         func(secrets ...string) (lms.Verifier, error) { return signature.NewAPIKey(secrets, axis.SecretHeader) },
		Sign:             func(_ []byte, s string) http.Header { return http.Header{axis.SecretHeader: {s}} },
		Secret:           secret,
		CredentialHeader: axis.SecretHeader,
		AnyType:          true,
		Valid: append(samples(tb),
			// What the event is.
			valid(unnamed("Course-Complete", scored), santos(same)),
			valid(event("course_complete", hygiene), unscored),
			valid(event("course_complete", hygiene).At("course_complete"), unscored),
			valid(unnamed("ilt_complete", onboarding+`,"Percent Attended":"80%"`), titled("ilt_complete", "Onboarding", day(2026, 4, 11))),
			valid(event("ilt_complete", onboarding+`,"percent_attended":"0"`).At("ilt_complete"), titled("ilt_complete", "Onboarding", day(2026, 4, 11))),
			valid(event("Course Complete", scored), santos(same)),
			valid(event("somebody's own word", scored).At("course_complete"), santos(same)),
			valid(unnamed("", scored), santos(same)),
			valid(lmstest.JSON("an event of null", `{"event":null,`+scored+`}`), santos(same)),
			valid(unnamed("", forks), forklift("certification", day(2026, 4, 11), time.Time{})),
			valid(unnamed("learningpath_complete", path), titled("learningpath_complete", "New hire path", day(2026, 4, 11))),
			valid(event("certification", forks+`,"type":"RECERTIFICATION"`), forklift("recertification", day(2026, 4, 11), time.Time{})),
			valid(event("certification", forks+`,"type":""`), forklift("certification", day(2026, 4, 11), time.Time{})),
			valid(unnamed("recertification", forks), forklift("recertification", day(2026, 4, 11), time.Time{})),
			valid(event("recertification", forks).At("certification"), forklift("recertification", day(2026, 4, 11), time.Time{})),

			// How the names are spelt.
			valid(lmstest.JSON("words with blanks", `{"Event":"course_complete","Course Name":"Hand hygiene","CourseCatalogID":"HH-101",
				"passing_score":"70","User Name":"r.santos","SCORE":"88","Current Date":"20260411"}`), santos(same)),
			valid(lmstest.Form("a form in other names", "Course+Name=Hand+hygiene&catalog_id=HH-101&Passing-Score=70&Username=r.santos&User+Score=88&Date=20260411"), santos(same)),
			valid(event("course_complete", scored+`,"Username":"","USERNAME":null,"User-Name":" "`), santos(same)),
			valid(event("course_complete", scored+`,"User Name":"Ramona Santos"`), santos(same)),
			valid(event("course_complete", strings.Replace(scored, `"username"`, `"User Name":"r.santos","userName"`, 1)), santos(same)),

			// Score and pass mark.
			valid(scoredOf(`88`, `70`), santos(same)),
			valid(scoredOf(`"88%"`, `"70 %"`), santos(same)),
			valid(scoredOf(`"70"`, `"70.0"`), score("70", &yes)),
			valid(scoredOf(`"69.99"`, `"70"`), score("69.99", &no)),
			valid(scoredOf(`"0"`, `"0"`), score("0", &yes)),
			valid(scoredOf(`"88"`, `""`), score("88", nil)),
			valid(scoredOf(`""`, `"70"`), unscored),
			valid(event("ilt_complete", `"ilt_name":"Onboarding","username":"r.santos","date":"20260411","percent_attended":"100%"`),
				titled("ilt_complete", "Onboarding", day(2026, 4, 11))),

			// Dates.
			valid(dated(`20260411`), santos(same)),
			valid(dated(`"2026-04-11"`), santos(same)),
			valid(dated(`"2026-04-11 14:30:22"`), at(time.Date(2026, 4, 11, 14, 30, 22, 0, time.UTC))),
			valid(dated(`"2026-04-11T16:30:22.5+02:00"`), at(time.Date(2026, 4, 11, 14, 30, 22, 500_000_000, time.UTC))),
			valid(event("certification", forks+`,"expiration_date":""`), forklift("certification", day(2026, 4, 11), time.Time{})),
		),
		Ignored: []lmstest.Ignored{
			ignored(lmstest.Sample(tb, "testdata", "course-started"), "course_start", "not a completion: a start of training"),
			ignored(lmstest.Sample(tb, "testdata", "user-added"), "user_add", "not a completion: a user was added"),
			ignored(unnamed("course_start", scored), "course_start", "not a completion: a start of training"),
			ignored(unnamed("ilt_start", `"percent_attended":"0"`), "ilt_start", "not a completion: a start of training"),
			ignored(event("LearningPathStart", path), "learningpath_start", "not a completion: a start of training"),
			ignored(lmstest.Form("a user in a form", "username=n.okoro").At("user_add"), "user_add", "not a completion: a user was added"),
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "event: is none that is known; put one behind the URL"},
			{Recorded: unnamed("", hygiene), Reason: "event: is none that is known"},
			{Recorded: unnamed("course_complete", hygiene), Reason: "event: is named by the URL alone, and without user_score and course_passing_score"},
			{Recorded: unnamed("course_complete", hygiene+`,"user_score":" "`), Reason: "event: is named by the URL alone"},
			{Recorded: unnamed("course_complete", strings.Replace(scored, "course_passing_score", "mark", 1)), Reason: "event: is named by the URL alone"},
			{Recorded: event("a word of Axis's", hygiene).At("course_complete"), Reason: "event: is named by the URL alone"},
			{Recorded: unnamed("ilt_complete", onboarding), Reason: "event: is named by the URL alone, and without percent_attended above 0"},
			{Recorded: unnamed("ilt_complete", onboarding+`,"percent_attended":"0.0%"`), Reason: "event: is named by the URL alone"},
			{Recorded: unnamed("ilt_complete", onboarding+`,"percent_attended":"all"`), Reason: "event: is named by the URL alone"},
			{Recorded: unnamed("", path), Reason: "event: is none that is known"},
			{Recorded: unnamed("", `"ilt_name":"x","percent_attended":"80","username":"a","date":"20260411"`), Reason: "event: is none that is known"},
			{Recorded: unnamed("course_finish", scored), Reason: "event: is none that is known"},
			{Recorded: event("quiz_complete", scored), Reason: "event: is none that is known"},
			{Recorded: event("course_start", scored).At("course_complete"), Reason: "event: differs between the URL and the body"},
			{Recorded: event("course_complete", scored).At("course_start"), Reason: "event: differs between the URL and the body"},
			{Recorded: event("course_complete", scored).At("course"), Reason: "event: is none that is known at the end of the URL"},
			{Recorded: lmstest.JSON("an event that is no text", `{"event":["course_complete"],`+scored+`}`), Reason: "event: want a string"},
			{Recorded: event("certification", forks+`,"type":"expired"`), Reason: "type: want certification or recertification"},
			{Recorded: event("certification", forks+`,"type":[]`), Reason: "type: want a string"},
			{Recorded: event("recertification", forks+`,"type":"certification"`), Reason: "type: is not recertification"},
			{Recorded: event("certification", strings.Replace(forks, "issue_date", "date", 1)), Reason: "issue_date: is missing"},
			{Recorded: event("course_complete", strings.Replace(scored, `"username"`, `"User Name":"Ramona Santos","userName"`, 1)), Reason: "username: want a string or an integer, is an array"},
			{Recorded: scoredOf(`"A"`, `"70"`), Reason: "user_score: want a number"},
			{Recorded: scoredOf(`"88"`, `"none"`), Reason: "course_passing_score: want a number"},
			{Recorded: scoredOf(`"88"`, `"101"`), Reason: "course_passing_score: lies outside 0 to 100"},
			{Recorded: scoredOf(`"88"`, `"1e999999999"`), Reason: "course_passing_score: it or the score has more digits"},
			{Recorded: scoredOf(`"101"`, `"70"`), Reason: "score lies outside 0 to its maximum"},
			{Recorded: dated(`""`), Reason: "no completion date"},
			{Recorded: dated(`"04/11/2026"`), Reason: "date: want YYYYMMDD"},
			{Recorded: dated(`"20260230"`), Reason: "date: want YYYYMMDD"},
			{Recorded: dated(`"2026-04-11 4:30:22"`), Reason: "date: want YYYYMMDD"},
			{Recorded: dated(`1775910622`), Reason: "date: want YYYYMMDD"},
			{Recorded: event("certification", forks+`,"expiration_date":"never"`), Reason: "expiration_date: want YYYYMMDD"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a list of events", `[{`+scored+`}]`), Reason: "want one event, an object; is an array"},
			{Recorded: lmstest.Form("a field twice", "date=20260411&date=20260412"), Reason: "key given twice"},
		},
	}
}

func TestAxis_R70_R79(t *testing.T) { lmstest.Run(t, spec(t)) }

// TestSignature: a guess, should the vendor's secret turn out to be one of a signature.
func TestSignature(t *testing.T) {
	s := spec(t)
	s.Verifier = func(secrets ...string) (lms.Verifier, error) {
		return signature.NewHMAC(secrets, axis.SignatureHeaders()...)
	}
	s.CredentialHeader, s.SignsBody = "X-Axis-Signature", true
	s.Sign = func(body []byte, secret string) http.Header {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return http.Header{"X-Axis-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
	}
	s.Valid, s.Ignored = []lmstest.Valid{{Recorded: lmstest.Sample(t, "testdata", "course-completed-hmac")}}, nil
	lmstest.RunVerify(t, s)
}

// TestSecretInTheBody: another guess, a parameter among the others.
func TestSecretInTheBody(t *testing.T) {
	s := spec(t)
	s.Verifier = func(secrets ...string) (lms.Verifier, error) {
		return signature.NewBodyToken(secrets, axis.SecretParameter)
	}
	s.CredentialHeader, s.Sign = "", nil
	s.Send = func(document []byte, secret string) lms.Request {
		form, err := url.ParseQuery(string(document))
		require.NoError(t, err)
		form.Set(axis.SecretParameter, secret)
		r := lmstest.Form("", form.Encode())
		return r.Request()
	}
	s.Valid, s.Ignored = []lmstest.Valid{{Recorded: lmstest.Sample(t, "testdata", "course-completed-form")}}, nil
	lmstest.RunVerify(t, s)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{` + scored + `}`, `{` + forks + `,"type":"recertification"}`, `{"Event":"ilt_start"}`, `{"score":1e-5}`, `{}`, `[]`, ``} {
		f.Add("application/json", "", []byte(seed))
	}
	f.Add("application/x-www-form-urlencoded", "course_complete", []byte("course_name=x&Course+Name=y&username=%40&date=20260411"))
	adapter := axis.New(nil)
	f.Fuzz(func(t *testing.T, contentType, path string, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Header: http.Header{"Content-Type": {contentType}}, Path: path, Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func BenchmarkAxis(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

func ignored(r lmstest.Recorded, event, reason string) lmstest.Ignored {
	return lmstest.Ignored{Recorded: r, Want: []lms.Ignored{{Event: event, Reason: reason}}}
}

// body is a sample without its credential, which is none of the suite's.
func body(tb testing.TB, name string) lmstest.Recorded {
	r := lmstest.Sample(tb, "testdata", name)
	r.Header = http.Header{"Content-Type": r.Header["Content-Type"]}
	return r
}
