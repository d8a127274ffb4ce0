package mapping_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

func text(s string) *string { return &s }

// definition is a platform's default mapping.
func definition() mapping.Definition {
	return mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID:    {Path: "$.user.id"},
		mapping.LearnerEmail: {Path: "$.user['email','mail']"},
		mapping.CourseID:     {Path: "$.course.id"},
		mapping.CompletedAt:  {Path: "$.course.done", Else: []string{"$.fired_at"}},
		mapping.ScoreRaw:     {Path: "$.course.score"},
		mapping.ScoreMax:     {Const: text("100")},
		mapping.Passed:       {Path: "$.course.passed"},
		mapping.EventID:      {Path: "$.id"},
	}}
}

func TestTargetsAreTheFactsOfACompletionAndAnEnrollment(t *testing.T) {
	fields := map[mapping.Target]mapping.Field{}
	for _, target := range mapping.Targets() {
		fields[target] = mapping.Field{Path: "$.x"}
	}
	require.Len(t, fields, 19)
	m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: fields})
	require.NoError(t, err)
	for _, target := range mapping.Targets() {
		require.True(t, m.Has(target))
	}
}

func TestOverrideReplacesFieldsAndKeepsTheOthers(t *testing.T) {
	base := mapping.MustCompile("canonical", definition())
	require.Equal(t, "canonical/1", base.Version())
	require.Equal(t, "canonical", base.Platform())
	require.Equal(t, definition(), base.Definition())

	acme, err := base.Override(mapping.Definition{
		Version: "acme-3",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerExternalID: {Path: "$.user.staff", Transform: "concat:EMP{value}"},
			mapping.LearnerEmail:      {Path: "$.user.private"},
			mapping.EventID:           {Omit: true},
		},
		CompletionWhen: &mapping.Condition{Path: "$.event", In: []string{"done"}},
	})
	require.NoError(t, err)
	require.Equal(t, "canonical/acme-3", acme.Version())
	body := value(t, `{"id":"e1","event":"done","user":{"id":7,"mail":"a@example.com","private":"b@example.com","staff":"007"},"course":{"id":1,"done":"2026-05-03"}}`)

	c := acme.Read(body).Completion(mapping.Dates)
	require.Equal(t, training.Learner{ID: "7", ExternalID: "EMP007", Email: "b@example.com"}, c.Learner)
	require.Equal(t, "1", c.Course.ID)
	require.Empty(t, c.EventID)
	require.Equal(t, "canonical/acme-3", c.MappingVersion)

	c = base.Read(body).Completion(mapping.Dates)
	require.Equal(t, training.Learner{ID: "7", Email: "a@example.com"}, c.Learner, "the default stays as it was")
	require.Equal(t, "e1", c.EventID)

	for target, overridden := range map[mapping.Target]bool{
		mapping.LearnerExternalID: true, mapping.LearnerEmail: true, mapping.EventID: true, mapping.LearnerID: false, mapping.CourseCode: false,
	} {
		require.Equal(t, overridden, acme.Overridden(target), target)
		require.False(t, base.Overridden(target))
	}
	require.False(t, acme.Has(mapping.EventID))
	require.True(t, acme.Has(mapping.LearnerID))
	require.Equal(t, mapping.Field{Omit: true}, acme.Definition().Fields[mapping.EventID])
	require.Equal(t, mapping.Field{Path: "$.course.id"}, acme.Definition().Fields[mapping.CourseID])
	require.Equal(t, "$.event", acme.Definition().CompletionWhen.Path)
	require.Nil(t, base.Definition().CompletionWhen)

	again, err := acme.Override(mapping.Definition{Version: "acme-4"})
	require.NoError(t, err)
	require.Equal(t, "canonical/acme-4", again.Version())
	require.Equal(t, "$.event", again.Definition().CompletionWhen.Path)
}

// What a caller does with a definition afterwards does not reach the mapping.
func TestAMappingDoesNotChange(t *testing.T) {
	given := definition()
	given.CompletionWhen = &mapping.Condition{Path: "$.event", In: []string{"done"}}
	m := mapping.MustCompile("canonical", given)
	given.Fields[mapping.CourseID] = mapping.Field{Path: "$.other"}
	given.CompletionWhen.Path, given.CompletionWhen.In[0] = "$.other", "other"
	got := m.Definition()
	got.Fields[mapping.CourseID] = mapping.Field{Path: "$.other"}
	got.CompletionWhen.In[0] = "other"
	require.Equal(t, definition().Fields, m.Definition().Fields)
	require.Equal(t, &mapping.Condition{Path: "$.event", In: []string{"done"}}, m.Definition().CompletionWhen)
}

func TestCompileReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := mapping.Compile("generic", mapping.Definition{
		Version: "a b",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerID:    {Path: "$.a[", Transform: "foo | toInt:2"},
			mapping.LearnerEmail: {Path: "$.a", Const: text("x")},
			mapping.CourseID:     {},
			mapping.CourseTitle:  {Path: "$.a", Else: []string{"$.b", "c"}},
			mapping.CourseCode:   {Const: text("x"), Else: []string{"$.b"}},
			mapping.EnrollmentID: {Path: "$.a", Else: []string{""}},
			mapping.CompletedAt:  {Path: "$.a", Parse: "Mdyyyy", Zone: "Mars/Olympus"},
			mapping.ExpiresAt:    {Path: "$.a", Zone: "Europe/Berlin"},
			mapping.Passed:       {Path: "$.a", Parse: "yyyy-MM-dd"},
			mapping.EventID:      {Omit: true, Path: "$.a"},
			"user.id":            {Path: "$.a"},
		},
		CompletionWhen: &mapping.Condition{Path: "event"},
	})
	require.EqualError(t, err, `version: want 1 to 40 letters, digits, dots, dashes or underscores (bad_version)
learner.id: path, byte 4: unexpected eof (invalid_path)
learner.id: transform, byte 0: want dateFormat, statusMap, concat, omitIfNull, toString or toInt (unknown_transform)
learner.id: transform, byte 12: this transform takes no argument (unexpected_argument)
learner.email: const: want path or const, not both (conflict)
course.id: path: want path, const or omit (missing_path)
course.title: else[1], byte 0: unexpected identifier; a path begins with $ (invalid_path)
course.code: else: else stands behind a path only (conflict)
enrollment.id: else[0], byte 0: unexpected end of input; a path begins with $ (invalid_path)
completedAt: parse, byte 0: one letter is one digit or two, so no digit may follow; want MM (bad_date_pattern)
completedAt: zone: want the IANA name of a time zone, e.g. America/Chicago (unknown_zone)
expiresAt: zone: zone stands beside parse only (conflict)
passed: parse: only completedAt, expiresAt, enrolledAt and dueAt are dates (conflict)
event.id: omit: a field that is omitted has nothing else (conflict)
user.id: target: there is no such target (unknown_target)
completionWhen.path, byte 0: unexpected identifier; a path begins with $ (invalid_path)
completionWhen.in: want at least one text, or nothing is ever a completion (missing_text)`)
	require.Len(t, mistakesOf(t, err), 17)
	require.Panics(t, func() { mapping.MustCompile("generic", mapping.Definition{}) })

	_, err = mapping.MustCompile("generic", definition()).Override(mapping.Definition{Version: "2", Fields: map[mapping.Target]mapping.Field{"x": {}}})
	require.Len(t, mistakesOf(t, err), 2)
}

func TestVersions(t *testing.T) {
	for version, good := range map[string]bool{
		"1": true, "acme-3": true, "2026.05_b": true, "0123456789012345678901234567890123456789": true,
		"": false, "a/b": false, "a b": false, "\u00e4": false, "1\n": false, "01234567890123456789012345678901234567890": false,
	} {
		_, err := mapping.Compile("generic", mapping.Definition{Version: version})
		require.Equal(t, good, err == nil, version)
	}
}

func TestParseMistakes(t *testing.T) {
	for pattern, want := range map[string]struct {
		offset int
		text   string
	}{
		"yyyy-MM":               {-1, "the day is missing"},
		"MM-dd":                 {-1, "the year is missing"},
		"yyyy dd":               {-1, "the month is missing"},
		"yyyy-MM-dd mm":         {-1, "the minute stands there without the hour"},
		"yyyy-MM-dd HH:ss":      {-1, "the second stands there without the minute"},
		"yyyy-MM-dd HH:mm.fff":  {-1, "the fraction stands there without the second"},
		"yyyy-MM-dd hh:mm":      {-1, "hh and tt stand together; HH stands alone"},
		"yyyy-MM-dd HH:mm tt":   {-1, "hh and tt stand together; HH stands alone"},
		"yyyy-MM-dd tt":         {-1, "hh and tt stand together; HH stands alone"},
		"yyyy-MM-dd HH hh tt":   {14, "the hour stands here for the second time"},
		"yyyy-MM-dd yy":         {11, "the year stands here for the second time"},
		"MMM yyyy-MM-dd":        {9, "the month stands here for the second time"},
		"yyyy-M-d0":             {7, "one letter is one digit or two, so no digit may follow; want dd"},
		"yyyy-MM-dd'T'Hmm":      {13, "one letter is one digit or two, so no digit may follow; want HH"},
		"YYYY-MM-dd":            {0, `"YYYY" is no token; other text stands in single quotes`},
		"yyyy-MM-ddTHH:mm:ss X": {20, `"X" is no token; other text stands in single quotes`},
		"yyyy-MM-dd 'T":         {11, "the quote is not closed"},
	} {
		_, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.CompletedAt: {Path: "$.a", Parse: pattern},
		}})
		require.Error(t, err, pattern)
		require.Equal(t, &mapping.Mistake{
			Target: mapping.CompletedAt, Part: "parse", Offset: want.offset, Code: "bad_date_pattern", Text: want.text,
		}, mistakesOf(t, err)[0], pattern)
	}
}

func TestZoneMustNotDependOnTheMachine(t *testing.T) {
	for _, zone := range []string{"Local", "CET+1", "../UTC", "/etc/localtime", "America/chicago "} {
		_, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.CompletedAt: {Path: "$.a", Parse: "yyyy-MM-dd HH:mm", Zone: zone},
		}})
		require.ErrorContains(t, err, "unknown_zone", zone)
	}
}

func TestADefinitionIsPlainJSON(t *testing.T) {
	given := definition()
	given.CompletionWhen = &mapping.Condition{Path: "$.event", In: []string{"done"}}
	encoded, err := json.Marshal(given)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"learner.id":{"path":"$.user.id"}`)
	require.Contains(t, string(encoded), `"completionWhen":{"path":"$.event","in":["done"]}`)
	var decoded mapping.Definition
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.Equal(t, given, decoded)
}
