package generic_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/generic"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const (
	secret = "s3cret-activate" // the sample's: the administrator of an Activate laid it out
	jo     = `"staffNo":"3391","staffMail":"jo@example.com","trainingCode":"ESD-2","trainingName":"ESD handling","doneAt":"04/11/2026 09:05","result":"OK","points":45,"pointsMax":50`
	least  = `"staffNo":"3391","trainingCode":"ESD-2","doneAt":"04/11/2026 09:05"`
)

var yes, no = true, false

// acme is what the sample's configuration says, and a condition.
func acme(tb testing.TB, change func(*mapping.Definition)) *mapping.Mapping {
	tb.Helper()
	d := mapping.Definition{
		Version: "acme-3",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerExternalID: {Path: "$.staffNo", Transform: "concat:EMP{value}"},
			mapping.LearnerEmail:      {Path: "$.staffMail"},
			mapping.CourseID:          {Path: "$.trainingCode"},
			mapping.CourseTitle:       {Path: "$.trainingName"},
			mapping.CompletedAt:       {Path: "$.doneAt", Parse: "MM/dd/yyyy HH:mm", Zone: "America/Chicago"},
			mapping.ScoreRaw:          {Path: "$.points"},
			mapping.ScoreMax:          {Path: "$.pointsMax"},
			mapping.Passed:            {Path: "$.result", Transform: "statusMap:OK=true,NOT OK=false"},
			mapping.Event:             {Path: "$.kind"},
		},
	}
	change(&d)
	m, err := generic.DefaultMapping().Override(d)
	require.NoError(tb, err)
	return m
}

func asItIs(*mapping.Definition) {}

func onlyWhen(d *mapping.Definition) {
	d.CompletionWhen = &mapping.Condition{Path: "$.kind", In: []string{"course.completed"}}
}

func esd(change func(*training.Completion)) training.Completion {
	c := training.Completion{
		Learner:           training.Learner{ExternalID: "EMP3391", Email: "jo@example.com"},
		Course:            training.Course{ID: "ESD-2", Title: "ESD handling"},
		CompletedAt:       time.Date(2026, 4, 11, 14, 5, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "doneAt",
		Score:             training.Score{Raw: "45", Max: "50", Passed: &yes},
	}
	change(&c)
	return c
}

func same(*training.Completion) {}

func bare(c *training.Completion) {
	c.Learner.Email, c.Course.Title, c.Score = "", "", training.Score{}
}

func valid(r lmstest.Recorded, want ...training.Completion) lmstest.Valid {
	return lmstest.Valid{Recorded: r, Want: want}
}

func spec(tb testing.TB) lmstest.Spec {
	return lmstest.Spec{
		New:              lmstest.With(generic.New),
		Mapping:          acme(tb, asItIs),
		Verifier:         func(keys ...string) (lms.Verifier, error) { return signature.NewAPIKey(keys, "X-API-Key") },
		Sign:             func(_ []byte, key string) http.Header { return http.Header{"X-Api-Key": {key}} },
		Secret:           secret,
		CredentialHeader: "X-API-Key",
		Valid: []lmstest.Valid{
			valid(lmstest.Sample(tb, "testdata", "completion-renamed-fields"), esd(same)),
			valid(lmstest.JSON("least", `{`+least+`}`), esd(bare)),
			valid(lmstest.Form("a form", "staffNo=3391&staffMail=jo%40example.com&trainingCode=ESD-2&trainingName=ESD+handling&doneAt=04%2F11%2F2026+09%3A05&result=OK&points=45&pointsMax=50"), esd(same)),
			valid(lmstest.JSON("several", `[{`+jo+`},{`+least+`,"result":"NOT OK","kind":"x"}]`), esd(same), esd(func(c *training.Completion) {
				bare(c)
				c.Score.Passed, c.Event = &no, "x"
			})),
			valid(lmstest.JSON("in winter", `{`+strings.Replace(least, "04/11", "01/11", 1)+`}`), esd(func(c *training.Completion) {
				bare(c)
				c.CompletedAt = time.Date(2026, 1, 11, 15, 5, 0, 0, time.UTC)
			})),
			// The clocks go forward at two: half past two is half past three.
			valid(lmstest.JSON("in the gap of spring", `{`+strings.Replace(least, "04/11/2026 09:05", "03/08/2026 02:30", 1)+`}`), esd(func(c *training.Completion) {
				bare(c)
				c.CompletedAt = time.Date(2026, 3, 8, 8, 30, 0, 0, time.UTC)
			})),
		},
		Ignored: []lmstest.Ignored{
			{Recorded: lmstest.JSON("no events", `[]`), Want: []lms.Ignored{{Reason: "the array holds no event"}}},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("nothing in it", `{}`), Reason: "missing targets: learner.externalId (nothing at $.staffNo) or learner.email (nothing at $.staffMail); " +
				"course.id (nothing at $.trainingCode) or course.title (nothing at $.trainingName); completedAt (nothing at $.doneAt)"},
			{Recorded: lmstest.Form("nothing in the form", ``), Reason: "missing targets: learner.externalId"},
			{Recorded: lmstest.JSON("no date", `{"staffNo":"1","trainingCode":"x","doneAt":""}`), Reason: "missing targets: completedAt (nothing at $.doneAt)"},
			{Recorded: lmstest.JSON("no event", `[null]`), Reason: "[0]: want an event, an object; is null"},
			{Recorded: lmstest.JSON("a list in a list", `[[{`+jo+`}]]`), Reason: "[0]: want an event, an object; is an array"},
			{Recorded: lmstest.JSON("a status that is not mapped", `{`+least+`,"result":"Ok"}`), Reason: "result: transform step 1, statusMap: the value is none of the keys (unmapped_value)"},
			{Recorded: lmstest.JSON("a date in another form", `{`+strings.Replace(least, "04/11/2026 09:05", "2026-04-11T09:05:00Z", 1)+`}`), Reason: "doneAt: "},
			{Recorded: lmstest.JSON("more points than there are", `{`+least+`,"points":51,"pointsMax":50}`), Reason: "score lies outside 0 to its maximum"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.JSON("nothing", ``), Reason: "incomplete JSON"},
			{Recorded: lmstest.JSON("a text", `"done"`), Reason: "want an event or an array of them, is a string"},
			{Recorded: lmstest.Form("a field twice", "staffNo=1&staffNo=2"), Reason: "key given twice"},
		},
	}
}

