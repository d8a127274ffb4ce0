package moodle_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/moodle"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const (
	completed = `\core\event\course_completed`
	secret    = "s3cret-moodle"
)

// flat is the sample of local_webhooks, and with a change the others.
func flat(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		Event:             completed,
		Learner:           training.Learner{ID: "1042"},
		Course:            training.Course{ID: "311"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 20, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "timecreated",
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

// event is a flat completion with the given members besides the least.
func event(members string) string {
	return `{"eventname":"\\core\\event\\course_completed","courseid":311,"relateduserid":1042,"timecreated":1775658620` + members + `}`
}

// with is event with one text replaced.
func with(before, after string) lmstest.Recorded {
	return lmstest.JSON(before+" -> "+after, strings.Replace(event(""), before, after, 1))
}

func sample(t *testing.T, name string) lmstest.Recorded {
	t.Helper()
	return lmstest.Sample(t, "testdata", name)
}

func ignored(r lmstest.Recorded, name, reason string) lmstest.Ignored {
	return lmstest.Ignored{Recorded: r, Want: []lms.Ignored{{Event: name, Reason: reason}}}
}

// named is a flat event of another name.
func named(name string) lmstest.Recorded {
	quoted := strings.ReplaceAll(name, `\`, `\\`)
	return lmstest.JSON(name, `{"eventname":"`+quoted+`","courseid":311,"relateduserid":1042,"timecreated":1775658620}`)
}

// webhooks is local_webhooks, whose credential is a member of the body.
func webhooks(t *testing.T) lmstest.Spec {
	t.Helper()
	const seconds = "timecreated: want whole seconds since 1970"
	return lmstest.Spec{
		New:      lmstest.With(moodle.New),
		Mapping:  moodle.DefaultMapping(),
		Verifier: func(tokens ...string) (lms.Verifier, error) { return signature.NewBodyToken(tokens, "token") },
		Send:     withToken,
		Secret:   secret,
		Refused: []lmstest.Recorded{
			lmstest.JSON("a token further in", event(`,"other":{"token":"s3cret-moodle"}`)),
			lmstest.JSON("a batch", `[`+event(`,"token":"s3cret-moodle"`)+`]`),
		},
		AnyType: true,
		Valid: []lmstest.Valid{
			{Recorded: lmstest.JSON("least", event("")), Want: flat(same)},
			{Recorded: sample(t, "course_completed"), Want: flat(same)},
			{Recorded: lmstest.JSON("numbers as texts", strings.NewReplacer(`311`, `"311"`, `1042`, `"1042"`).Replace(event(""))), Want: flat(same)},
			{Recorded: with(`1042`, `9007199254740993`), Want: flat(func(c *training.Completion) { c.Learner.ID = "9007199254740993" })},
			// The administrator who ran cron is not the learner.
			{Recorded: lmstest.JSON("the actor", event(`,"userid":"2","other":{"relateduserid":"7"}`)), Want: flat(same)},
		},
		Ignored: []lmstest.Ignored{
			ignored(named(`\core\event\user_enrolment_deleted`), `\core\event\user_enrolment_deleted`, "a change of an enrollment, not a completion"),
			ignored(sample(t, "user_graded.not-a-completion"), `\core\event\user_graded`, "a grade, not a completion"),
			ignored(named(`\core\event\course_reset_ended`), `\core\event\course_reset_ended`, "a reset of the course; what was completed stays completed"),
			ignored(named(`\core\event\course_module_completion_updated`), `\core\event\course_module_completion_updated`, "an activity, a part of a course"),
			ignored(named(`\core\event\user_loggedin`), `\core\event\user_loggedin`, "not a completion event"),
			ignored(named(`core\event\course_completed`), `core\event\course_completed`, "not a completion event"),
			ignored(named(`\core\event\Course_completed`), `\core\event\Course_completed`, "not a completion event"),
			ignored(lmstest.JSON("an empty batch", `[]`), "", "the array holds no statement"),
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample(t, "user_enrolment_created"), Want: []training.Enrollment{{
				Event: `\core\event\user_enrolment_created`, Learner: training.Learner{ID: "1042"}, Course: training.Course{ID: "311"},
				EnrolledAt: time.Unix(1775548800, 0).UTC(),
			}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an enrollment of nobody", strings.NewReplacer(`course_completed`, `user_enrolment_created`, `1042`, `0`).Replace(event(""))), Reason: "learner.id: is 0 or -1"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("a name that is none", `{"eventname":7}`), Reason: "eventname: want a string, is a number"},
			{Recorded: with(`"relateduserid":1042,`, ``), Reason: "no learner id"},
			{Recorded: with(`"relateduserid":1042`, `"relateduserid":null,"userid":2`), Reason: "no learner id"},
			{Recorded: with(`1042`, `0`), Reason: "learner.id: is 0 or -1"},
			{Recorded: with(`1042`, `"-1"`), Reason: "learner.id: is 0 or -1"},
			{Recorded: with(`1042`, `1042.0`), Reason: "relateduserid: want a string or an integer"},
			{Recorded: with(`"courseid":311`, `"courseid":null`), Reason: "no course id"},
			{Recorded: with(`311`, `0`), Reason: "course.id: is 0"},
			{Recorded: with(`1775658620`, `null`), Reason: "no completion date"},
			{Recorded: with(`1775658620`, `1775658620000`), Reason: seconds},
			{Recorded: with(`1775658620`, `0`), Reason: seconds},
			{Recorded: with(`1775658620`, `20260408`), Reason: seconds},
			{Recorded: with(`1775658620`, `-1775658620`), Reason: seconds},
			{Recorded: with(`1775658620`, `1775658620.5`), Reason: "timecreated: want"},
			{Recorded: with(`1775658620`, `true`), Reason: "timecreated: want"},
			{Recorded: with(`1775658620`, `"2026-04-08 14:30:20"`), Reason: "timecreated: date-time without a time zone"},
			{Recorded: with(`1775658620`, `"soon"`), Reason: "timecreated: neither"},
			{Recorded: lmstest.Form("an empty form", ``), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("a form of no type", `courseid=311&relateduserid=1042`), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("in a batch", `[null]`), Reason: "[0]: want an object, is null"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a text", `"completed"`), Reason: "want an event or an array of statements, is a string"},
			{Recorded: lmstest.JSON("a member twice", `{"eventname":"a","eventname":"b"}`), Reason: "key given twice"},
		},
	}
}

func TestWebhooks_R45(t *testing.T) { lmstest.Run(t, webhooks(t)) }

// TestJSONCalledAForm: local_webhooks sends the same body under both types.
func TestJSONCalledAForm(t *testing.T) {
	r := sample(t, "course_completed").Request()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	decoded, err := moodle.New(nil).Decode(r)
	require.NoError(t, err)
	require.Equal(t, "1042", decoded.Completions[0].Learner.ID)
}

// TestTransport_R4: what the ingress lets in for Moodle.
func TestTransport_R4(t *testing.T) {
	require.Equal(t, lms.Transport{Form: true, AnyType: true, Paths: []string{"statements"}}, moodle.Transport())
}

// TestReset: after a reset of the course the same learner completes it again, at another time.
func TestReset_R91(t *testing.T) {
	decode := func(body string) training.Fingerprint {
		decoded, err := moodle.New(nil).Decode(lms.Request{Body: []byte(body)})
		require.NoError(t, err)
		require.Len(t, decoded.Completions, 1)
		return decoded.Completions[0].Fingerprint()
	}
	first, again := event(`,"objectid":5512`), strings.Replace(event(`,"objectid":5519`), "1775658620", "1778250620", 1)
	require.NotEqual(t, decode(first), decode(again))
	require.Equal(t, decode(first), decode(event(`,"objectid":"5512"`)))
}

// TestAllFlavoursTellOfOneCompletion: a Moodle that changes its plugin does not complete anything twice.
func TestAllFlavoursTellOfOneCompletion_R90(t *testing.T) {
	var prints []training.Fingerprint
	for _, name := range []string{"course_completed", "tool_trigger.course_completed", "webhookengine.course_completed", "xapi.statements-batch"} {
		decoded, err := moodle.New(nil).Decode(sample(t, name).Request())
		require.NoError(t, err)
		prints = append(prints, decoded.Completions[0].Fingerprint())
	}
	for _, other := range prints[1:] {
		require.Equal(t, prints[0], other)
	}
}

// TestOverride: an administrator knows where the learner's employee number and a badge's course are.
func TestOverride_R61(t *testing.T) {
	text := "badge"
	m, err := moodle.DefaultMapping().Override(mapping.Definition{
		Version: "acme-2",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerExternalID: {Path: "$.extra", Transform: "concat:EMP-{value}"},
			mapping.CourseID:          {Path: "$.objectid", Transform: "concat:badge/{value}"},
			mapping.CourseCode:        {Const: &text},
		},
		CompletionWhen: &mapping.Condition{Path: "$.eventname", In: []string{`\core\event\badge_awarded`}},
	})
	require.NoError(t, err)
	decoded, err := moodle.New(m).Decode(lms.Request{Body: []byte(`{"eventname":"\\core\\event\\badge_awarded","objectid":"9",` +
		`"courseid":"311","relateduserid":"1042","timecreated":1775658620,"extra":"10421"}`)})
	require.NoError(t, err)
	want := flat(func(c *training.Completion) {
		c.Platform, c.MappingVersion, c.Event = "moodle", "moodle/acme-2", `\core\event\badge_awarded`
		c.Learner.ExternalID, c.Course = "EMP-10421", training.Course{ID: "badge/9", Code: "badge"}
	})
	require.Equal(t, want, decoded.Completions)

	decoded, err = moodle.New(m).Decode(lms.Request{Body: []byte(event(""))})
	require.NoError(t, err)
	require.Equal(t, []lms.Ignored{{Event: completed, Reason: "eventname: is none of the mapping's completionWhen"}}, decoded.Ignored)
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"course_completed", "tool_trigger.course_completed", "webhookengine.course_completed", "xapi.statements-batch", "user_graded.not-a-completion"} {
		f.Add(lmstest.Sample(f, "testdata", name).Body, false)
	}
	f.Add([]byte(`eventname=%5Ccore%5Cevent%5Ccourse_completed&relateduserid=1042&courseid=311&timecreated=1775658620`), true)
	f.Add([]byte(`{"eventname":"{eventname}","derived":{"learner":{"email":"a@example.test"}}}`), false)
	adapter := moodle.New(nil)
	f.Fuzz(func(t *testing.T, body []byte, form bool) {
		header := http.Header{"Content-Type": {"application/json"}}
		if form {
			header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		decoded, err := adapter.Decode(lms.Request{Header: header, Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func BenchmarkWebhooks(b *testing.B) {
	lmstest.Benchmark(b, lmstest.Spec{
		New: lmstest.With(moodle.New), Mapping: moodle.DefaultMapping(),
		Verifier: func(tokens ...string) (lms.Verifier, error) { return signature.NewBodyToken(tokens, "token") },
		Send:     withToken, Secret: secret,
		Valid: []lmstest.Valid{{Recorded: lmstest.Sample(b, "testdata", "course_completed")}},
	})
}

func BenchmarkStatements(b *testing.B) {
	lmstest.Benchmark(b, lmstest.Spec{
		New: lmstest.With(moodle.New), Mapping: moodle.DefaultMapping(),
		Verifier: basicVerifier, Sign: basic, Secret: secret, CredentialHeader: "Authorization",
		Valid: []lmstest.Valid{{Recorded: lmstest.Sample(b, "testdata", "xapi.statements-batch")}},
	})
}

// withToken is the event with its token in it.
func withToken(document []byte, token string) lms.Request {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(document, &members) != nil {
		return lms.Request{Method: http.MethodPost, Body: document}
	}
	quoted, _ := json.Marshal(token)
	members["token"] = quoted
	body, _ := json.Marshal(members)
	return lms.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

func basicVerifier(passwords ...string) (lms.Verifier, error) {
	return signature.NewBasic("bridge-key", passwords)
}

func basic(_ []byte, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("bridge-key", password)
	return r.Header
}

func bearer(_ []byte, token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// standardSecret writes a text as Standard Webhooks has its secrets: its bytes are the key.
func standardSecret(text string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(text))
}
