package learnupon_test

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
	"countersign/internal/lms/learnupon"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// jane is the completion that both versions' samples report, as version 2 says it.
func jane(change func(*training.Completion)) training.Completion {
	passed := true
	c := training.Completion{
		Event:             "course_completion",
		EventID:           "6a1f0c52-93de-4b7c-8e05-d2f7a9b3c641",
		EnrollmentID:      "17906600",
		Learner:           training.Learner{ID: "291162", Email: "jane.roe@example.com"},
		Course:            training.Course{ID: "2587200", Code: "GXP-26"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "dateCompleted",
		Score:             training.Score{Raw: "92", Max: "100", Passed: &passed},
	}
	change(&c)
	return c
}

// asVersion1 adds what only version 1 says.
func asVersion1(c *training.Completion) {
	c.EventID = "2213843"
	c.Learner.FirstName, c.Learner.LastName = "Jane", "Roe"
	c.Course.Title = "GxP Annual Refresher 2026"
}

// event is an event of version 2 with the given members after its ids.
func event(members string) string {
	return `{"data":[{"enrollmentId":1,"courseId":2,"user":{"userId":3}` + members + `}]}`
}

// least is what event holds when members say that the course is completed.
func least(change func(*training.Completion)) []training.Completion {
	return []training.Completion{jane(func(c *training.Completion) {
		c.EventID, c.EnrollmentID, c.Learner, c.Course = "wh-7", "1", training.Learner{ID: "3"}, training.Course{ID: "2"}
		c.Score = training.Score{}
		change(c)
	})}
}

// typed is a delivery of version 2, signed as LearnUpon would, with kind in the header of the type
// unless it is "".
func typed(kind, name, body string) lmstest.Recorded {
	header := sign([]byte(body), secret)
	header.Set("X-Webhook-Id", "wh-7")
	if kind != "" {
		header.Set("X-Webhook-Type", kind)
	}
	return lmstest.Recorded{Name: name, Header: header, Body: []byte(body)}
}

// delivery is one of finished courses.
func delivery(name, body string) lmstest.Recorded { return typed("course_completion", name, body) }

// with adds a header to a delivery.
func with(r lmstest.Recorded, header, value string) lmstest.Recorded {
	r.Header.Add(header, value)
	return r
}

func withoutID(r lmstest.Recorded) lmstest.Recorded {
	r.Header.Del("X-Webhook-Id")
	return r
}

// ignoredType is a delivery of version 2 whose type is not the one that reports a finished course, though
// its body may look like it.
func ignoredType(kind, body string) lmstest.Ignored {
	return lmstest.Ignored{
		Recorded: typed(kind, "type "+kind, body),
		Want:     []lms.Ignored{{Event: kind, Reason: "not a completion event"}},
	}
}

func same(*training.Completion) {}

// spec is what the suite has to know of LearnUpon.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	const (
		batchID   = "0d7c5e38-4b19-4f6a-a2d0-91c8e3b7f554"
		date      = `,"dateCompleted":"2026-04-08T14:30:00.000Z"`
		completed = `,"enrollmentStatus":"completed"` + date
		version1  = `{"header":{"webHookType":"course_completion","webhookId":9},"user":{"userId":3},"courseId":2,"enrollmentId":1`
	)
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	body := func(name string) lmstest.Recorded { // without headers: version 1 has no signature there
		return lmstest.JSON(name, string(sample(name).Body))
	}
	notFinished := []lms.Ignored{{Event: "course_completion", Reason: "enrollmentStatus says that the course is not finished"}}
	return lmstest.Spec{
		New:     lmstest.With(learnupon.New),
		Mapping: learnupon.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewHMAC(secrets, learnupon.SignatureHeaders()...)
		},
		Sign:             sign,
		Secret:           secret,
		CredentialHeader: "X-Webhook-Signature",
		SignsBody:        true,
		Valid: []lmstest.Valid{
			{Recorded: sample("course-completion-v2"), Want: []training.Completion{jane(same)}},
			{Recorded: sample("course-completion-v2-batch"), Want: []training.Completion{
				jane(func(c *training.Completion) {
					c.EventID = batchID
					c.EnrollmentID, c.Learner.ID, c.Learner.Email = "17906611", "291170", "k.mbeki@example.com"
					c.CompletedAt, c.Score.Raw = time.Date(2026, 4, 9, 7, 5, 0, 0, time.UTC), "88"
				}),
				jane(func(c *training.Completion) {
					c.EventID = batchID
					c.EnrollmentID, c.Learner.ID, c.Learner.Email = "17906612", "291171", "r.castellanos@example.com"
					c.CompletedAt, c.Score = time.Date(2026, 4, 9, 7, 6, 0, 0, time.UTC), training.Score{}
					c.Course = training.Course{ID: "2587305"}
				}),
				jane(func(c *training.Completion) {
					c.EventID = batchID
					c.EnrollmentID, c.Learner.ID, c.Learner.Email = "17906613", "291172", "m.okafor@example.com"
					c.CompletedAt = time.Date(2026, 4, 9, 7, 7, 0, 0, time.UTC)
					c.Score = training.Score{Raw: "40", Max: "100", Passed: new(bool)}
				}),
			}},
			{Recorded: body("course-completion-v1"), Want: []training.Completion{jane(asVersion1)}},
			{Recorded: delivery("completed says nothing about passing", event(completed)), Want: least(same)},
			{Recorded: with(delivery("headers doubled on the way", event(completed)), "X-Webhook-Type", "course_completion"), Want: least(same)},
			{Recorded: withoutID(delivery("no id", event(completed))), Want: least(func(c *training.Completion) { c.EventID = "" })},
			{Recorded: delivery("a score of 0 is a score", event(completed+`,"percentage":0`)), Want: least(func(c *training.Completion) {
				c.Score = training.Score{Raw: "0", Max: "100"}
			})},
			{Recorded: delivery("a day", event(`,"enrollmentStatus":"completed","dateCompleted":"2026-04-08"`)),
				Want: least(func(c *training.Completion) {
					c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
				})},
			{Recorded: lmstest.JSON("certificate that lapses", version1+completed+`,"certExpiresAt":"2027-04-08T00:00:00Z"}`),
				Want: least(func(c *training.Completion) {
					expires := time.Date(2027, 4, 8, 0, 0, 0, 0, time.UTC)
					c.EventID, c.ExpiresAt = "9", &expires
				})},
			{Recorded: lmstest.JSON("the type's other spelling", strings.Replace(version1+completed+`}`, "webHookType", "webhookType", 1)),
				Want: least(func(c *training.Completion) { c.EventID = "9" })},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: delivery("no events", `{"data":[]}`), Want: []lms.Ignored{{Reason: "data holds no event"}}},
			{Recorded: delivery("not started", event(`,"enrollmentStatus":"not_started"`)), Want: notFinished},
			{Recorded: delivery("in progress", event(`,"enrollmentStatus":"in_progress"`+date)), Want: notFinished},
			ignoredType("exam_completion", event(completed)),
			ignoredType("Course_Completion", event(completed)),
			ignoredType("course_completion2", event(completed)),
			ignoredType("a type of tomorrow", `{"data":[{"user":{"userId":3}},7]}`),
			{Recorded: typed("", "no events, no type", `{"data":[]}`), Want: []lms.Ignored{{Reason: "data holds no event"}}},
			{Recorded: lmstest.JSON("version 1, exam", strings.Replace(version1+completed+`}`, "course_completion", "exam_completion", 1)),
				Want: []lms.Ignored{{Event: "exam_completion", Reason: "not a completion event"}}},
			{Recorded: lmstest.JSON("version 1, another type", `{"header":{"webHookType":"badge_awarded"}}`),
				Want: []lms.Ignored{{Event: "badge_awarded", Reason: "not a completion event"}}},
			{Recorded: lmstest.JSON("version 1, in progress", version1+`,"enrollmentStatus":"in_progress"}`),
				Want: notFinished},
		},
		Problems: []lmstest.Problem{
			{Recorded: typed("", "no type", event(completed)), Reason: "X-Webhook-Type: is missing"},
			{Recorded: typed(" ", "empty type", event(completed)), Reason: "X-Webhook-Type: is missing"},
			{Recorded: lmstest.JSON("no headers", event(completed)), Reason: "X-Webhook-Type: is missing"},
			{Recorded: with(delivery("two types", event(completed)), "X-Webhook-Type", "exam_completion"), Reason: "X-Webhook-Type: several values"},
			{Recorded: with(delivery("two ids", event(completed)), "X-Webhook-Id", "wh-8"), Reason: "X-Webhook-Id: several values"},
			{Recorded: delivery("an exam that is said to be a course", event(completed+`,"examName":"Final"`)), Reason: "data[0]: examName: an exam's"},
			{Recorded: delivery("no enrollment", `{"data":[{"user":{"userId":3}}]}`), Reason: "data[0]: enrollmentStatus: is missing"},
			{Recorded: delivery("no status", event(date)), Reason: "data[0]: enrollmentStatus: is missing"},
			{Recorded: delivery("waits for a review", event(`,"enrollmentStatus":"pending_review"`+date)), Reason: "enrollmentStatus: the result waits"},
			{Recorded: delivery("a new status", event(`,"enrollmentStatus":"Passed"`+date)), Reason: "enrollmentStatus: unknown word"},
			{Recorded: delivery("no date", event(`,"enrollmentStatus":"passed","dateCompleted":null`)), Reason: "no completion date"},
			{Recorded: delivery("date without zone", event(`,"enrollmentStatus":"passed","dateCompleted":"2026-04-08T14:30:00"`)),
				Reason: "dateCompleted: date-time without a time zone"},
			{Recorded: delivery("no learner", `{"data":[{"enrollmentId":1,"courseId":2`+completed+`}]}`), Reason: "no learner id"},
			{Recorded: delivery("user is a list", `{"data":[{"enrollmentId":1,"courseId":2,"user":[]`+completed+`}]}`), Reason: "user: want an object"},
			{Recorded: delivery("id through floating point", event(completed+`,"courseReferenceCode":1e3`)), Reason: "courseReferenceCode: want"},
			{Recorded: delivery("score over 100", event(completed+`,"percentage":101`)), Reason: "score lies outside"},
			{Recorded: delivery("event is no object", `{"data":[7]}`), Reason: "data[0]: want an object"},
			{Recorded: lmstest.JSON("version 1, no type", `{"header":{"webhookId":9}}`), Reason: "header.webHookType: is missing"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("neither version", `{}`), Reason: "want data, an array"},
			{Recorded: lmstest.JSON("data is no array", `{"data":{}}`), Reason: "want data, an array"},
			{Recorded: lmstest.JSON("an array", `[]`), Reason: "want data, an array"},
		},
	}
}

