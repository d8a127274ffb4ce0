package mapping_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// The sample activate/completion-renamed-fields of the vendor's free body, by the mapping that
// belongs to it.
func TestCompletionByAnAdministratorsMapping(t *testing.T) {
	m := mapping.MustCompile("activate", mapping.Definition{Version: "acme-1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerExternalID: {Path: "$.staffNo", Transform: "concat:EMP{value}"},
		mapping.LearnerEmail:      {Path: "$.staffMail"},
		mapping.CourseID:          {Path: "$.trainingCode"},
		mapping.CourseTitle:       {Path: "$.trainingName"},
		mapping.CompletedAt:       {Path: "$.doneAt", Parse: "MM/dd/yyyy HH:mm", Zone: "America/Chicago"},
		mapping.ExpiresAt:         {Path: "$.validTo", Parse: "MM/dd/yyyy"},
		mapping.ScoreRaw:          {Path: "$.points"},
		mapping.ScoreMax:          {Path: "$.pointsMax"},
		mapping.Passed:            {Path: "$.result", Transform: "statusMap:OK=true,NOT OK=false"},
	}})
	r := m.Read(value(t, `{"staffNo":"00417","staffMail":"s.ortiz@example.com","trainingCode":"GMP-12","trainingName":"GMP Basics",
		"doneAt":"11/01/2026 01:30","validTo":"11/01/2027","points":"44.50","pointsMax":50,"result":"NOT OK"}`))
	c := r.Completion(mapping.Dates)
	require.NoError(t, r.Err())
	require.NoError(t, c.Validate())
	require.Equal(t, []string{"doneAt: the zone has this local time twice, its clocks went back: the earlier instant was taken"}, r.Notes())
	failed, expires := false, time.Date(2027, 11, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, training.Completion{
		Platform:          "activate",
		Learner:           training.Learner{ExternalID: "EMP00417", Email: "s.ortiz@example.com"},
		Course:            training.Course{ID: "GMP-12", Title: "GMP Basics"},
		CompletedAt:       time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "doneAt",
		ExpiresAt:         &expires,
		Score:             training.Score{Raw: "44.50", Max: "50", Passed: &failed},
		MappingVersion:    "activate/acme-1",
	}, c)
}

func TestCompletedAtSourceIsWhereItWasRead(t *testing.T) {
	for name, test := range map[string]struct {
		field mapping.Field
		body  string
		want  string
	}{
		"chain":       {mapping.Field{Path: "$.payload.course.completion_date"}, `{"payload":{"course":{"completion_date":"2026-05-03"}}}`, "payload.course.completion_date"},
		"brackets":    {mapping.Field{Path: "$['payload']['done at'][0]"}, `{"payload":{"done at":["2026-05-03"]}}`, `payload["done at"][0]`},
		"last names":  {mapping.Field{Path: "$.c['done','doneAt']"}, `{"c":{"doneAt":"2026-05-03"}}`, "c.doneAt"},
		"else":        {mapping.Field{Path: "$.done", Else: []string{"$.x", "$.fired_at"}}, `{"done":null,"fired_at":"2026-05-03"}`, "fired_at"},
		"not a chain": {mapping.Field{Path: "$..done"}, `{"a":{"done":"2026-05-03"}}`, "$..done"},
		"constant":    {mapping.Field{Const: text("2026-05-03")}, `{}`, "completedAt"},
	} {
		c := oneField(t, mapping.CompletedAt, test.field).Read(value(t, test.body)).Completion(mapping.Dates)
		require.Equal(t, test.want, c.CompletedAtSource, name)
		require.Equal(t, training.PrecisionDay, c.Precision, name)
	}
	c := oneField(t, mapping.CompletedAt, mapping.Field{Path: "$.done"}).Read(value(t, `{}`)).Completion(mapping.Dates)
	require.Empty(t, c.CompletedAtSource)
	require.EqualError(t, c.Validate(), "incomplete completion: no learner id, external id, username or e-mail; no course id, code or title; no completion date")
}

