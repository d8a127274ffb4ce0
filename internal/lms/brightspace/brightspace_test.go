package brightspace_test

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
	"countersign/internal/lms/brightspace"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// issued is the completion that the samples report: learner 30421 got award 71 in org unit 6606.
func issued(change func(*training.Completion)) []training.Completion {
	c := training.Completion{
		EventID:           "5f0c1d2e-0001-4a00-8000-000000000001",
		Event:             "award/issue:created",
		Learner:           training.Learner{ID: "30421"},
		Course:            training.Course{ID: "6606/award/71"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 123e6, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "timestamp",
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

// event is an event of the given kind with the given ids in its object's extension.
func event(object, verb, ids string) string {
	const at = "https://api.brightspace.com/xapi/"
	return `{"id":"e-1","timestamp":"2026-04-08T14:30:00.123Z","verb":{"id":"` + at + `verbs/` + verb + `"},` +
		`"object":{"definition":{"type":"` + at + `activities/` + object + `"}},"context":{"extensions":{` +
		`"` + at + `extension_keys/context/object":{` + ids + `},` +
		`"` + at + `extension_keys/context/context":{"orgUnitId":"6606"}}}}`
}

// award is the event of an award.
func award(verb string) string {
	return event("tools/award/issue", verb, `"awardId":"71","issuedUserId":"30421"`)
}

// spec is what the suite has to know of Brightspace.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	ignored := func(object, verb, reason string) lmstest.Ignored {
		name := strings.TrimPrefix(object, "tools/") + ":" + verb
		return lmstest.Ignored{
			Recorded: lmstest.JSON(name, event(object, verb, `"awardId":"71","issuedUserId":"30421"`)),
			Want:     []lms.Ignored{{Event: name, Reason: reason}},
		}
	}
	const (
		changed = "the award was changed, not issued; what it completed stays completed"
		grade   = "a grade's event names neither learner nor value"
		other   = "not a completion event"
	)
	replaced := func(before, after string) lmstest.Recorded {
		return lmstest.JSON(before+" → "+after, strings.Replace(award("created"), before, after, 1))
	}
	enrollment := func(before, after string) lmstest.Recorded {
		return lmstest.JSON("enrollment: "+before+" → "+after, strings.Replace(string(sample("enrollment").Body), before, after, 1))
	}
	return lmstest.Spec{
		New:     lmstest.With(brightspace.New),
		Mapping: brightspace.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewHMAC(secrets, brightspace.SignatureHeaders()...)
		},
		Sign:             sign,
		Secret:           "s3cret-brightspace",
		CredentialHeader: "X-Hub-Signature-256",
		SignsBody:        true,
		AnyType:          true,
		Valid: []lmstest.Valid{
			{Recorded: sample("award-issued"), Want: issued(same)},
			// The array begins with a finished topic, which is ignored.
			{Recorded: sample("batch"), Want: issued(same)},
			{Recorded: lmstest.JSON("the verb's other word", award("awarded")), Want: issued(func(c *training.Completion) {
				c.EventID, c.Event = "e-1", "award/issue:awarded"
			})},
			{Recorded: replaced(`"30421"`, `30421`), Want: issued(func(c *training.Completion) { c.EventID = "e-1" })},
			{Recorded: replaced(`T14:30:00.123Z`, ``), Want: issued(func(c *training.Completion) {
				c.EventID, c.CompletedAt, c.Precision = "e-1", time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: sample("content-topic-completed"), Want: []lms.Ignored{{Event: "content/topic:completed", Reason: "a topic, a part of a course"}}},
			{Recorded: sample("final-grade-released"), Want: []lms.Ignored{{Event: "grade/final:released", Reason: grade}}},
			{Recorded: enrollment(`"Learner"`, `"Instructor"`), Want: []lms.Ignored{{Event: "classlist:enrolled", Reason: "an enrollment, and not of a learner"}}},
			{Recorded: enrollment(`"Course Offering"`, `"Department"`), Want: []lms.Ignored{{Event: "classlist:enrolled", Reason: "an enrollment, and not in a course"}}},
			ignored("tools/award/issue", "updated", changed),
			ignored("tools/award/issue", "revoked", changed),
			ignored("tools/award/issue", "expired", changed),
			ignored("tools/grade", "updated", grade),
			ignored("tools/grade/item", "created", grade),
			ignored("tools/classlist", "unenrolled", other),
			ignored("award/issues", "created", other),
			{
				Recorded: replaced("https://api.brightspace.com/xapi/activities/", "https://example.com/"),
				Want:     []lms.Ignored{{Event: "https://example.com/tools/award/issue:created", Reason: other}},
			},
			{
				Recorded: replaced("https://api.brightspace.com/xapi/verbs/", "https://example.com/"),
				Want:     []lms.Ignored{{Event: "award/issue:https://example.com/created", Reason: changed}},
			},
			{Recorded: lmstest.JSON("no events", `[]`), Want: []lms.Ignored{{Reason: "the array holds no event"}}},
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample("enrollment"), Want: []training.Enrollment{{
				EventID: "5f0c1d2e-0003-4a00-8000-000000000003", Event: "classlist:enrolled",
				Learner: training.Learner{ID: "30421"}, Course: training.Course{ID: "6606"},
				EnrolledAt: time.Date(2026, 4, 7, 8, 0, 0, 0, time.UTC),
			}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: enrollment(`"userId":"30421",`, ``), Reason: "no learner id"},
			{Recorded: enrollment(`"orgUnitId":"6606"`, `"orgUnitId":null`), Reason: "no course id"},
		},
		Problems: []lmstest.Problem{
			{Recorded: replaced(`"verb"`, `"verbs"`), Reason: "object.definition.type or verb.id: is missing"},
			{Recorded: replaced(`"definition"`, `"definitions"`), Reason: "object.definition.type or verb.id: is missing"},
			{Recorded: replaced(`"issuedUserId"`, `"userId"`), Reason: "context.extensions/object/issuedUserId: is missing"},
			{Recorded: replaced(`"71"`, `"  "`), Reason: "context.extensions/object/awardId: is missing"},
			{Recorded: replaced(`"71"`, `7.1`), Reason: "context.extensions/object/awardId: want a string or an integer"},
			{Recorded: replaced(`"6606"`, `null`), Reason: "context.extensions/context/orgUnitId: is missing"},
			{Recorded: replaced(`"extensions"`, `"extension"`), Reason: "context.extensions/object/issuedUserId: is missing"},
			{Recorded: replaced(`"timestamp"`, `"at"`), Reason: "no completion date"},
			{Recorded: replaced(`123Z"`, `123"`), Reason: "timestamp: date-time without a time zone"},
			{Recorded: replaced(`"e-1"`, `[]`), Reason: "id: want a string or an integer, is an array"},
			{Recorded: lmstest.JSON("event is null", `[null]`), Reason: "[0]: object.definition.type or verb.id: is missing"},
			{Recorded: lmstest.JSON("event is an array", `[[]]`), Reason: "[0]: want an object"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a text", `"award"`), Reason: "want an event or an array of them, is a string"},
		},
	}
}

func TestBrightspace_R172(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkBrightspace(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestAwardsOfOneMomentAreTwoCompletions: a course may issue two awards at once, and an award belongs to
// many courses.
func TestAwardsOfOneMomentAreTwoCompletions(t *testing.T) {
	one := award("created")
	body := `[` + one + `,` + strings.Replace(one, `"71"`, `"72"`, 1) + `,` + strings.Replace(one, `"6606"`, `"6607"`, 1) + `]`
	decoded, err := brightspace.New(nil).Decode(lms.Request{Body: []byte(body)})
	require.NoError(t, err)
	fingerprints := map[training.Fingerprint]bool{}
	for _, completion := range decoded.Completions {
		fingerprints[completion.Fingerprint()] = true
	}
	require.Len(t, fingerprints, 3)
}

// TestOneBadEventSparesTheOthers: an array is not all or nothing.
func TestOneBadEventSparesTheOthers(t *testing.T) {
	decoded, err := brightspace.New(nil).Decode(lms.Request{Body: []byte(`[{"id":"e-0"},` + award("revoked") + `,` + award("created") + `]`)})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Len(t, decoded.Ignored, 1)
	require.Equal(t, []lms.Problem{{EventID: "e-0", Reason: "[0]: object.definition.type or verb.id: is missing"}}, decoded.Problems)
}

// TestCompletionWhenReplacesTheAward: an award may count for nothing, and a topic may be the whole course.
func TestCompletionWhenReplacesTheAward(t *testing.T) {
	const extension = "$.context.extensions['https://api.brightspace.com/xapi/extension_keys/context/"
	own := mapping.Definition{
		Version: "acme-1",
		CompletionWhen: &mapping.Condition{Path: "$.object.definition.type", In: []string{
			"https://api.brightspace.com/xapi/activities/content/topic", "https://api.brightspace.com/xapi/activities/tools/grade"}},
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerID: {Path: extension + "actor'].userId", Else: []string{extension + "object'].issuedUserId"}},
			mapping.CourseID:  {Path: extension + "context'].orgUnitId"},
		},
	}
	m, err := brightspace.DefaultMapping().Override(own)
	require.NoError(t, err)
	topic := event("content/topic", "completed", `"issuedUserId":"30421"`)
	decoded, err := brightspace.New(m).Decode(lms.Request{Body: []byte(`[` + topic + `,` + award("created") + `]`)})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Equal(t, training.Course{ID: "6606"}, decoded.Completions[0].Course)
	require.Equal(t, "content/topic:completed", decoded.Completions[0].Event)
	require.Equal(t, []lms.Ignored{{Event: "award/issue:created", Reason: "object.definition.type: is none of the mapping's completionWhen"}}, decoded.Ignored)

	own.Fields = nil // who finished what is not where an award has it
	m, err = brightspace.DefaultMapping().Override(own)
	require.NoError(t, err)
	decoded, err = brightspace.New(m).Decode(lms.Request{Body: []byte(topic)})
	require.NoError(t, err)
	require.Len(t, decoded.Problems, 1)
	require.Contains(t, decoded.Problems[0].Reason, "awardId: is missing")
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{award("created"), `[` + award("revoked") + `]`, `[]`, `{"id":"e-1"}`, ``} {
		f.Add([]byte(seed))
	}
	adapter := brightspace.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}
