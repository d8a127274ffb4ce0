package docebo_test

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
	"countersign/internal/lms/docebo"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// jane is the single sample, and with a change the others.
func jane(change func(*training.Completion)) training.Completion {
	c := training.Completion{
		EventID:           "wh-20260408-143029-1f7a2c94-5d0e-4b7b-9a61-0c3e8f2d7b15",
		Event:             "course.enrollment.completed",
		Learner:           training.Learner{ID: "10291", Username: "jane.roe"},
		Course:            training.Course{ID: "5541", Title: "GxP Annual Refresher 2026"},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 22, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "payload.completion_date",
	}
	change(&c)
	return c
}

func batch() []training.Completion {
	const messageID = "wh-20260409-021507-c2d94e10-77b1-4a5d-8c3f-6e1b5a90d4f8"
	deviation := training.Course{ID: "5610", Title: "Deviation Handling L2"}
	return []training.Completion{
		jane(func(c *training.Completion) {
			c.EventID, c.Course = messageID, deviation
			c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 8, 23, 59, 59, 0, time.UTC), "payloads[0].completion_date"
		}),
		jane(func(c *training.Completion) {
			c.EventID, c.Course = messageID, deviation
			c.Learner = training.Learner{ID: "10377", Username: "k.mbeki"}
			c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 9, 0, 0, 0, 0, time.UTC), "payloads[1].completion_date"
		}),
	}
}

const date = `,"completion_date":"2026-04-08 14:30:22"`

// payload is a completion with the given members besides the ids.
func payload(members string) string { return `{"user_id":7,"course_id":1` + members + `}` }

// envelope is a completion event with the given members beside its name.
func envelope(members string) string {
	return `{"event":"course.enrollment.completed",` + members + `}`
}

func single(members string) string { return envelope(`"payload":` + payload(members)) }

// seven is what payload holds, with the date.
func seven(change func(*training.Completion)) []training.Completion {
	return []training.Completion{jane(func(c *training.Completion) {
		c.EventID, c.Learner, c.Course = "", training.Learner{ID: "7"}, training.Course{ID: "1"}
		change(c)
	})}
}

// enrolledJane is the sample of an enrollment.
func enrolledJane() []training.Enrollment {
	return []training.Enrollment{{
		EventID: "wh-20260330-080006-7be0a1d3-2f64-4c58-b1e9-93d5c7f0a826", Event: "course.enrollment.created",
		Learner:    training.Learner{ID: "10291", Username: "jane.roe"},
		Course:     training.Course{ID: "5541", Title: "GxP Annual Refresher 2026"},
		EnrolledAt: time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC),
	}}
}

func same(*training.Completion) {}