func TestGeneric_R56_R61(t *testing.T) { lmstest.Run(t, spec(t)) }

// TestWithoutAMappingEveryDeliveryIsAProblem: it is kept, and can be read again once there is one (law 4).
func TestWithoutAMappingEveryDeliveryIsAProblem(t *testing.T) {
	const reason = "the source needs a mapping: a generic body says nothing by itself"
	for _, adapter := range []*generic.Adapter{generic.New(nil), generic.New(generic.DefaultMapping())} {
		for body, want := range map[string][]lms.Problem{
			`{` + jo + `}`: {{Reason: reason}},
			`{}`:           {{Reason: reason}},
			`[{},{}]`:      {{Reason: "[0]: " + reason}, {Reason: "[1]: " + reason}},
		} {
			decoded, err := adapter.Decode(lms.Request{Body: []byte(body)})
			require.NoError(t, err)
			require.Equal(t, lms.Decoded{Problems: want}, decoded, body)
		}
		_, err := adapter.Decode(lms.Request{Body: []byte(`{`)})
		require.ErrorIs(t, err, lms.ErrUnreadable)
	}
}

func TestCompletionWhen(t *testing.T) {
	decoded, err := generic.New(acme(t, onlyWhen)).Decode(lms.Request{Body: []byte(
		`[{` + jo + `,"kind":"course.completed"},{` + jo + `,"kind":"course.started"},{` + jo + `}]`)})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 1)
	require.Equal(t, "course.completed", decoded.Completions[0].Event)
	require.Equal(t, []lms.Ignored{
		{Event: "course.started", Reason: "[1]: kind: is none of the mapping's completionWhen"},
		{Reason: "[2]: kind: is missing, and the mapping's completionWhen wants it"},
	}, decoded.Ignored)
}

// TestMissingTargetsOfAMapping: what is not mapped at all is told from what the event lacks.
func TestMissingTargetsOfAMapping(t *testing.T) {
	empty := ""
	m := acme(t, func(d *mapping.Definition) {
		d.Fields = map[mapping.Target]mapping.Field{
			mapping.Event: {Path: "$.kind"}, mapping.EventID: {Path: "$.id"}, mapping.CourseCode: {Const: &empty},
			mapping.CompletedAt: {Path: "$.done", Else: []string{"$.sent"}},
		}
	})
	decoded, err := generic.New(m).Decode(lms.Request{Body: []byte(`{"kind":"k","id":7}`)})
	require.NoError(t, err)
	require.Equal(t, lms.Decoded{Problems: []lms.Problem{{Event: "k", EventID: "7",
		Reason: "missing targets: learner.id or learner.externalId or learner.username or learner.email (the mapping reads none); " +
			"course.code (the constant is empty); completedAt (nothing at $.done, $.sent)"}}}, decoded)
}

