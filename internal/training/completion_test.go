package training_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

func TestCompletionValidate_R86(t *testing.T) {
	long := strings.Repeat("x", 1001)
	for name, test := range map[string]struct {
		change  func(*training.Completion)
		problem string // "" if valid
	}{
		"the least there must be":   {func(*training.Completion) {}, ""},
		"a learner known by e-mail": {func(c *training.Completion) { c.Learner = training.Learner{Email: "jd@example.com"} }, ""},
		"a learner known by name":   {func(c *training.Completion) { c.Learner = training.Learner{Username: "jd"} }, ""},
		"a learner known outside":   {func(c *training.Completion) { c.Learner = training.Learner{ExternalID: "007"} }, ""},
		"a course known by code":    {func(c *training.Completion) { c.Course = training.Course{Code: "GDPR"} }, ""},
		"a course known by title":   {func(c *training.Completion) { c.Course = training.Course{Title: "GDPR"} }, ""},
		"a day":                     {func(c *training.Completion) { c.Precision = training.PrecisionDay }, ""},
		"the first date":            {func(c *training.Completion) { c.CompletedAt = time.Unix(0, 0) }, ""},
		"the last date":             {func(c *training.Completion) { c.CompletedAt = lastInstant }, ""},
		"an expiry for ever":        {func(c *training.Completion) { c.ExpiresAt = &lastInstant }, ""},
		"names in any script": {func(c *training.Completion) {
			c.Learner.FirstName, c.Learner.LastName = "สมชาย", "Łukaszewicz-Ó"
		}, ""},
		"the longest text":        {func(c *training.Completion) { c.Course.Title = long[:1000] }, ""},
		"a score without a scale": {func(c *training.Completion) { c.Score = training.Score{Raw: "17"} }, ""},
		"a score of nothing":      {func(c *training.Completion) { c.Score = training.Score{Raw: "0", Max: "100"} }, ""},
		"a full score":            {func(c *training.Completion) { c.Score = training.Score{Raw: "100", Max: "1e2"} }, ""},

		"no learner":               {func(c *training.Completion) { c.Learner = training.Learner{FirstName: "Jane"} }, "no learner id, external id, username or e-mail"},
		"no course":                {func(c *training.Completion) { c.Course = training.Course{} }, "no course id, code or title"},
		"no date":                  {func(c *training.Completion) { c.CompletedAt = time.Time{} }, "no completion date"},
		"before 1970":              {func(c *training.Completion) { c.CompletedAt = time.Unix(-1, 0) }, "completion date outside 1970 to 9999"},
		"a date of five digits":    {func(c *training.Completion) { c.CompletedAt = lastInstant.Add(time.Second) }, "completion date outside 1970 to 9999"},
		"five digits only in UTC":  {func(c *training.Completion) { c.CompletedAt = lateInNewYork }, "completion date outside 1970 to 9999"},
		"an expiry of five digits": {func(c *training.Completion) { c.ExpiresAt = &lateInNewYork }, "expiry date outside 1970 to 9999"},
		"an expiry of zero":        {func(c *training.Completion) { c.ExpiresAt = &time.Time{} }, "expiry date outside 1970 to 9999"},
		"no precision":             {func(c *training.Completion) { c.Precision = "" }, "unknown precision"},
		"another precision":        {func(c *training.Completion) { c.Precision = "second" }, "unknown precision"},

		"a score in words":        {func(c *training.Completion) { c.Score.Raw = "pass" }, "score is not a number"},
		"a score over its scale":  {func(c *training.Completion) { c.Score = training.Score{Raw: "101", Max: "100"} }, "score lies outside 0 to its maximum"},
		"a score below its scale": {func(c *training.Completion) { c.Score = training.Score{Raw: "-1", Max: "100"} }, "score lies outside 0 to its maximum"},
		"a scale without a score": {func(c *training.Completion) { c.Score.Max = "100" }, "a maximum score without a score"},
		"a scale in words":        {func(c *training.Completion) { c.Score = training.Score{Raw: "1", Max: "full"} }, "maximum score is not a positive number"},
		"a scale of nothing":      {func(c *training.Completion) { c.Score = training.Score{Raw: "0", Max: "0"} }, "maximum score is not a positive number"},
		"a scale below nothing":   {func(c *training.Completion) { c.Score = training.Score{Raw: "-1", Max: "-2"} }, "maximum score is not a positive number"},
	} {
		t.Run(name, func(t *testing.T) {
			c := completion()
			test.change(&c)
			if test.problem == "" {
				require.NoError(t, c.Validate())
				_, err := json.Marshal(c)
				require.NoError(t, err, "what is valid can be stored")
				return
			}
			require.ErrorIs(t, c.Validate(), training.ErrIncomplete)
			require.ErrorContains(t, c.Validate(), test.problem)
		})
	}
}

var (
	lastInstant   = time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC)
	lateInNewYork = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.FixedZone("", -5*60*60))
)

// Each text of a completion, by the name an error calls it.
func texts(c *training.Completion) map[string]*string {
	return map[string]*string{
		"event id": &c.EventID, "event": &c.Event, "enrollment id": &c.EnrollmentID,
		"learner id": &c.Learner.ID, "learner username": &c.Learner.Username,
		"learner e-mail": &c.Learner.Email, "learner external id": &c.Learner.ExternalID,
		"first name": &c.Learner.FirstName, "last name": &c.Learner.LastName,
		"course id": &c.Course.ID, "course title": &c.Course.Title, "course code": &c.Course.Code,
	}
}