func TestLearnUpon_R30_R175(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkLearnUpon(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestOneBadEventSparesTheOthers: a batch is not all or nothing.
func TestOneBadEventSparesTheOthers(t *testing.T) {
	good := string(lmstest.Sample(t, "testdata", "course-completion-v2").Body)
	mixed := delivery("mixed", strings.Replace(good, `{"data":[`, `{"data":[null,{"enrollmentStatus":"in_progress"},`, 1))
	decoded, err := learnupon.New(nil).Decode(mixed.Request())
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Len(t, decoded.Ignored, 1)
	require.Len(t, decoded.Problems, 1)
	require.Contains(t, decoded.Problems[0].Reason, "data[0]: ")
	require.Equal(t, "wh-7", decoded.Problems[0].EventID)
}

// TestBothVersionsAreOneCompletion: a portal may send both at once, and one completion has one effect.
func TestBothVersionsAreOneCompletion(t *testing.T) {
	var all []training.Fingerprint
	for _, name := range []string{"course-completion-v1", "course-completion-v2"} {
		decoded, err := learnupon.New(nil).Decode(lmstest.Sample(t, "testdata", name).Request())
		require.NoError(t, err)
		all = append(all, decoded.Completions[0].Fingerprint())
	}
	require.Equal(t, all[0], all[1])
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		event(`,"enrollmentStatus":"passed","dateCompleted":"2026-04-08T14:30:00Z","percentage":1e1`), `{"data":[]}`,
		`{"header":{"webHookType":"course_completion","webhookId":1},"enrollmentStatus":"failed"}`, `[]`, ``,
	} {
		f.Add("course_completion", []byte(seed))
		f.Add("exam_completion", []byte(seed))
	}
	adapter := learnupon.New(nil)
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := typed(kind, "fuzzed", string(body)).Request()
		decoded, err := adapter.Decode(r)
		lmstest.Check(t, adapter, decoded, err)
	})
}

func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{"X-Webhook-Signature": {hex.EncodeToString(mac.Sum(nil))}}
}