// A pattern reads digits that came as a number; anything else than digits is no date.
func TestParseOfANumber(t *testing.T) {
	m := oneField(t, mapping.CompletedAt, mapping.Field{Path: "$.at", Parse: "yyyyMMdd"})
	c := m.Read(value(t, `{"at":20260503}`)).Completion(mapping.Dates)
	require.Equal(t, time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), c.CompletedAt)
	for body, want := range map[string]string{
		`{"at":20260503.5}`: "at: want a text to parse as a date, is a number",
		`{"at":true}`:       "at: want a text to parse as a date, is a boolean",
	} {
		r := m.Read(value(t, body))
		c := r.Completion(mapping.Dates)
		require.Zero(t, c.CompletedAt)
		require.EqualError(t, r.Err(), want)
	}
}

// What was found and cannot be read is a problem, not a reason to look further.
func TestElseIsForWhatIsMissing(t *testing.T) {
	m := oneField(t, mapping.CompletedAt, mapping.Field{Path: "$.done", Else: []string{"$.fired_at"}})
	r := m.Read(value(t, `{"done":"yesterday","fired_at":"2026-05-03"}`))
	instant, _, sent := r.Instant(mapping.CompletedAt, mapping.Dates)
	require.True(t, sent)
	require.Zero(t, instant)
	require.EqualError(t, r.Err(), "done: neither an RFC 3339 date-time, nor a day, nor a number of seconds or milliseconds")

	r = m.Read(value(t, `{"done":" ","fired_at":null}`))
	_, _, sent = r.Instant(mapping.CompletedAt, mapping.Dates)
	require.False(t, sent)
	require.NoError(t, r.Err())
}

func TestScoreNeedsAScore(t *testing.T) {
	m := mapping.MustCompile("canonical", definition())
	for body, want := range map[string]training.Score{
		`{"course":{"score":0}}`:       {Raw: "0", Max: "100"},
		`{"course":{"score":"91.50"}}`: {Raw: "91.50", Max: "100"},
		`{"course":{"score":null}}`:    {},
		`{}`:                           {},
	} {
		r := m.Read(value(t, body))
		require.Equal(t, want, r.Completion(mapping.Dates).Score, body)
		require.NoError(t, r.Err())
	}
}

// R72: passed is never guessed.
func TestPassed_R72(t *testing.T) {
	yes, no := true, false
	for _, test := range []struct {
		field mapping.Field
		body  string
		want  *bool
		err   string
	}{
		{mapping.Field{Path: "$.p"}, `{"p":true}`, &yes, ""},
		{mapping.Field{Path: "$.p"}, `{"p":false}`, &no, ""},
		{mapping.Field{Path: "$.p"}, `{"p":null}`, nil, ""},
		{mapping.Field{Path: "$.p"}, `{"p":""}`, nil, ""},
		{mapping.Field{Path: "$.p"}, `{}`, nil, ""},
		{mapping.Field{Path: "$.p"}, `{"p":"true"}`, nil, "p: want a boolean, is a string"},
		{mapping.Field{Path: "$.p"}, `{"p":1}`, nil, "p: want a boolean, is a number"},
		{mapping.Field{Path: "$.p", Transform: "toString"}, `{"p":"TRUE"}`, &yes, ""},
		{mapping.Field{Path: "$.p", Transform: "toString"}, `{"p":" False "}`, &no, ""},
		{mapping.Field{Path: "$.p", Transform: "toString"}, `{"p":false}`, &no, ""},
		{mapping.Field{Path: "$.p", Transform: "toString"}, `{"p":"completed"}`, nil, ""},
		{mapping.Field{Path: "$.p", Transform: "toInt"}, `{"p":"1"}`, nil, "p: want a boolean, is a number"},
		{mapping.Field{Path: "$.p", Transform: "statusMap:100=true,0=false,*=null"}, `{"p":100.0}`, &yes, ""},
		{mapping.Field{Path: "$.p", Transform: "statusMap:100=true,0=false,*=null"}, `{"p":"0"}`, &no, ""},
		{mapping.Field{Path: "$.p", Transform: "statusMap:100=true,0=false,*=null"}, `{"p":50}`, nil, ""},
		{mapping.Field{Path: "$.p", Transform: "statusMap:100=true,0=false"}, `{"p":50}`, nil, "p: transform step 1, statusMap: the value is none of the keys (unmapped_value)"},
		{mapping.Field{Const: text("true")}, `{}`, &yes, ""},
		{mapping.Field{Const: text("yes")}, `{}`, nil, ""},
	} {
		r := oneField(t, mapping.Passed, test.field).Read(value(t, test.body))
		require.Equal(t, test.want, r.Bool(mapping.Passed), test.body)
		if test.err == "" {
			require.NoError(t, r.Err(), test.body)
		} else {
			require.EqualError(t, r.Err(), test.err)
		}
	}
}