// spec is what the suite has to know of Docebo.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	const unzoned = "payload.completion_date: want YYYY-MM-DD HH:MM:SS, or RFC 3339 with a time zone"
	return lmstest.Spec{
		New:              lmstest.With(docebo.New),
		Mapping:          docebo.DefaultMapping(),
		Verifier:         func(passwords ...string) (lms.Verifier, error) { return signature.NewBasic("docebo", passwords) },
		Sign:             basic,
		Secret:           "s3cret-docebo",
		CredentialHeader: "Authorization",
		Valid: []lmstest.Valid{
			{Recorded: sample(tb, "course.enrollment.completed"), Want: []training.Completion{jane(same)}},
			{Recorded: sample(tb, "course.enrollment.completed.batch"), Want: batch()},
			{Recorded: lmstest.JSON("least", single(date)), Want: seven(same)},
			{Recorded: lmstest.JSON("payloads of one", envelope(`"payload":null,"payloads":[`+payload(date)+`]`)),
				Want: seven(func(c *training.Completion) { c.CompletedAtSource = "payloads[0].completion_date" })},
			{Recorded: lmstest.JSON("ids as text", strings.NewReplacer(`:7`, `:" 007 "`, `:1`, `:"aB"`).Replace(single(date))),
				Want: seven(func(c *training.Completion) { c.Learner.ID, c.Course.ID = "007", "aB" })},
			{Recorded: lmstest.JSON("a long id", strings.Replace(single(date), `:7`, `:9007199254740993`, 1)),
				Want: seven(func(c *training.Completion) { c.Learner.ID = "9007199254740993" })},
			{Recorded: lmstest.JSON("a course code", single(date+`,"course_code":"GXP-01"`)),
				Want: seven(func(c *training.Completion) { c.Course.Code = "GXP-01" })},
			{Recorded: lmstest.JSON("a login that is an address", single(date+`,"username":"a@example.com"`)),
				Want: seven(func(c *training.Completion) { c.Learner.Username = "a@example.com" })},
			{Recorded: lmstest.JSON("a date with its zone", single(`,"completion_date":"2026-04-08T16:30:22+02:00"`)), Want: seven(same)},
			{Recorded: lmstest.JSON("a day", single(`,"completion_date":"2026-04-08"`)), Want: seven(func(c *training.Completion) {
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: lmstest.JSON("a tutor", `{"event":"course.enrollment.created","payload":{"user_id":7,"course_id":1,"level":"tutor","enrollment_date":"2026-03-30 08:00:00"}}`),
				Want: []lms.Ignored{{Event: "course.enrollment.created", Reason: "payload.level: is not learner"}}},
			{Recorded: lmstest.JSON("a waiting list", `{"event":"course.enrollment.created","payload":{"user_id":7,"course_id":1,"status":"waiting","enrollment_date":"2026-03-30 08:00:00"}}`),
				Want: []lms.Ignored{{Event: "course.enrollment.created", Reason: "payload.status: is not subscribed"}}},
			ignored(lmstest.JSON("an unenrollment", strings.Replace(single(``), "enrollment.completed", "enrollment.deleted", 1)), "course.enrollment.deleted"),
			ignored(lmstest.JSON("an update to completed", strings.Replace(single(date+`,"status":"completed"`),
				"enrollment.completed", "enrollment.updated", 1)), "course.enrollment.updated"),
			ignored(lmstest.JSON("a batch of another event", `{"event":"user.created","payloads":[{"user_id":7},{"user_id":8}]}`), "user.created"),
			ignored(lmstest.JSON("the name in another case", strings.Replace(single(date), "course", "Course", 1)), "Course.enrollment.completed"),
			ignored(lmstest.JSON("no payload", `{"event":"ilt.session.updated"}`), "ilt.session.updated"),
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample(tb, "course.enrollment.created"), Want: enrolledJane()},
			{Recorded: lmstest.JSON("grouped", `{"message_id":"wh-1","event":"course.enrollment.created","payloads":[{"user_id":7,"course_id":1,"enrollment_date":"2026-03-30 08:00:00"}]}`),
				Want: []training.Enrollment{{
					EventID: "wh-1", Event: "course.enrollment.created", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"},
					EnrolledAt: time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC),
				}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an enrollment without a date", `{"event":"course.enrollment.created","payload":{"user_id":7,"course_id":1}}`),
				Reason: "incomplete enrollment: no enrollment date"},
			{Recorded: lmstest.JSON("an enrollment without a payload", `{"event":"course.enrollment.created"}`), Reason: "payload: is missing"},
			{Recorded: lmstest.JSON("an enrollment of nobody", `{"event":"course.enrollment.created","payloads":[{"course_id":1,"enrollment_date":"2026-03-30 08:00:00"}]}`),
				Reason: "payloads[0]: incomplete enrollment: no learner id"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no event", `{"message_id":"wh-1","payload":{}}`), Reason: "event: is missing"},
			{Recorded: lmstest.JSON("a relay's wrapping", `{"body":`+single(date)+`,"context":{}}`), Reason: "event: is missing"},
			{Recorded: lmstest.JSON("no payload of a completion", envelope(`"payload":null`)), Reason: "payload: is missing"},
			{Recorded: lmstest.JSON("both forms", envelope(`"payload":`+payload(date)+`,"payloads":[`+payload(date)+`]`)),
				Reason: "payloads: stands beside payload"},
			{Recorded: lmstest.JSON("no payloads", envelope(`"payloads":[]`)), Reason: "payloads: is empty"},
			{Recorded: lmstest.JSON("more than 25 events", envelope(`"payloads":[`+strings.Repeat(payload(date)+",", 25)+payload(date)+`]`)),
				Reason: "payloads: holds more than 25 events, the most that Docebo groups"},
			{Recorded: lmstest.JSON("payloads is no list", envelope(`"payloads":`+payload(date))), Reason: "payloads: want an array, is an object"},
			{Recorded: lmstest.JSON("payload is a list", envelope(`"payload":[]`)), Reason: "payload: want an object, is an array"},
			{Recorded: lmstest.JSON("an empty payload", envelope(`"payloads":[{}]`)), Reason: "payloads[0]: incomplete completion: no learner id"},
			{Recorded: lmstest.JSON("a domain that is none", envelope(`"original_domain":[],"payload":`+payload(date))), Reason: "original_domain: want"},
			{Recorded: lmstest.JSON("another status", single(date+`,"status":"subscribed"`)), Reason: "payload.status: is not completed"},
			{Recorded: lmstest.JSON("a status as a number", single(date+`,"status":2`)), Reason: "payload.status: want a string"},
			{Recorded: lmstest.JSON("no date", single(``)), Reason: "no completion date"},
			{Recorded: lmstest.JSON("no date but fired_at", single(`,"fired_at":"2026-04-08 14:30:22"`)), Reason: "no completion date"},
			{Recorded: lmstest.JSON("the date that means none", single(`,"completion_date":"0000-00-00 00:00:00"`)),
				Reason: "payload.completion_date: is 0000-00-00"},
			{Recorded: lmstest.JSON("a date in another form", single(`,"completion_date":"2026-04-08T14:30:22"`)), Reason: unzoned},
			{Recorded: lmstest.JSON("an hour of one digit", single(`,"completion_date":"2026-04-08 4:30:22"`)), Reason: unzoned},
			{Recorded: lmstest.JSON("a day that never was", single(`,"completion_date":"2026-02-30 14:30:22"`)), Reason: unzoned},
			{Recorded: lmstest.JSON("the American form", single(`,"completion_date":"04/08/2026 14:30:22"`)), Reason: unzoned},
			{Recorded: lmstest.JSON("a date as a number", single(`,"completion_date":1775658622`)), Reason: "completion_date: want a string"},
			{Recorded: lmstest.JSON("an id through floating point", strings.Replace(single(date), `:7`, `:7.0`, 1)), Reason: "payload.user_id: want"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a list of envelopes", `[`+single(date)+`]`), Reason: "want one envelope, an object; is an array"},
			{Recorded: lmstest.JSON("a member twice", `{"event":"x","event":"course.enrollment.completed"}`), Reason: "key given twice"},
		},
	}
}

func TestDocebo_R53(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkDocebo(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestGuessedSignature_R24: should a real delivery show that the guess is right, it works.
func TestGuessedSignature_R24(t *testing.T) {
	lmstest.Run(t, lmstest.Spec{
		New:     lmstest.With(docebo.New),
		Mapping: docebo.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewHMAC(secrets, docebo.SignatureHeaders()...)
		},
		Sign:             sign,
		Secret:           "s3cret-docebo",
		CredentialHeader: "X-Docebo-Signature",
		SignsBody:        true,
		Valid: []lmstest.Valid{
			{Recorded: sample(t, "course.enrollment.completed.hmac-unverified"), Want: []training.Completion{jane(same)}},
		},
	})
}

// TestOneBadEntryLeavesTheOthers: a batch is not refused for one of its events (law 4).
func TestOneBadEntryLeavesTheOthers(t *testing.T) {
	decoded, err := docebo.New(nil).Decode(lms.Request{Body: []byte(envelope(`"message_id":"wh-1","payloads":[` +
		payload(date) + `,null,` + payload(`,"completion_date":true`) + `,` + payload(date) + `]`))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Equal(t, []lms.Problem{
		{Event: "course.enrollment.completed", EventID: "wh-1",
			Reason: "payloads[1]: incomplete completion: no learner id, external id, username or e-mail; no course id, code or title; no completion date"},
		{Event: "course.enrollment.completed", EventID: "wh-1", Reason: "payloads[2]: payload.completion_date: want a string, is a boolean"},
	}, decoded.Problems)
}

// TestAGroupSharesItsEnvelope_R53: an envelope of thousands of members is not copied for each of 25 events, and yet each
// event's paths find all of them.
func TestAGroupSharesItsEnvelope_R53(t *testing.T) {
	var members strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&members, `"m%d":1,`, i)
	}
	body := envelope(members.String() + `"payloads":[` + strings.Repeat(payload(date)+",", 24) + payload(date) + `]`)
	m, err := docebo.DefaultMapping().Override(mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID: {Path: "$.m9999"}, mapping.EnrollmentID: {Path: "$.payloads"},
	}})
	require.NoError(t, err)
	var decoded lms.Decoded
	allocated := lmstest.Allocated(func() { decoded, err = docebo.New(m).Decode(lms.Request{Body: []byte(body)}) })
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 25)
	require.Equal(t, "1", decoded.Completions[24].EventID)
	require.Empty(t, decoded.Completions[24].EnrollmentID)
	require.Less(t, allocated, uint64(100*len(body)))
}

