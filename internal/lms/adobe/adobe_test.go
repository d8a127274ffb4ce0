package adobe_test

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
	"countersign/internal/lms/adobe"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// course is COURSE_COMPLETED, and with a change the others.
func course(change func(*training.Completion)) training.Completion {
	passed := true
	c := training.Completion{
		EventID:           "c41d7e0a-6c98-4ed3-b0b0-ba3da5087c1c",
		Event:             "COURSE_COMPLETED",
		EnrollmentID:      "course:7374992_10250977_13446697",
		Learner:           training.Learner{ID: "13446697"},
		Course:            training.Course{ID: "course:7374992"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "events[0].data.dateCompleted",
		Score:             training.Score{Passed: &passed},
	}
	change(&c)
	return c
}

func batch() (all []training.Completion) {
	for i, entry := range []struct {
		id, user string
		passed   bool
	}{
		{"5de2a6f7-0b3c-4a91-8d27-6f1c9e4b7a02", "13446697", true},
		{"9a7c3e15-2f84-4d60-b1e9-03d5c7f0a826", "13446702", false},
		{"17f0b4d2-8c6e-4953-a0d7-e5b29c1f3846", "13446715", true},
	} {
		all = append(all, course(func(c *training.Completion) {
			c.EventID, c.Event, c.EnrollmentID = entry.id, "COURSE_COMPLETED_BATCH", "course:7376092_10260001_"+entry.user
			c.Learner.ID, c.Course.ID = entry.user, "course:7376092"
			c.CompletedAt = time.Date(2026, 4, 9, 7, 5, 0, 0, time.UTC)
			c.CompletedAtSource = fmt.Sprintf("events[%d].data.dateCompleted", i)
			c.Score.Passed = &entry.passed
		}))
	}
	return all
}

// event is an event of user 7 and course 1 with the given further members of data.
func event(name, members string) string {
	return fmt.Sprintf(`{"eventName":%q,"data":{"userId":7,"loId":"course:1"%s}}`, name, members)
}

const date = `,"dateCompleted":"2026-04-08T14:30:00.000Z"`

func completed(members string) string { return event("COURSE_COMPLETED", members) }

func envelope(events ...string) string {
	return `{"accountId":69101,"events":[` + strings.Join(events, ",") + `]}`
}

// seven is what completed holds, with the date.
func seven(change func(*training.Completion)) []training.Completion {
	return []training.Completion{course(func(c *training.Completion) {
		c.EventID, c.EnrollmentID, c.Score = "", "", training.Score{}
		c.Learner, c.Course = training.Learner{ID: "7"}, training.Course{ID: "course:1"}
		change(c)
	})}
}

func same(*training.Completion) {}

// spec is what the suite has to know of Adobe.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	const (
		noNumber = "events[0]: data.dateCompleted: want whole seconds or milliseconds since 1970"
		noText   = "events[0]: data.dateCompleted: neither an RFC 3339 date-time"
	)
	dated := func(name, value string) lmstest.Recorded {
		return lmstest.JSON(name, envelope(completed(`,"dateCompleted":`+value)))
	}
	return lmstest.Spec{
		New:              lmstest.With(adobe.New),
		Mapping:          adobe.DefaultMapping(),
		Verifier:         func(passwords ...string) (lms.Verifier, error) { return signature.NewBasic("alm-bridge", passwords) },
		Sign:             basic,
		Secret:           "s3cret-adobe-learning-manager",
		CredentialHeader: "Authorization",
		Valid: append(names(),
			lmstest.Valid{Recorded: sample(tb, "COURSE_COMPLETED"), Want: []training.Completion{course(same)}},
			lmstest.Valid{Recorded: sample(tb, "COURSE_COMPLETED_BATCH"), Want: batch()},
			lmstest.Valid{Recorded: sample(tb, "LEARNING_PATH_COMPLETED"), Want: []training.Completion{course(func(c *training.Completion) {
				c.EventID, c.Event = "e6f91b2a-d554-4027-944b-086debefdddf", "LEARNING_PATH_COMPLETED"
				c.EnrollmentID, c.Course.ID = "learningProgram:157165_148769_13446697", "learningProgram:157165"
				c.CompletedAt = time.Date(2026, 4, 10, 11, 20, 0, 0, time.UTC)
			})}},
			lmstest.Valid{Recorded: sample(tb, "CERTIFICATION_COMPLETED"), Want: []training.Completion{course(func(c *training.Completion) {
				c.EventID, c.Event = "a80c5d13-7521-4bc0-bc51-7f951ff63ea9", "CERTIFICATION_COMPLETED"
				c.EnrollmentID, c.Course.ID = "certification:123418_160299_13446697", "certification:123418"
				c.CompletedAt, c.Score.Passed = time.Date(2026, 4, 11, 16, 45, 0, 0, time.UTC), nil
			})}},
			lmstest.Valid{Recorded: dated("epoch seconds", `1775658600`), Want: seven(same)},
			lmstest.Valid{Recorded: dated("epoch milliseconds", `1775658600123`), Want: seven(func(c *training.Completion) {
				c.CompletedAt = c.CompletedAt.Add(123 * time.Millisecond)
			})},
			lmstest.Valid{Recorded: dated("the last epoch second", `99999999999`), Want: seven(func(c *training.Completion) {
				c.CompletedAt = time.Date(5138, 11, 16, 9, 46, 39, 0, time.UTC)
			})},
			lmstest.Valid{Recorded: dated("the first epoch millisecond", `100000000000`), Want: seven(func(c *training.Completion) {
				c.CompletedAt = time.Date(1973, 3, 3, 9, 46, 40, 0, time.UTC)
			})},
			lmstest.Valid{Recorded: dated("offset", `"2026-04-08T16:30:00+02:00"`), Want: seven(same)},
			lmstest.Valid{Recorded: dated("a day", `"2026-04-08"`), Want: seven(func(c *training.Completion) {
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
			lmstest.Valid{
				Recorded: lmstest.JSON("an instance, ids as text", envelope(strings.Replace(completed(date+`,"loInstanceId":"course:1_2"`), `:7`, `:"007"`, 1))),
				Want:     seven(func(c *training.Completion) { c.Learner.ID, c.EnrollmentID = "007", "course:1_2_007" }),
			},
		),
		Ignored: append(others(),
			lmstest.Ignored{Recorded: lmstest.JSON("no events", envelope()), Want: []lms.Ignored{{Reason: "no event in the delivery"}}},
			lmstest.Ignored{
				Recorded: lmstest.JSON("all the way, and no completion", envelope(event("LEARNER_PROGRESS", `,"progressPercent":100`+date))),
				Want:     none("LEARNER_PROGRESS"),
			},
			lmstest.Ignored{
				Recorded: lmstest.JSON("taken back", envelope(
					event("LEARNING_PATH_COMPLETION_ROLLBACK", date), event("LEARNING_PATH_COMPLETION_ROLLBACK_BATCH", date))),
				Want: []lms.Ignored{
					{Event: "LEARNING_PATH_COMPLETION_ROLLBACK", Reason: "takes an earlier completion back, reports none"},
					{Event: "LEARNING_PATH_COMPLETION_ROLLBACK_BATCH", Reason: "takes an earlier completion back, reports none"},
				},
			},
		),
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample(tb, "COURSE_ENROLLMENT"), Want: []training.Enrollment{{
				EventID: "3b8e5c70-4576-4ec5-a057-3a6f078cc9d6", Event: "COURSE_ENROLLMENT", EnrollmentID: "course:7374992_10250977_13446697",
				Learner: training.Learner{ID: "13446697"}, Course: training.Course{ID: "course:7374992"},
				EnrolledAt: time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC),
			}}},
			{Recorded: lmstest.JSON("by an administrator, in epoch seconds", envelope(event("CERTIFICATION_ENROLLMENT_BATCH", `,"dateEnrolled":1774857600`))),
				Want: []training.Enrollment{{
					Event: "CERTIFICATION_ENROLLMENT_BATCH", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "course:1"},
					EnrolledAt: time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC),
				}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an enrollment without a date", envelope(event("COURSE_ENROLLMENT", ``))), Reason: "events[0]: incomplete enrollment: no enrollment date"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no list", `{"accountId":69101}`), Reason: "events: want an array, is absent"},
			{Recorded: lmstest.JSON("one event without its list", `{"events":`+completed(date)+`}`), Reason: "events: want an array, is an object"},
			{Recorded: lmstest.JSON("no event name", envelope(`{"data":{}}`)), Reason: "events[0]: eventName: is missing"},
			{Recorded: lmstest.JSON("an event that is null", envelope(`null`)), Reason: "events[0]: eventName: is missing"},
			{Recorded: lmstest.JSON("an event that is a list", envelope(`[]`)), Reason: "events[0]: want an object, is an array"},
			{Recorded: lmstest.JSON("no data", envelope(`{"eventName":"COURSE_COMPLETED"}`)), Reason: "events[0]: incomplete completion: no learner id"},
			{Recorded: lmstest.JSON("data is a list", envelope(`{"eventName":"COURSE_COMPLETED","data":[]}`)),
				Reason: "events[0]: data: want an object, is an array"},
			{Recorded: lmstest.JSON("no date", envelope(completed(``))), Reason: "no completion date"},
			{Recorded: lmstest.JSON("no date but a timestamp", envelope(`{"timestamp":1775658600000,`+completed(``)[1:])), Reason: "no completion date"},
			{Recorded: dated("no zone", `"2026-04-08T14:30:00.000"`), Reason: "events[0]: data.dateCompleted: date-time without a time zone"},
			{Recorded: dated("epoch as text", `"1775658600"`), Reason: noText},
			{Recorded: dated("epoch 0", `0`), Reason: noNumber},
			{Recorded: dated("a negative epoch", `-1`), Reason: noNumber},
			{Recorded: dated("epoch with a fraction", `1775658600.5`), Reason: noNumber},
			{Recorded: dated("epoch with an exponent", `1.7e9`), Reason: noNumber},
			{Recorded: dated("epoch microseconds", `1775658600000000`), Reason: noNumber},
			{Recorded: dated("a date as a list", `[2026,4,8]`), Reason: "data.dateCompleted: want a string, is an array"},
			{Recorded: lmstest.JSON("passed in words", envelope(completed(date+`,"hasPassed":"true"`))), Reason: "data.hasPassed: want a boolean"},
			{Recorded: lmstest.JSON("id through floating point", envelope(strings.Replace(completed(date), `:7`, `:7.0`, 1))), Reason: "data.userId: want"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("events alone", `[`+completed(date)+`]`), Reason: "want an object with events; is an array"},
			{Recorded: lmstest.JSON("a member twice", `{"events":[],"events":[`+completed(date)+`]}`), Reason: "key given twice"},
		},
	}
}