func TestTextStringOnlyAndNumber(t *testing.T) {
	m := func(transform string) *mapping.Mapping {
		return oneField(t, mapping.Event, mapping.Field{Path: "$.v", Transform: transform})
	}
	r := m("").Read(value(t, `{"v":" HR-4829 "}`))
	require.Equal(t, "HR-4829", r.Text(mapping.Event))
	require.Equal(t, "HR-4829", r.StringOnly(mapping.Event))
	require.NoError(t, r.Err())
	require.Empty(t, r.Number(mapping.Event))
	require.EqualError(t, r.Err(), "v: want a number, is a string that holds none")

	r = m("").Read(value(t, `{"v":10291}`))
	require.Equal(t, "10291", r.Text(mapping.Event))
	require.Equal(t, "10291", r.Number(mapping.Event))
	require.Empty(t, r.StringOnly(mapping.Event))
	require.EqualError(t, r.Err(), "v: want a string, is a number")

	require.Equal(t, "79", m("toInt").Read(value(t, `{"v":79.9}`)).Text(mapping.Event))
	require.Equal(t, "79", m("toInt").Read(value(t, `{"v":79.9}`)).Number(mapping.Event))
	require.Equal(t, "79.9", m("toString").Read(value(t, `{"v":79.90}`)).Number(mapping.Event))
	require.Equal(t, "79.90", m("").Read(value(t, `{"v":79.90}`)).Number(mapping.Event))

	r = m("").Read(value(t, `{"v":10291.0}`))
	require.Empty(t, r.Text(mapping.Event))
	require.EqualError(t, r.Err(), "v: want a string or an integer, is a number with a fraction or exponent")
	require.Equal(t, strictjson.Number, m("").Read(value(t, `{"v":1.0}`)).Value(mapping.Event).Kind())
	require.Equal(t, strictjson.Absent, m("").Read(value(t, `{}`)).Value(mapping.Event).Kind())
	require.Empty(t, m("").Read(value(t, `{"v":1}`)).Text(mapping.CourseID), "a target that is not mapped")
}

// An empty text is no value: "EMP" alone would be an identity that everybody without one shares.
func TestEmptyTextsAreMissing(t *testing.T) {
	m := oneField(t, mapping.LearnerExternalID, mapping.Field{Path: "$.staffNo", Transform: "concat:EMP{value}"})
	for _, body := range []string{`{"staffNo":""}`, `{"staffNo":"  "}`, `{"staffNo":null}`, `{}`} {
		r := m.Read(value(t, body))
		require.Empty(t, r.Text(mapping.LearnerExternalID), body)
		require.NoError(t, r.Err())
	}
	require.Equal(t, "EMP0", m.Read(value(t, `{"staffNo":0}`)).Text(mapping.LearnerExternalID))
}

func TestProblemsAreGatheredOnceAndHoldNoValue(t *testing.T) {
	m := mapping.MustCompile("canonical", definition())
	r := m.Read(value(t, `{"id":{},"user":{"id":1.5,"email":["jordan"]},"course":{"id":"jordan","done":"jordan","score":"jordan","passed":"jordan"}}`))
	r.Problem("status", errors.New("is not completed"))
	r.Completion(mapping.Dates)
	r.Completion(mapping.Dates)
	require.EqualError(t, r.Err(), "status: is not completed; "+
		"id: want a string or an integer, is an object; "+
		"user.id: want a string or an integer, is a number with a fraction or exponent; "+
		"user.email: want a string or an integer, is an array; "+
		"course.score: want a number, is a string that holds none; "+
		"course.passed: want a boolean, is a string; "+
		"course.done: neither an RFC 3339 date-time, nor a day, nor a number of seconds or milliseconds")
}

