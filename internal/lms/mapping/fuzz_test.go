package mapping_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// FuzzTransform holds what does not depend on the input: nothing panics, a mistake lies inside the expression, a
// result is JSON, the same every time, and no error holds the value.
func FuzzTransform(f *testing.F) {
	for _, expr := range []string{
		``, `toInt`, `dateFormat:yyyy-MM-dd | toString`, `statusMap:100=passed,0=failed,*=null`, `concat:P-{value}`,
		`omitIfNull|toString|toInt`, `a || b`, `dateFormat:'x''y' hh tt`, `statusMap:a\=b=c\,d`, `concat:\{value}{value}\`, "dateFormat:\xff'",
	} {
		f.Add(expr, `"2026-05-03T13:05:09.078Z"`)
		f.Add(expr, `1775917920.5`)
	}
	f.Fuzz(func(t *testing.T, expr, input string) {
		transform, err := mapping.ParseTransform(expr)
		if err != nil {
			for _, mistake := range mistakesOf(t, err) {
				require.GreaterOrEqual(t, mistake.Offset, 0)
				require.LessOrEqual(t, mistake.Offset, len(expr))
				require.NotEmpty(t, mistake.Code)
			}
			return
		}
		given, err := strictjson.Decode([]byte(input), strictjson.DefaultLimits())
		if err != nil {
			given = strictjson.StringOf(input)
		}
		result, err := transform.Apply(given)
		if err != nil {
			var refused *mapping.ValueError
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Code)
			require.Zero(t, result)
			return
		}
		again, err := transform.Apply(given)
		require.NoError(t, err)
		require.Equal(t, result, again)
		if utf8.ValidString(expr) && utf8.ValidString(input) && result.Kind() != strictjson.Absent {
			read, err := strictjson.Decode(result.JSON(), strictjson.DefaultLimits())
			require.NoError(t, err)
			require.Equal(t, result, read)
		}
	})
}

// FuzzPath holds that nothing panics, that a mistake lies inside the path, and that what is found is the same every
// time.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		`$`, `$.user['email','mail']`, `$.list[-1]`, `$..code`, `$.custom[?@.key=='hr' && match(@.value,'a|b')].value`, `$[::-1]`,
		`$[?length(@.key)>count(@.*)]`, `$[?@[?@.a]]`, `$[?!(@.a<1||@.b)]`, `$["\ud83d\ude00"]`, `$[?value(@.a)==$.b]`, `$[9007199254740991]`, `$[1:9007199254740991:9007199254740991]`,
	} {
		f.Add(path, event)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.Event: {Path: path},
		}})
		if err != nil {
			for _, mistake := range mistakesOf(t, err) {
				require.GreaterOrEqual(t, mistake.Offset, -1)
				require.LessOrEqual(t, mistake.Offset, len(path))
			}
			return
		}
		root, err := strictjson.Decode([]byte(body), strictjson.DefaultLimits())
		if err != nil {
			return
		}
		first, second := m.Read(root), m.WithTrace(&mapping.Trace{}).Read(root)
		require.Equal(t, first.Value(mapping.Event), second.Value(mapping.Event))
		require.Equal(t, first.Err(), second.Err())
	})
}

// FuzzParseDate holds, for the input rules of dateFormat and for patterns, that what is accepted is an instant every
// store takes or the year 0, in UTC and cut to its precision.
func FuzzParseDate(f *testing.F) {
	for _, text := range []string{
		"2026-04-11T14:32:00.123+02:00", "2026-04-11 14:32", "20260411", "1775917920", "1775917920123", "-1", "04/11/2026 02:32 PM", "9999-12-31T23:59:59-23:59",
	} {
		f.Add(text, "MM/dd/yyyy hh:mm tt", "America/Chicago")
		f.Add(text, "yyyyMMdd", "")
	}
	f.Fuzz(func(t *testing.T, text, pattern, zone string) {
		number, err := strictjson.NumberOf(text)
		if err == nil {
			checkInstant(t, func() (time.Time, training.Precision, error) { return mapping.Dates(number) })
		}
		checkInstant(t, func() (time.Time, training.Precision, error) { return mapping.Dates(strictjson.StringOf(text)) })
		m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.CompletedAt: {Path: "$.at", Parse: pattern, Zone: zone},
		}})
		if err != nil || pattern == "" {
			return
		}
		r := m.Read(strictjson.Value{}.With("at", strictjson.StringOf(text)))
		instant, precision, sent := r.Instant(mapping.CompletedAt, mapping.Dates)
		require.Equal(t, strings.TrimSpace(text) != "", sent)
		if sent {
			checkInstant(t, func() (time.Time, training.Precision, error) { return instant, precision, r.Err() })
		}
	})
}

func checkInstant(t *testing.T, read func() (time.Time, training.Precision, error)) {
	t.Helper()
	instant, precision, err := read()
	if err != nil {
		require.Zero(t, instant)
		require.Empty(t, precision)
		return
	}
	require.Equal(t, time.UTC, instant.Location())
	require.Equal(t, precision.Truncate(instant), instant)
	// A zone may carry the last local hour of the year 9999 over; training.Completion.Validate refuses that.
	require.GreaterOrEqual(t, instant.Year(), -1)
	require.LessOrEqual(t, instant.Year(), 10000)
}
