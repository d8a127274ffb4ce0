package talentlms_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/lms/talentlms"
	"countersign/internal/training"
)

// jane is the completion that the samples report.
func jane() training.Completion {
	return training.Completion{
		Event:             "course_completion",
		Learner:           training.Learner{ID: "40457", Username: "jane.roe", Email: "jane.roe@example.com", FirstName: "Jane Roe"},
		Course:            training.Course{ID: "378", Title: "GxP Annual Refresher 2026 (GXP-26)"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 22, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "unix_timestamp",
	}
}

// record is a course_completion with the given members.
func record(members string) string { return `{"action":"course_completion"` + members + `}` }

// spec is what the suite has to know of TalentLMS.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	const ids, at = `,"user_id":"7","object_id":"1"`, `,"unix_timestamp":"1775658622"`
	least := func(change func(*training.Completion)) []training.Completion {
		c := jane()
		c.Learner, c.Course = training.Learner{ID: "7"}, training.Course{ID: "1"}
		change(&c)
		return []training.Completion{c}
	}
	same := func(*training.Completion) {}
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	ignored := func(action, reason string) lmstest.Ignored {
		return lmstest.Ignored{
			Recorded: lmstest.JSON(action, `{"action":"`+action+`"`+ids+at+`}`),
			Want:     []lms.Ignored{{Event: action, Reason: reason}},
		}
	}
	return lmstest.Spec{
		New:     lmstest.With(talentlms.New),
		Mapping: talentlms.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewBasic(talentlms.BasicUser, secrets)
		},
		Sign: func(_ []byte, secret string) http.Header {
			pair := base64.StdEncoding.EncodeToString([]byte(talentlms.BasicUser + ":" + secret))
			return http.Header{"Authorization": {"Basic " + pair}}
		},
		Secret:           "s3cret-talentlms",
		CredentialHeader: "Authorization",
		Valid: []lmstest.Valid{
			{Recorded: sample("course-completion"), Want: []training.Completion{jane()}},
			{Recorded: sample("course-completion-batch"), Want: []training.Completion{
				{
					Event:             "course_completion",
					Learner:           training.Learner{ID: "40461", Username: "k.mbeki", Email: "k.mbeki@example.com", FirstName: "Kagiso Mbeki"},
					Course:            training.Course{ID: "381", Title: "Deviation Handling L2"},
					CompletedAt:       time.Date(2026, 4, 9, 7, 5, 0, 0, time.UTC),
					Precision:         training.PrecisionMillisecond,
					CompletedAtSource: "unix_timestamp",
				},
				jane(),
			}},
			{Recorded: lmstest.JSON("least", record(ids+at)), Want: least(same)},
			{Recorded: lmstest.JSON("newer portals send numbers", record(`,"user_id":7,"object_id":1,"unix_timestamp":1775658622`)), Want: least(same)},
			{Recorded: lmstest.JSON("the local time is never read", record(ids+at+`,"timestamp":"31/12/1999, 00:00:00"`)), Want: least(same)},
			{Recorded: lmstest.JSON("what is not there is a dash or empty", record(ids+at+`,"user_username":"-","user_email":"","user_fullname":" - ","object_name":"-"`)),
				Want: least(same)},
			{Recorded: lmstest.JSON("ids are kept as they are", record(`,"user_id":"007","object_id":"aB"`+at)),
				Want: least(func(c *training.Completion) { c.Learner.ID, c.Course.ID = "007", "aB" })},
		},
		Ignored: []lmstest.Ignored{
			ignored("course_remove_user", "not a completion event"),
			{Recorded: sample("course-failure"), Want: []lms.Ignored{{Event: "course_failure", Reason: "the course was failed, not completed"}}},
			ignored("course_user_progress_reset", "not a completion event"),
			ignored("certification_issue_certification", "a certificate; the course's own event counts"),
			ignored("unitprogress_test_completion", "a part of a course"),
			ignored("user_login_user", "not a completion event"),
			ignored("COURSE_COMPLETION", "not a completion event"),
			{Recorded: lmstest.JSON("no records", `[]`), Want: []lms.Ignored{{Reason: "the array holds no record"}}},
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample("course-add-user"), Want: []training.Enrollment{{
				Event:      "course_add_user",
				Learner:    training.Learner{ID: "40457", Username: "jane.roe", Email: "jane.roe@example.com", FirstName: "Jane Roe"},
				Course:     training.Course{ID: "378", Title: "GxP Annual Refresher 2026 (GXP-26)"},
				EnrolledAt: time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC),
			}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an enrollment of nobody", `{"action":"course_add_user","user_id":"-","object_id":"1"`+at+`}`), Reason: "no learner id"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no action", `{"user_id":"7"}`), Reason: "action: is missing"},
			{Recorded: lmstest.JSON("action is a number", `{"action":7}`), Reason: "action: want a string"},
			{Recorded: lmstest.JSON("no learner", record(`,"user_id":"-","object_id":"1"`+at)), Reason: "no learner id"},
			{Recorded: lmstest.JSON("no course", record(`,"user_id":"7","object_id":"-"`+at)), Reason: "no course id"},
			{Recorded: lmstest.JSON("only the local time", record(ids+`,"timestamp":"08/04/2026, 15:30:22"`)), Reason: "no completion date"},
			{Recorded: lmstest.JSON("milliseconds", record(ids+`,"unix_timestamp":"1775658622000"`)), Reason: "unix_timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("0 for no time", record(ids+`,"unix_timestamp":0`)), Reason: "unix_timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("signed", record(ids+`,"unix_timestamp":"+1775658622"`)), Reason: "unix_timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("with a fraction", record(ids+`,"unix_timestamp":1775658622.5`)), Reason: "unix_timestamp: want a string or an integer"},
			{Recorded: lmstest.JSON("in words", record(ids+`,"unix_timestamp":"2026-04-08T14:30:22Z"`)), Reason: "unix_timestamp: want whole seconds"},
			{Recorded: lmstest.JSON("record is null", `[null]`), Reason: "[0]: want an object, is null"},
			{Recorded: lmstest.JSON("record is an array", `[[]]`), Reason: "[0]: want an object, is an array"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a text", `"course_completion"`), Reason: "want a timeline record or an array of them, is a string"},
		},
	}
}

