package cornerstone_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/cornerstone"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const source = "value.trainingCompleted.data.trainingActionDateTimestamp"

// jane is the completion that the samples report.
func jane() training.Completion {
	return training.Completion{
		EventID: "8761503e-1195-4d56-9730-ec17ee33e5d2",
		Event:   "TrainingCompleted",
		Learner: training.Learner{ID: "40421", Username: "jdoe", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Doe"},
		Course: training.Course{
			ID: "8d86b95c-f7a3-434c-9809-b437ecbed6cb", Title: "SOP-017 Line clearance", Code: "SOP-017",
		},
		CompletedAt:       time.Date(2026, 4, 8, 14, 30, 0, 973e6, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: source,
	}
}

// record is a record of TrainingCompleted with the given data.
func record(data string) string {
	return `{"value":{"headers":{"messageId":"m-1"},"lmsEventsCase":"TrainingCompleted","trainingCompleted":{"data":{` + data + `}}}}`
}

// batch is an envelope with the given records.
func batch(records ...string) string {
	return `{"records":[` + strings.Join(records, ",") + `],"sessionId":"s","attemptNumber":1}`
}

const (
	ids = `"eventId":"e-1","targetUserId":7,"trainingId":"1"`
	at  = `,"trainingActionDateTimestamp":"2026-04-08T14:30:00Z"`
)

// spec is what the suite has to know of Cornerstone.
func spec(tb testing.TB) lmstest.Spec {
	tb.Helper()
	least := func(change func(*training.Completion)) []training.Completion {
		c := training.Completion{
			EventID: "e-1", Event: "TrainingCompleted", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"},
			CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
			CompletedAtSource: source,
		}
		change(&c)
		return []training.Completion{c}
	}
	sample := func(name string) lmstest.Recorded { return lmstest.Sample(tb, "testdata", name) }
	due := time.Date(2026, 5, 12, 3, 59, 0, 0, time.UTC)
	return lmstest.Spec{
		New:     lmstest.With(cornerstone.New),
		Mapping: cornerstone.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			return signature.NewAPIKey(secrets, cornerstone.APIKeyHeader)
		},
		Sign: func(_ []byte, secret string) http.Header {
			header := http.Header{}
			header.Set(cornerstone.APIKeyHeader, secret)
			return header
		},
		Secret:           "s3cret-cornerstone",
		CredentialHeader: cornerstone.APIKeyHeader,
		Valid: []lmstest.Valid{
			{Recorded: sample("training-completed"), Want: []training.Completion{jane()}},
			// The batch begins with an assignment, which is ignored.
			{Recorded: sample("training-batch"), Want: []training.Completion{jane(), {
				EventID: "8761503e-1195-4d56-9730-ec17ee33e5d4",
				Event:   "TrainingCompleted",
				Learner: training.Learner{ID: "40422", Username: "mmuster", ExternalID: "EMP-20002", FirstName: "Max", LastName: "Muster"},
				Course: training.Course{
					ID: "1c1f2a3b-0000-4000-8000-00000000000b", Title: "GDP refresher", Code: "1C1F2A3B-0000-4000-8000-00000000000B",
				},
				CompletedAt:       time.Date(2026, 4, 8, 14, 30, 5, 10e6, time.UTC),
				Precision:         training.PrecisionMillisecond,
				CompletedAtSource: source,
			}}},
			{Recorded: lmstest.JSON("least", batch(record(ids+at))), Want: least(func(*training.Completion) {})},
			{Recorded: lmstest.JSON("messageId in place of eventId", batch(record(`"targetUserId":7,"trainingId":"1"`+at))),
				Want: least(func(c *training.Completion) { c.EventID = "m-1" })},
			{Recorded: lmstest.JSON("no user reference", batch(record(ids+at+`,"targetUserRef":"","trainingRef":null`))),
				Want: least(func(*training.Completion) {})},
			{Recorded: lmstest.JSON("a day", batch(record(ids+`,"trainingActionDateTimestamp":"2026-04-08"`))), Want: least(func(c *training.Completion) {
				c.CompletedAt, c.Precision = time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), training.PrecisionDay
			})},
		},
		Ignored: []lmstest.Ignored{
			{Recorded: sample("heartbeat"), Want: []lms.Ignored{{Reason: "a heartbeat: no records"}}},
			{Recorded: lmstest.JSON("an employee", batch(`{"value":{"headers":{},"employeeCreated":{"data":{}}}}`)),
				Want: []lms.Ignored{{Reason: "no lmsEventsCase: not an event about training"}}},
			{Recorded: lmstest.JSON("the name in another case", strings.Replace(batch(record(ids+at)), `"TrainingCompleted"`, `"trainingCompleted"`, 1)),
				Want: []lms.Ignored{{Event: "trainingCompleted", Reason: "not a completion event"}}},
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: sample("training-assigned"), Want: []training.Enrollment{{
				EventID: "8761503e-1195-4d56-9730-ec17ee33e5d3", Event: "TrainingAssigned",
				Learner:    training.Learner{ID: "40422", Username: "mmuster", ExternalID: "EMP-20002", FirstName: "Max", LastName: "Muster"},
				Course:     training.Course{ID: "1c1f2a3b-0000-4000-8000-00000000000b", Title: "GDP refresher", Code: "1C1F2A3B-0000-4000-8000-00000000000B"},
				EnrolledAt: time.Date(2026, 4, 8, 14, 29, 0, 0, time.UTC), DueAt: &due,
			}}},
		},
		Unenrolled: []lmstest.Unenrolled{
			{Recorded: lmstest.JSON("an assignment without data", batch(`{"value":{"lmsEventsCase":"TrainingAssigned"}}`)), Reason: "records[0]: incomplete enrollment: no learner id"},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no data", batch(`{"value":{"lmsEventsCase":"TrainingCompleted"}}`)), Reason: "records[0]: incomplete completion: no learner id"},
			{Recorded: lmstest.JSON("data under another name", strings.Replace(batch(record(ids+at)), `"trainingCompleted"`, `"trainingDone"`, 1)),
				Reason: "no learner id"},
			{Recorded: lmstest.JSON("no date, though published", batch(strings.Replace(record(ids), `{"value"`, `{"timestamp":"2026-04-08T14:30:00Z","value"`, 1))),
				Reason: "no completion date"},
			{Recorded: lmstest.JSON("date without zone", batch(record(ids+`,"trainingActionDateTimestamp":"2026-04-08T14:30:00"`))),
				Reason: source + ": date-time without a time zone"},
			{Recorded: lmstest.JSON("date as a number", batch(record(ids+`,"trainingActionDateTimestamp":1775658600`))), Reason: source + ": want a string"},
			{Recorded: lmstest.JSON("id through floating point", batch(record(`"targetUserId":7.0,"trainingId":"1"`+at))),
				Reason: "targetUserId: want a string or an integer"},
			{Recorded: lmstest.JSON("lmsEventsCase is a number", batch(`{"value":{"lmsEventsCase":1}}`)), Reason: "value.lmsEventsCase: want a string"},
			{Recorded: lmstest.JSON("no value", batch(`{}`)), Reason: "records[0]: value: is missing"},
			{Recorded: lmstest.JSON("record is no object", batch(`7`)), Reason: "records[0]: want an object"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("records without envelope", `[]`), Reason: "want an envelope with records"},
			{Recorded: lmstest.JSON("no records", `{"sessionId":"s"}`), Reason: "want an envelope with records"},
			{Recorded: lmstest.JSON("records is an object", `{"records":{}}`), Reason: "records, an array; it is an object"},
		},
	}
}

