package canonical_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// Every sample is this completion with small changes; see testdata.
func jordan(change func(*training.Completion)) []training.Completion {
	expires := time.Date(2027, 4, 8, 0, 0, 0, 0, time.UTC)
	passed := true
	c := training.Completion{
		EventID: "wh-20260408-143022-8a3c1d7e-bb21-4f19-a312-7ec20b90ca44",
		Event:   "course.completion",
		Learner: training.Learner{
			ID: "10291", Email: "jordan.lee@example.com", ExternalID: "HR-4829", FirstName: "Jordan", LastName: "Lee",
		},
		Course:            training.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "payload.course.completion_date",
		Score:             training.Score{Raw: "91.5", Max: "100", Passed: &passed},
		ExpiresAt:         &expires,
	}
	change(&c)
	return []training.Completion{c}
}

// envelope is a completion with the given course members, and perhaps more at the top.
func envelope(course string, top ...string) string {
	return `{"event":"course.completion","version":"1.0",` + strings.Join(append(top, ""), ",") +
		`"payload":{"user":{"id":7},"course":{"id":1` + course + `}}}`
}

// seven is what envelope holds.
func seven(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		Event: "course.completion", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"},
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
		CompletedAtSource: "payload.course.completion_date",
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

// spec is what the suite has to know of Canonical.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	const date = `,"completion_date":"2026-04-08T14:30:00Z"`
	due := time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC)
	return lmstest.Spec{
		New:              lmstest.With(canonical.New),
		Mapping:          canonical.DefaultMapping(),
		Verifier:         verifier,
		Sign:             sign,
		Secret:           "s3cret-canonical",
		CredentialHeader: "X-Hub-Signature-256",
		SignsBody:        true,
		Valid: []lmstest.Valid{
			{Recorded: sample("course-completion"), Want: jordan(same)},
			{Recorded: sample("course-completion-absorb-header"), Want: jordan(func(c *training.Completion) {
				c.EventID = "wh-20260408-143022-0002"
			})},
			{Recorded: sample("course-completion-seed-timestamp-mismatch"), Want: jordan(func(c *training.Completion) {
				c.EventID = "wh-20260408-143022-0003"
			})},
			{Recorded: sample("course-completion-no-score"), Want: jordan(func(c *training.Completion) {
				c.EventID, c.Score, c.ExpiresAt = "wh-20260408-143022-0004", training.Score{}, nil
			})},
			{Recorded: lmstest.JSON("least", envelope(date)), Want: seven(same)},
			{Recorded: lmstest.JSON("offset", envelope(`,"completion_date":"2026-04-08T09:30:00.0009-05:00"`)), Want: seven(same)},
			{Recorded: lmstest.JSON("a day", envelope(`,"completion_date":"2026-04-08"`)), Want: seven(func(c *training.Completion) {
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
			{
				Recorded: lmstest.JSON("fired_at in place of the date", envelope(`,"completion_date":null`,
					`"fired_at":"2026-04-08T14:30:00.000Z"`, `"timestamp":1`)),
				Want: seven(func(c *training.Completion) { c.CompletedAtSource = "fired_at" }),
			},
			{
				Recorded: lmstest.JSON("timestamp in place of both", envelope(`,"completion_date":""`, `"timestamp":1775658600`)),
				Want:     seven(func(c *training.Completion) { c.CompletedAtSource = "timestamp" }),
			},
			{Recorded: lmstest.JSON("a score of 0", envelope(date+`,"score":0,"passed":false`)), Want: seven(func(c *training.Completion) {
				c.Score = training.Score{Raw: "0", Max: "100", Passed: new(bool)}
			})},
			{Recorded: lmstest.JSON("score as text", envelope(date+`,"score":"91.50"`)), Want: seven(func(c *training.Completion) {
				c.Score = training.Score{Raw: "91.50", Max: "100"}
			})},
			{Recorded: lmstest.JSON("ids as text", strings.NewReplacer(`"id":7`, `"id":" 007 "`, `"id":1`, `"id":"aB"`).Replace(envelope(date))),
				Want: seven(func(c *training.Completion) { c.Learner.ID, c.Course.ID = "007", "aB" })},
			{Recorded: lmstest.JSON("version 1.7", strings.Replace(envelope(date), `"1.0"`, `1.7`, 1)), Want: seven(same)},
			{Recorded: lmstest.JSON("no version", strings.Replace(envelope(date), `"version":"1.0",`, ``, 1)), Want: seven(same)},
			{Recorded: lmstest.JSON("another spelling", strings.Replace(envelope(date), "course.completion", "course_completion", 1)),
				Want: seven(func(c *training.Completion) { c.Event = "course_completion" })},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: lmstest.JSON("unknown event, no payload", `{"event":"ping"}`),
				Want: []lms.Ignored{{Event: "ping", Reason: "not a completion event"}}},
			{Recorded: lmstest.JSON("the name in another case", `{"event":"COURSE.COMPLETION"}`),
				Want: []lms.Ignored{{Event: "COURSE.COMPLETION", Reason: "not a completion event"}}},
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample("enrollment-created"), Want: []training.Enrollment{{
				EventID: "wh-20260401-080000-0005", Event: "enrollment.created",
				Learner:    training.Learner{ID: "10291", Email: "jordan.lee@example.com", ExternalID: "HR-4829", FirstName: "Jordan", LastName: "Lee"},
				Course:     training.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"},
				EnrolledAt: time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC),
			}}},
			{Recorded: lmstest.JSON("with its own dates", `{"event":"enrollment.created","fired_at":"2026-04-02T08:00:00Z","payload":{"user":{"id":7},"course":{"id":1,"enrollment_date":"2026-04-01","due_date":"2026-05-01T00:00:00+02:00"}}}`),
				Want: []training.Enrollment{{
					Event: "enrollment.created", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"},
					EnrolledAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), DueAt: &due,
				}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an enrollment without a date", `{"event":"enrollment.created","payload":{"user":{"id":7},"course":{"id":1}}}`), Reason: "no enrollment date"},
			{Recorded: lmstest.JSON("an enrollment of version 2", `{"event":"enrollment.created","version":"2.0"}`), Reason: "version: unknown major"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("unknown major version", strings.Replace(envelope(date), `"1.0"`, `"2.0"`, 1)), Reason: "version: unknown major"},
			{Recorded: lmstest.JSON("version 10", strings.Replace(envelope(date), `"1.0"`, `10`, 1)), Reason: "version: unknown major"},
			{Recorded: lmstest.JSON("no event", `{"id":"x","payload":{}}`), Reason: "event: is missing"},
			{Recorded: lmstest.JSON("no payload", `{"event":"course.completion"}`), Reason: "no learner id"},
			{Recorded: lmstest.JSON("payload is a list", `{"event":"course.completion","payload":[]}`), Reason: "payload: want an object, is an array"},
			{Recorded: lmstest.JSON("no date at all", envelope(``)), Reason: "no completion date"},
			{Recorded: lmstest.JSON("date without zone", envelope(`,"completion_date":"2026-04-08T14:30:00"`, `"fired_at":"2026-04-08T14:30:00Z"`)),
				Reason: "payload.course.completion_date: date-time without a time zone"},
			{Recorded: lmstest.JSON("date as a number", envelope(`,"completion_date":1775658600`, `"timestamp":1775658600`)),
				Reason: "payload.course.completion_date: want a string, is a number"},
			{Recorded: lmstest.JSON("timestamp in milliseconds", envelope(``, `"timestamp":1775658600000`)), Reason: "timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("timestamp with a fraction", envelope(``, `"timestamp":1775658600.5`)), Reason: "timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("a date before computers", envelope(`,"completion_date":"0001-01-02T00:00:00Z"`)), Reason: "outside 1970 to 9999"},
			{Recorded: lmstest.JSON("score over 100", envelope(date+`,"score":100.01`)), Reason: "score lies outside"},
			{Recorded: lmstest.JSON("negative score", envelope(date+`,"score":-1`)), Reason: "score lies outside"},
			{Recorded: lmstest.JSON("score in words", envelope(date+`,"score":"91,5"`)), Reason: "payload.course.score: want a number"},
			{Recorded: lmstest.JSON("passed in words", envelope(date+`,"passed":"true"`)), Reason: "payload.course.passed: want a boolean"},
			{Recorded: lmstest.JSON("id through floating point", strings.Replace(envelope(date), `"id":7`, `"id":7.0`, 1)), Reason: "payload.user.id: want"},
			{Recorded: lmstest.JSON("a control character", envelope(date+`,"title":"a\u0000b"`)), Reason: "control character"},
			{Recorded: lmstest.JSON("expiry without zone", strings.TrimSuffix(envelope(date), "}}")+
				`,"certificate":{"expiry_date":"2027-04-08T00:00:00"}}}`), Reason: "payload.certificate.expiry_date: date-time without"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a batch", `[`+envelope(date)+`]`), Reason: "want one envelope, an object; is an array"},
			{Recorded: lmstest.JSON("a member twice", `{"event":"x","event":"course.completion"}`), Reason: "key given twice"},
		},
	}
}

func TestCanonical_R48_R52(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkCanonical(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestTimestampIsNeverCompared_R48: the seed's own sample has a timestamp a year before its date.
func TestTimestampIsNeverCompared_R48(t *testing.T) {
	plain := lmstest.Sample(t, "testdata", "course-completion")
	odd := lmstest.Sample(t, "testdata", "course-completion-seed-timestamp-mismatch")
	first, err := canonical.New(nil).Decode(plain.Request())
	require.NoError(t, err)
	second, err := canonical.New(nil).Decode(odd.Request())
	require.NoError(t, err)
	require.Equal(t, first.Completions[0].Fingerprint(), second.Completions[0].Fingerprint())
}

func TestOriginalDomain_R162(t *testing.T) {
	decoded, err := canonical.New(nil).Decode(lmstest.Sample(t, "testdata", "enrollment-created").Request())
	require.NoError(t, err)
	require.Equal(t, "acme.lms.example.com", decoded.OriginalDomain)
}

func TestEverySignatureHeader_R27_R28_R29_R30(t *testing.T) {
	body := []byte(`{}`)
	digits := strings.TrimPrefix(sign(body, "s").Get("X-Hub-Signature-256"), "sha256=")
	v, err := verifier("s")
	require.NoError(t, err)
	for _, name := range []string{"absorb-signature", "X-Absorb-Signature", "X-Hub-Signature-256", "X-LearnUpon-Webhook-Signature"} {
		header := http.Header{}
		header.Set(name, digits)
		_, err := v.Verify(lms.Request{Method: http.MethodPost, Header: header, Body: body})
		require.NoError(t, err, name)
	}
}

// TestCompletionWhenReplacesTheName: a sender of this form may have names of its own, or none.
func TestCompletionWhenReplacesTheName_R61(t *testing.T) {
	m, err := canonical.DefaultMapping().Override(mapping.Definition{
		Version: "acme-1", CompletionWhen: &mapping.Condition{Path: "$['event','kind']", In: []string{"training.completed"}},
	})
	require.NoError(t, err)
	adapter := canonical.New(m)
	const date = `,"completion_date":"2026-04-08T14:30:00Z"`
	decode := func(before, after string) lms.Decoded {
		decoded, err := adapter.Decode(lms.Request{Body: []byte(strings.Replace(envelope(date), before, after, 1))})
		require.NoError(t, err)
		lmstest.Check(t, adapter, decoded, err)
		return decoded
	}
	require.Equal(t, "training.completed", decode("course.completion", "training.completed").Completions[0].Event)
	require.Empty(t, decode(`"event":"course.completion"`, `"kind":"training.completed"`).Completions[0].Event)
	require.Equal(t, []lms.Ignored{{Event: "course.completion", Reason: "event: is none of the mapping's completionWhen"}}, decode("", "").Ignored)
	require.Equal(t, "version: unknown major version", decode(`course.completion","version":"1.0"`, `training.completed","version":"2.0"`).Problems[0].Reason)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{envelope(`,"completion_date":"2026-04-08T14:30:00Z","score":1e1`), `{"event":"ping"}`, `[]`, `{"event":1}`, ``} {
		f.Add([]byte(seed))
	}
	adapter := canonical.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func verifier(secrets ...string) (lms.Verifier, error) {
	return signature.NewHMAC(secrets, canonical.SignatureHeaders()...)
}

func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}