func TestIsCompletion_R79(t *testing.T) {
	m := func(c *mapping.Condition) *mapping.Mapping {
		return mapping.MustCompile("generic", mapping.Definition{Version: "1", CompletionWhen: c})
	}
	is, reason := m(nil).Read(value(t, `{}`)).IsCompletion()
	require.True(t, is)
	require.Empty(t, reason)
	condition := &mapping.Condition{Path: "$.event", In: []string{"course.completed", "1", "true"}}
	for body, want := range map[string]string{
		`{"event":"course.completed"}`:   "",
		`{"event":" course.completed "}`: "",
		`{"event":1.0}`:                  "",
		`{"event":true}`:                 "",
		`{"event":"Course.Completed"}`:   "event: is none of the mapping's completionWhen",
		`{"event":"jordan"}`:             "event: is none of the mapping's completionWhen",
		`{"event":""}`:                   "event: is missing, and the mapping's completionWhen wants it",
		`{}`:                             "event: is missing, and the mapping's completionWhen wants it",
		`{"event":{"name":"jordan"}}`:    "event: has no text, is an object",
		`[]`:                             "want an object, is an array",
	} {
		var trace mapping.Trace
		for _, m := range []*mapping.Mapping{m(condition), m(condition).WithTrace(&trace)} {
			is, reason := m.Read(value(t, body)).IsCompletion()
			require.Equal(t, want == "", is, body)
			require.Equal(t, want, reason, body)
		}
		require.Equal(t, mapping.Target("completionWhen"), trace.Events[0].Reads[0].Target)
	}
}

func TestTrace(t *testing.T) {
	var trace mapping.Trace
	m := mapping.MustCompile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID:   {Path: "$['no','nr']", Transform: "toString | concat:EMP{value}"},
		mapping.CourseID:    {Path: "$.course"},
		mapping.CompletedAt: {Path: "$.at", Parse: "yyyy-MM-dd HH:mm", Zone: "Europe/Berlin"},
		mapping.ScoreRaw:    {Path: "$.score", Transform: "toInt"},
		mapping.Event:       {Const: text("completed")},
	}}).WithTrace(&trace)
	for _, body := range []string{
		`{"nr":7,"at":"2026-10-25 02:30","score":79.9}`,
		`{"course":{"name":"<&>"},"at":"soon","score":"x"}`,
	} {
		r := m.Read(value(t, body))
		r.Completion(mapping.Dates)
		r.Text(mapping.LearnerID) // read twice, one entry
	}
	encoded, err := json.MarshalIndent(trace, "", " ")
	require.NoError(t, err)
	require.JSONEq(t, `{"events":[
		{"event":0,"reads":[
			{"target":"event","input":"completed","output":"completed"},
			{"target":"learner.id","path":"nr","input":7,"steps":[{"step":"toString","output":"7"},{"step":"concat:EMP{value}","output":"EMP7"}],"output":"EMP7"},
			{"target":"course.id","path":"course","input":null,"output":null},
			{"target":"score.raw","path":"score","input":79.9,"steps":[{"step":"toInt","output":79}],"output":79},
			{"target":"completedAt","path":"at","input":"2026-10-25 02:30","output":"2026-10-25T00:30:00.000Z",
			 "notes":["the zone has this local time twice, its clocks went back: the earlier instant was taken"]}]},
		{"event":1,"reads":[
			{"target":"event","input":"completed","output":"completed"},
			{"target":"learner.id","path":"no","input":null,"steps":[{"step":"toString","output":null},{"step":"concat:EMP{value}","output":null}],"output":null},
			{"target":"course.id","path":"course","input":{"name":"<&>"},"output":null,"error":"want a string or an integer, is an object"},
			{"target":"score.raw","path":"score","input":"x","output":null,"error":"transform step 1, toInt: the text is no number (not_a_number)"},
			{"target":"completedAt","path":"at","input":"soon","output":null,"error":"is not written as the pattern says"}]}
	]}`, string(encoded))
}

// A traced read says the same as a plain one.
func TestTraceChangesNothing(t *testing.T) {
	m := mapping.MustCompile("canonical", definition())
	for _, body := range []string{
		`{"id":"e","user":{"id":7,"mail":"a@example.com"},"course":{"id":"c","done":"2026-05-03T10:00:00Z","score":7,"passed":true}}`,
		`{"user":[],"course":{"id":[],"done":"x","score":"x","passed":"x"}}`, `{}`, `[]`, `null`,
	} {
		plain, traced := m.Read(value(t, body)), m.WithTrace(&mapping.Trace{}).Read(value(t, body))
		require.Equal(t, plain.Completion(mapping.Dates), traced.Completion(mapping.Dates))
		require.Equal(t, plain.Err(), traced.Err())
	}
}