func TestAdobe_R54(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkAdobe(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestGuessedSignature_R24: should a real delivery show that the guess is right, it works.
func TestGuessedSignature_R24(t *testing.T) {
	lmstest.Run(t, lmstest.Spec{
		New:     lmstest.With(adobe.New),
		Mapping: adobe.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewHMAC(secrets, adobe.SignatureHeaders()...)
		},
		Sign:             sign,
		Secret:           "s3cret-adobe-learning-manager",
		CredentialHeader: "X-ALM-Signature",
		SignsBody:        true,
		Valid: []lmstest.Valid{
			{Recorded: sample(t, "COURSE_COMPLETED.signature-unverified"), Want: []training.Completion{course(same)}},
		},
	})
}

// names are the six events that report a completion (vendor, "Webhooks usage guide").
func names() (all []lmstest.Valid) {
	for _, plain := range []string{"COURSE_COMPLETED", "LEARNING_PATH_COMPLETED", "CERTIFICATION_COMPLETED"} {
		for _, name := range []string{plain, plain + "_BATCH"} {
			all = append(all, lmstest.Valid{
				Recorded: lmstest.JSON(name, envelope(event(name, date))),
				Want:     seven(func(c *training.Completion) { c.Event = name }),
			})
		}
	}
	return all
}

// others are events that must not be taken for completions by a part of their name or data (R79).
func others() (all []lmstest.Ignored) {
	for _, name := range []string{
		"COURSE_UNENROLLMENT", "LEARNING_PATH_UNENROLLMENT_BATCH", "COURSE_ENROLLMENT_BATCHED", "course_enrollment", "CI_STATS", "LEARNING_OBJECT_DRAFT",
		"LEARNING_OBJECT_MODIFICATION", "course_completed", "COURSE_COMPLETED_BATCHED", "ALTERNATE_COURSE_COMPLETED",
	} {
		all = append(all, lmstest.Ignored{Recorded: lmstest.JSON(name, envelope(event(name, date))), Want: none(name)})
	}
	return all
}

func none(name string) []lms.Ignored {
	return []lms.Ignored{{Event: name, Reason: "not a completion event"}}
}

// TestMixedBatch: every event of a delivery gets its own verdict, in order (law 4).
func TestMixedBatch(t *testing.T) {
	decoded, err := adobe.New(nil).Decode(lms.Request{Body: []byte(envelope(
		completed(date), event("COURSE_UNENROLLMENT", ``), `{"eventId":"e2","eventName":"COURSE_COMPLETED","data":{"userId":8,"loId":[]`+date+`}}`,
		event("CERTIFICATION_COMPLETED", date), `7`))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Equal(t, "events[3].data.dateCompleted", decoded.Completions[1].CompletedAtSource)
	require.Equal(t, none("COURSE_UNENROLLMENT"), decoded.Ignored)
	require.Equal(t, []lms.Problem{
		{Event: "COURSE_COMPLETED", EventID: "e2", Reason: "events[2]: data.loId: want a string or an integer, is an array"},
		{Reason: "events[4]: want an object, is a number; eventName: is missing"},
	}, decoded.Problems)
	require.Empty(t, decoded.OriginalDomain, "Adobe sends none (R162): its tenant is accountId")
}

// TestRepeatedEventIsOneCompletion_R88_R90: repeats are documented, also within one delivery.
func TestRepeatedEventIsOneCompletion_R88_R90(t *testing.T) {
	decoded, err := adobe.New(nil).Decode(lms.Request{Body: []byte(envelope(completed(date), completed(date), completed(`,"dateCompleted":1775658600`)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 3)
	for _, c := range decoded.Completions {
		require.Equal(t, decoded.Completions[0].Fingerprint(), c.Fingerprint())
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		envelope(completed(date), event("COURSE_ENROLLMENT", ``)), envelope(completed(`,"dateCompleted":1775658600000,"hasPassed":false`)),
		envelope(completed(`,"dateCompleted":-1`)), envelope(), `{"events":{}}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	adapter := adobe.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func sample(tb testing.TB, name string) lmstest.Recorded {
	tb.Helper()
	return lmstest.Sample(tb, "testdata", name)
}

// basic is the credential that is known to work.
func basic(_ []byte, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("alm-bridge", password)
	return r.Header
}

// sign is the signature as others guess it.
func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	header := http.Header{}
	header.Set("X-ALM-Signature", hex.EncodeToString(mac.Sum(nil)))
	return header
}