// TestDatesWithoutParse: what leaves nothing to guess is read, and a local time of nobody knows where is a problem.
func TestDatesWithoutParse(t *testing.T) {
	for value, want := range map[string]time.Time{
		`"2026-04-08T14:30:00Z"`:        time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		`" 2026-04-08 16:30+02:00 "`:    time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		`"2026-04-08T14:30:00.5-00:00"`: time.Date(2026, 4, 8, 14, 30, 0, 5e8, time.UTC),
		`"2026-04-08"`:                  time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC),
		`"20260408"`:                    time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC),
		`1775658600`:                    time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
		`1775658600000`:                 time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC),
	} {
		decoded := dated(t, mapping.Field{Path: "$.doneAt"}, value)
		require.Empty(t, decoded.Problems, value)
		require.Equal(t, want, decoded.Completions[0].CompletedAt, value)
	}
	for _, value := range []string{`"2026-04-08 23:30"`, `"2026-04-08T23:30:00"`, `" 2026-04-08T23:30:00.123 "`} {
		decoded := dated(t, mapping.Field{Path: "$.doneAt"}, value)
		require.Equal(t, []lms.Problem{{Reason: "doneAt: date-time without a time zone: say parse, and zone where it is not UTC"}}, decoded.Problems, value)
	}
	inZone := dated(t, mapping.Field{Path: "$.doneAt", Parse: "yyyy-MM-dd HH:mm", Zone: "America/Chicago"}, `"2026-04-08 23:30"`)
	require.Equal(t, time.Date(2026, 4, 9, 4, 30, 0, 0, time.UTC), inZone.Completions[0].CompletedAt)
}

func dated(t *testing.T, completedAt mapping.Field, value string) lms.Decoded {
	t.Helper()
	m := acme(t, func(d *mapping.Definition) { d.Fields[mapping.CompletedAt] = completedAt })
	decoded, err := generic.New(m).Decode(lms.Request{Body: []byte(`{"staffNo":"3391","trainingCode":"ESD-2","doneAt":` + value + `}`)})
	require.NoError(t, err)
	return decoded
}

// TestScale: without a field for it a score is a percentage; one that the event lacks is not guessed.
func TestScale(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*mapping.Definition)
		body   string
		want   training.Score
	}{
		"no field":      {func(d *mapping.Definition) { delete(d.Fields, mapping.ScoreMax) }, `{` + least + `,"points":45}`, training.Score{Raw: "45", Max: "100"}},
		"no score":      {func(d *mapping.Definition) { delete(d.Fields, mapping.ScoreMax) }, `{` + least + `}`, training.Score{}},
		"not sent":      {asItIs, `{` + least + `,"points":45}`, training.Score{Raw: "45"}},
		"omitted":       {func(d *mapping.Definition) { d.Fields[mapping.ScoreMax] = mapping.Field{Omit: true} }, `{` + jo + `}`, training.Score{Raw: "45", Passed: &yes}},
		"not a percent": {asItIs, `{` + jo + `}`, training.Score{Raw: "45", Max: "50", Passed: &yes}},
	} {
		decoded, err := generic.New(acme(t, test.change)).Decode(lms.Request{Body: []byte(test.body)})
		require.NoError(t, err, name)
		require.Equal(t, test.want, decoded.Completions[0].Score, name)
	}
}

// TestPassed_R72: booleans and the texts true and false say it, and nothing else.
func TestPassed_R72(t *testing.T) {
	plain := func(d *mapping.Definition) { d.Fields[mapping.Passed] = mapping.Field{Path: "$.result"} }
	for value, want := range map[string]*bool{
		`true`: &yes, `"true"`: &yes, `"TRUE"`: &yes, `false`: &no, `"false"`: &no,
		`"yes"`: nil, `"passed"`: nil, `1`: nil, `null`: nil, `""`: nil,
	} {
		decoded, err := generic.New(acme(t, plain)).Decode(lms.Request{Body: []byte(`{` + least + `,"result":` + value + `}`)})
		require.NoError(t, err)
		require.Len(t, decoded.Completions, 1, value)
		require.Equal(t, want, decoded.Completions[0].Score.Passed, value)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{` + jo + `}`, `[{` + least + `},{},7]`, `{}`, `[]`, ``} {
		f.Add("application/json", []byte(seed))
	}
	f.Add("application/x-www-form-urlencoded", []byte("staffNo=3391&trainingCode=ESD-2&doneAt=04%2F11%2F2026+09%3A05"))
	mapped, unmapped := generic.New(acme(f, onlyWhen)), generic.New(nil)
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, adapter := range []*generic.Adapter{mapped, unmapped} {
			decoded, err := adapter.Decode(lms.Request{Header: http.Header{"Content-Type": {contentType}}, Body: body})
			lmstest.Check(t, adapter, decoded, err)
		}
	})
}

func BenchmarkGeneric(b *testing.B) { lmstest.Benchmark(b, spec(b)) }