// A text that one store takes and another refuses would be acknowledged on one machine and
// answered 503 for ever on the next.
func TestCompletionValidateRefusesTextsNoStoreCanKeep(t *testing.T) {
	bad := map[string]string{
		"a\x00b":                         " contains a control character",
		"a\nb":                           " contains a control character",
		"a\tb":                           " contains a control character",
		"a\x1b[31mb":                     " contains a control character",
		"a\x7f":                          " contains a control character",
		"a\xffb":                         " is not UTF-8",
		"\xed\xa0\x80":                   " is not UTF-8", // half a surrogate pair
		"a\xc3":                          " is not UTF-8",
		strings.Repeat("é", 501):         " longer than 1000 bytes",
		strings.Repeat("\x00\xff", 1000): " longer than 1000 bytes",
	}
	whole := completion()
	for name := range texts(&whole) {
		for value, problem := range bad {
			c := completion()
			*texts(&c)[name] = value
			err := c.Validate()
			require.ErrorIs(t, err, training.ErrIncomplete)
			require.ErrorContains(t, err, ": "+name+problem)
			require.NotContains(t, err.Error(), value, "names of fields, never their values")
		}
	}
}

func TestCompletionValidateReportsEverythingAtOnce(t *testing.T) {
	err := training.Completion{Score: training.Score{Raw: "x"}}.Validate()
	require.EqualError(t, err, "incomplete completion: no learner id, external id, username or e-mail; "+
		"no course id, code or title; no completion date; unknown precision of the completion date; score is not a number")
}

func TestCompletionValidateNeverShowsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := completion()
		secret := rapid.StringMatching(`Zq[0-9]{6}`).Draw(t, "secret")
		fields := texts(&c)
		for name, field := range fields {
			*field = secret + rapid.SampledFrom([]string{"", "\x00", "\xff", strings.Repeat("x", 1000)}).Draw(t, name)
		}
		c.Score = training.Score{Raw: secret, Max: secret}
		require.ErrorIs(t, c.Validate(), training.ErrIncomplete)
		require.NotContains(t, c.Validate().Error(), secret)
	})
}

func TestLearnerAndCourseKeys(t *testing.T) {
	for want, learner := range map[string]training.Learner{
		"id:007":               {ID: "007", ExternalID: "E7", Username: "jd", Email: "jd@example.com"},
		"externalId:E7":        {ExternalID: "E7", Username: "jd", Email: "jd@example.com"},
		"username:J.Doe":       {Username: "J.Doe", Email: "jd@example.com"},
		"email:jd@example.com": {Email: "JD@example.com"},
		"email:":               {FirstName: "Jane"},
	} {
		require.Equal(t, want, learner.Key())
	}
	for want, course := range map[string]training.Course{
		"id:42":           {ID: "42", Code: "GDPR", Title: "GDPR 2026"},
		"code:GDPR":       {Code: "GDPR", Title: "GDPR 2026"},
		"title:GDPR 2026": {Title: "GDPR 2026"},
	} {
		require.Equal(t, want, course.Key())
	}
}

func TestNamesForPeople(t *testing.T) {
	require.Equal(t, "Jane Doe", training.Learner{FirstName: "Jane", LastName: "Doe"}.FullName())
	require.Equal(t, "Doe", training.Learner{LastName: "Doe"}.FullName())
	require.Equal(t, "Jane", training.Learner{FirstName: "Jane"}.FullName())
	require.Empty(t, training.Learner{ID: "1001", Email: "jd@example.com"}.FullName())

	require.Equal(t, "GDPR", training.Course{ID: "42", Code: "GDPR", Title: "GDPR 2026"}.Label())
	require.Equal(t, "GDPR 2026", training.Course{ID: "42", Title: "GDPR 2026"}.Label())
	require.Equal(t, "42", training.Course{ID: "42"}.Label())
}

func TestPrecisionTruncate_R76(t *testing.T) {
	auckland := time.FixedZone("", 13*60*60)
	early := time.Date(2026, time.March, 15, 3, 4, 5, 678_999_999, auckland) // still the 14th in UTC
	require.Equal(t, time.Date(2026, time.March, 14, 14, 4, 5, 678_000_000, time.UTC), training.PrecisionMillisecond.Truncate(early))
	require.Equal(t, time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC), training.PrecisionDay.Truncate(early))
}

func TestCompletionRoundTripsAsJSON(t *testing.T) {
	passed, expires := false, completedAt.AddDate(2, 0, 0)
	full := completion()
	for name, field := range texts(&full) {
		*field = "«" + name + "» \u2028 & <b>"
	}
	full.Score = training.Score{Raw: "91.50", Max: "100", Passed: &passed}
	full.CompletedAtSource, full.ExpiresAt = "payload.completion_date", &expires
	for _, c := range []training.Completion{completion(), full} {
		encoded, err := json.Marshal(c)
		require.NoError(t, err)
		var decoded training.Completion
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, c, decoded)
		require.Equal(t, c.Fingerprint(), decoded.Fingerprint())
	}
}