func TestTalentLMS_R169(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkTalentLMS(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestOneBadRecordSparesTheOthers: nothing is sent twice (R132), so what is good must be kept.
func TestOneBadRecordSparesTheOthers_R132(t *testing.T) {
	good := strings.TrimSpace(string(lmstest.Sample(t, "testdata", "course-completion").Body))
	decoded, err := talentlms.New(nil).Decode(lms.Request{Body: []byte(`[{},` + good + `,{"action":"course_failure"}]`)})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Len(t, decoded.Ignored, 1)
	require.Equal(t, []lms.Problem{{Reason: "[0]: action: is missing"}}, decoded.Problems)
}

// TestCompletionWhenReplacesTheAction: a forwarder may have names of its own, and a failed course may count, as failed.
func TestCompletionWhenReplacesTheAction_R72(t *testing.T) {
	m, err := talentlms.DefaultMapping().Override(mapping.Definition{
		Version: "acme-1", CompletionWhen: &mapping.Condition{Path: "$['what','action']", In: []string{"done", "course_failure"}},
	})
	require.NoError(t, err)
	adapter := talentlms.New(m)
	const rest = `"user_id":"7","object_id":"1","unix_timestamp":"1775658622"}`
	decoded, err := adapter.Decode(lms.Request{Body: []byte(`[{"what":"done",` + rest + `,{"action":"course_failure",` + rest +
		`,{"action":"course_completion",` + rest + `,{"what":"done"},7,null]`)})
	require.NoError(t, err)
	lmstest.Check(t, adapter, decoded, err)
	require.Len(t, decoded.Completions, 2)
	require.Nil(t, decoded.Completions[0].Score.Passed)
	require.False(t, *decoded.Completions[1].Score.Passed)
	require.Equal(t, []lms.Ignored{{Event: "course_completion", Reason: "action: is none of the mapping's completionWhen"}}, decoded.Ignored)
	require.Len(t, decoded.Problems, 3)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{record(`,"user_id":7,"object_id":"1","unix_timestamp":"1775658622"`), `[{"action":"course_failure"}]`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	adapter := talentlms.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}
