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
			{Recorded: sample("training-assigned"), Want: []lms.Ignored{{Event: "TrainingAssigned", Reason: "not a completion event"}}},
			{Recorded: lmstest.JSON("an employee", batch(`{"value":{"headers":{},"employeeCreated":{"data":{}}}}`)),
				Want: []lms.Ignored{{Reason: "no lmsEventsCase: not an event about training"}}},
			{Recorded: lmstest.JSON("the name in another case", strings.Replace(batch(record(ids+at)), `"TrainingCompleted"`, `"trainingCompleted"`, 1)),
				Want: []lms.Ignored{{Event: "trainingCompleted", Reason: "not a completion event"}}},
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
	assigned := strings.Replace(record(ids), `"TrainingCompleted"`, `"TrainingAssigned"`, 1)
	decoded, err := cornerstone.New(nil).Decode(lms.Request{Body: []byte(batch(assigned, record(ids), record(ids+at)))})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Len(t, decoded.Ignored, 1)
	require.Len(t, decoded.Problems, 1)
	require.Equal(t, "e-1", decoded.Problems[0].EventID)
	require.Contains(t, decoded.Problems[0].Reason, "records[1]: ")
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
