package lessonly_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/lessonly"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// dana is the completion that the samples report, with small changes.
func dana(change func(*training.Completion)) []training.Completion {
	passed := true
	c := training.Completion{
		Learner: training.Learner{
			ID: "1187", Email: "dana.fields@example.com", ExternalID: "HR-4829", FirstName: "Dana Fields",
		},
		Course:            training.Course{ID: "30976", Title: "Complaint intake"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "completed_at",
		Score:             training.Score{Raw: "92.5", Max: "100", Passed: &passed},
	}
	change(&c)
	return []training.Completion{c}
}

func same(*training.Completion) {}

const (
	ids = `{"user":{"id":7},"lesson":{"id":1`
	at  = `,"completed_at":"2026-04-08T14:30:00Z"`
)

// marked is a report with a pass mark and the given members at the top.
func marked(mark, members string) string {
	return ids + `,"retake_score":` + mark + `}` + at + members + `}`
}

// spec is what the suite has to know of Lessonly.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	least := func(s training.Score) []training.Completion {
		return dana(func(c *training.Completion) {
			c.Learner, c.Course, c.Score = training.Learner{ID: "7"}, training.Course{ID: "1"}, s
		})
	}
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	return lmstest.Spec{
		New:      lmstest.With(lessonly.New),
		Mapping:  lessonly.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) { return signature.NewAuthorization(secrets) },
		Sign: func(_ []byte, secret string) http.Header {
			return http.Header{lessonly.CredentialHeader: {secret}}
		},
		Secret:           "s3cret-lessonly",
		CredentialHeader: lessonly.CredentialHeader,
		AnyType:          true,
		Valid: []lmstest.Valid{
			{Recorded: sample("lesson-completed"), Want: dana(same)},
			{Recorded: sample("lesson-completed-legacy-score"), Want: dana(same)},
			{Recorded: sample("lesson-completed-below-retake"), Want: dana(func(c *training.Completion) {
				c.Score = training.Score{Raw: "60.0", Max: "100", Passed: new(bool)}
			})},
			{Recorded: sample("lesson-completed-no-score"), Want: dana(func(c *training.Completion) {
				c.Learner.ExternalID, c.Score = "", training.Score{}
			})},
			{Recorded: lmstest.JSON("least", ids+`}`+at+`}`), Want: least(training.Score{})},
			{Recorded: lmstest.JSON("offset and milliseconds", ids+`},"completed_at":"2026-04-08T10:30:00.000-04:00"}`), Want: least(training.Score{})},
			{Recorded: lmstest.JSON("a day", ids+`},"completed_at":"2026-04-08"}`), Want: dana(func(c *training.Completion) {
				c.Learner, c.Course, c.Score = training.Learner{ID: "7"}, training.Course{ID: "1"}, training.Score{}
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
			{Recorded: lmstest.JSON("no pass mark says nothing about passing", marked("0", `,"score_percent":0`)),
				Want: least(training.Score{Raw: "0", Max: "100"})},
			{Recorded: lmstest.JSON("pass mark null", marked("null", `,"score_percent":55`)), Want: least(training.Score{Raw: "55", Max: "100"})},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: lmstest.JSON("not finished", ids+`},"completed_at":null,"started_at":"2026-04-08T14:01:09Z"}`),
				Want: []lms.Ignored{{Reason: "no completed_at: the lesson is not finished"}}},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("not graded yet", marked("80", `,"score_percent":null`)), Reason: "score_percent: is missing although lesson.retake_score"},
			{Recorded: lmstest.JSON("score over 100", marked("0", `,"score_percent":100.5`)), Reason: "score lies outside"},
			{Recorded: lmstest.JSON("score in words", marked("80", `,"score_percent":"good"`)), Reason: "score_percent: want a number"},
			{Recorded: lmstest.JSON("score of many digits", marked("80", `,"score_percent":1e999999999`)), Reason: "score_percent: has more digits"},
			{Recorded: lmstest.JSON("older score over 1", marked("0", `,"score":92.5`)), Reason: "score lies outside"},
			{Recorded: lmstest.JSON("pass mark over 100", marked("101", `,"score_percent":100`)), Reason: "lesson.retake_score: lies outside"},
			{Recorded: lmstest.JSON("pass mark below 0", marked("-1", `,"score_percent":100`)), Reason: "lesson.retake_score: lies outside"},
			{Recorded: lmstest.JSON("pass mark true", marked("true", `,"score_percent":100`)), Reason: "lesson.retake_score: want a number"},
			{Recorded: lmstest.JSON("date without zone", ids+`},"completed_at":"2026-04-08T14:30:00"}`), Reason: "completed_at: date-time without a time zone"},
			{Recorded: lmstest.JSON("date as a number", ids+`},"completed_at":1775658600}`), Reason: "completed_at: want a string"},
			{Recorded: lmstest.JSON("no user", `{"lesson":{"id":1}`+at+`}`), Reason: "no learner id"},
			{Recorded: lmstest.JSON("no lesson", `{"user":{"id":1}`+at+`}`), Reason: "no course id"},
			{Recorded: lmstest.JSON("user is a text", `{"user":"7","lesson":{"id":1}`+at+`}`), Reason: "user: want an object"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a batch", `[]`), Reason: "want one lesson's report, an object; is an array"},
		},
	}
}

func TestLessonly_R43_R81_R82_R83_R84_R85(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkLessonly(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestPassMark_R82: retake_score is the mark to reach, not what was reached, and there is no tolerance.
func TestPassMark_R82(t *testing.T) {
	for _, test := range []struct {
		mark, members string
		raw           string
		passed        bool
	}{
		{"80", `,"score_percent":80`, "80", true},
		{"80", `,"score_percent":80.00`, "80.00", true},
		{"80", `,"score_percent":79.99`, "79.99", false},
		{"80", `,"score_percent":79.9999999999999999`, "79.9999999999999999", false},
		{"80", `,"score_percent":"92.50"`, "92.50", true},
		{"80", `,"score_percent":0`, "0", false},
		{"1", `,"score_percent":8e1`, "8e1", true},
		{"57", `,"score":0.57`, "57", true},
		{"80", `,"score":0.795`, "79.5", false},
		{"80", `,"score":0.7949999999999999`, "79.5", false},
		{"100", `,"score":1`, "100", true},
		{"80", `,"score":0`, "0", false},
		{"80", `,"score":0.9,"score_percent":70`, "70", false},
	} {
		decoded, err := lessonly.New(nil).Decode(lms.Request{Body: []byte(marked(test.mark, test.members))})
		require.NoError(t, err)
		require.Empty(t, decoded.Problems, test.members)
		want := training.Score{Raw: test.raw, Max: "100", Passed: &test.passed}
		require.Equal(t, want, decoded.Completions[0].Score, test.members)
	}
}

// TestRepeatedLessonIsAnotherCompletion_R90: a failed lesson is assigned again and has no event id.
func TestRepeatedLessonIsAnotherCompletion_R90(t *testing.T) {
	var all []training.Fingerprint
	for _, body := range []string{marked("80", `,"score_percent":60`), ids + `},"completed_at":"2026-04-09T14:30:00Z"}`} {
		decoded, err := lessonly.New(nil).Decode(lms.Request{Body: []byte(body)})
		require.NoError(t, err)
		all = append(all, decoded.Completions[0].Fingerprint())
	}
	require.NotEqual(t, all[0], all[1])
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{marked("80", `,"score_percent":92.5`), marked("80", `,"score":1e-5`), `{}`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	adapter := lessonly.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}