func TestCornerstone_R46_R173(t *testing.T) { lmstest.Run(t, spec(t)) }

func BenchmarkCornerstone(b *testing.B) { lmstest.Benchmark(b, spec(b)) }

// TestOneBadRecordSparesTheOthers: a batch that were refused would come again, with the bad record in it.
func TestOneBadRecordSparesTheOthers(t *testing.T) {
	assigned := strings.Replace(record(ids), `"TrainingCompleted"`, `"TrainingWithdrawn"`, 1)
	decoded, err := cornerstone.New(nil).Decode(lms.Request{Body: []byte(batch(assigned, record(ids), record(ids+at)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Len(t, decoded.Ignored, 1)
	require.Len(t, decoded.Problems, 1)
	require.Equal(t, "e-1", decoded.Problems[0].EventID)
	require.Contains(t, decoded.Problems[0].Reason, "records[1]: ")
}

// TestHashOfTheBody: the samples carry it; a body that it does not belong to was changed on the way, heartbeat or not.
func TestHashOfTheBody(t *testing.T) {
	adapter := cornerstone.New(nil)
	for _, name := range []string{"training-completed", "training-batch", "training-assigned", "heartbeat"} {
		r := lmstest.Sample(t, "testdata", name).Request()
		r.Received = r.Body
		good, err := adapter.Decode(r)
		require.NoError(t, err)
		require.Empty(t, good.Problems, name)

		r.Received = append([]byte("compressed: "), r.Body...) // a hash over what was compressed counts too
		plain, err := adapter.Decode(r)
		require.NoError(t, err)
		require.Equal(t, good, plain)
		r.Received, r.Body = r.Body, []byte(string(r.Body)+" ")
		compressed, err := adapter.Decode(r)
		require.NoError(t, err)
		require.Equal(t, good, compressed)

		r.Received = r.Body
		require.Equal(t, "x-content-sha256: is not the hash of this body, so that it was changed or cut on the way", theProblem(t, r), name)
		for _, values := range [][]string{{""}, {"AAAA"}, {"*"}, {r.Header.Get("x-content-sha256"), "AAAA"}} {
			r.Header["X-Content-Sha256"] = values
			require.Equal(t, "x-content-sha256: want one SHA-256 in base64", theProblem(t, r))
		}
		r.Header.Del("x-content-sha256")
		unhashed, err := adapter.Decode(r)
		require.NoError(t, err)
		require.Equal(t, good, unhashed)
	}
}

// TestOneCustomerPerDelivery: an endpoint belongs to one, so a mixture is nobody's.
func TestOneCustomerPerDelivery(t *testing.T) {
	of := func(corp string) string {
		return strings.Replace(record(ids+at), `"messageId"`, `"corpName":`+corp+`,"messageId"`, 1)
	}
	decoded, err := cornerstone.New(nil).Decode(lms.Request{Body: []byte(batch(of(`"a"`), of(`"a"`), of(`null`), record(ids+at)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 4)
	require.Equal(t, "value.headers.corpName: differs among the records of one delivery",
		theProblem(t, lms.Request{Body: []byte(batch(record(ids+at), of(`"a"`), of(`"A"`)))}))
}

// theProblem is the reason of the only thing that a delivery gives.
func theProblem(t *testing.T, r lms.Request) string {
	t.Helper()
	adapter := cornerstone.New(nil)
	decoded, err := adapter.Decode(r)
	require.NoError(t, err)
	lmstest.Check(t, adapter, decoded, err)
	require.Len(t, decoded.Problems, 1)
	require.Empty(t, decoded.Completions)
	require.Empty(t, decoded.Ignored)
	return decoded.Problems[0].Reason
}

// TestCompletionWhenReplacesTheEventsCase: that a completion is known by it alone is assumed.
func TestCompletionWhenReplacesTheEventsCase(t *testing.T) {
	m, err := cornerstone.DefaultMapping().Override(mapping.Definition{
		Version: "acme-1", CompletionWhen: &mapping.Condition{Path: "$.value['lmsEventsCase','kind']", In: []string{"trainingCompleted", "done"}},
	})
	require.NoError(t, err)
	named := func(member string) string {
		return strings.Replace(record(ids+at), `"lmsEventsCase":"TrainingCompleted"`, member, 1)
	}
	decoded, err := cornerstone.New(m).Decode(lms.Request{Body: []byte(batch(named(`"lmsEventsCase":"trainingCompleted"`), named(`"kind":"done"`), record(ids+at)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Equal(t, []lms.Ignored{{Event: "TrainingCompleted", Reason: "value.lmsEventsCase: is none of the mapping's completionWhen"}}, decoded.Ignored)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{batch(record(ids + at)), batch(), batch(`{"value":{"lmsEventsCase":"TrainingAssigned"}}`), `[]`, ``} {
		f.Add([]byte(seed))
	}
	adapter := cornerstone.New(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := adapter.Decode(lms.Request{Body: body})
		lmstest.Check(t, adapter, decoded, err)
	})
}