// TestEntriesOfABatchDiffer_R90: they share message_id, so the fingerprint tells them apart.
func TestEntriesOfABatchDiffer_R90(t *testing.T) {
	decoded, err := docebo.New(nil).Decode(sample(t, "course.enrollment.completed.batch").Request())
	require.NoError(t, err)
	first, second := decoded.Completions[0], decoded.Completions[1]
	require.Equal(t, first.EventID, second.EventID)
	require.NotEqual(t, first.Fingerprint(), second.Fingerprint())
}

// TestGroupingChangesNoFingerprint: the same event alone and in a batch is one completion.
func TestGroupingChangesNoFingerprint(t *testing.T) {
	alone, err := docebo.New(nil).Decode(lms.Request{Body: []byte(single(date))})
	require.NoError(t, err)
	grouped, err := docebo.New(nil).Decode(lms.Request{Body: []byte(envelope(`"message_id":"wh-2","payloads":[` + payload(date) + `]`))})
	require.NoError(t, err)
	require.Equal(t, alone.Completions[0].Fingerprint(), grouped.Completions[0].Fingerprint())
}

func TestOriginalDomain_R162(t *testing.T) {
	for _, name := range []string{"course.enrollment.completed", "course.enrollment.completed.batch", "course.enrollment.created"} {
		decoded, err := docebo.New(nil).Decode(sample(t, name).Request())
		require.NoError(t, err)
		require.Equal(t, "example-co.docebosaas.com", decoded.OriginalDomain)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		single(date), envelope(`"payloads":[` + payload(date) + `,{}]`), single(`,"completion_date":"0000-00-00 00:00:00"`),
		`{"event":"user.created"}`, `{"event":1}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	adapter := docebo.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}

func ignored(r lmstest.Recorded, event string) lmstest.Ignored {
	return lmstest.Ignored{Recorded: r, Want: []lms.Ignored{{Event: event, Reason: "not a completion event"}}}
}

func sample(tb testing.TB, name string) lmstest.Recorded {
	tb.Helper()
	return lmstest.Sample(tb, "testdata", name)
}

// basic is the credential that is known to work.
func basic(_ []byte, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("docebo", password)
	return r.Header
}

// sign is the signature as others guess it.
func sign(body []byte, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	header := http.Header{}
	header.Set("X-Docebo-Signature", hex.EncodeToString(mac.Sum(nil)))
	return header
}
