package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// omitted is how a left-out field is written in these tables.
const omitted = `{"$omit":true}`

func value(t testing.TB, body string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Decode([]byte(body), strictjson.DefaultLimits())
	require.NoError(t, err)
	return v
}

// apply is the result as JSON, or "error <code>" for one that the value raises.
func apply(t testing.TB, expr string, input strictjson.Value) string {
	t.Helper()
	transform, err := mapping.ParseTransform(expr)
	require.NoError(t, err, expr)
	result, err := transform.Apply(input)
	if err != nil {
		var refused *mapping.ValueError
		require.ErrorAs(t, err, &refused)
		require.NotEmpty(t, refused.Code)
		return "error " + refused.Code
	}
	if result.Kind() == strictjson.Absent {
		return omitted
	}
	return string(result.JSON())
}

type row struct{ expr, input, want string }

func checkRows(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		require.Equal(t, row.want, apply(t, row.expr, value(t, row.input)), "%s of %s", row.expr, row.input)
	}
}

// The table of lms/activate.md §6, row by row; its errors of expressions are in
// TestTransformMistakes.
func TestTransformTable(t *testing.T) {
	checkRows(t, []row{
		{``, `7`, `7`},
		{`dateFormat:yyyy-MM-dd`, `"2026-01-01T00:30:00+01:00"`, `"2025-12-31"`},
		{`dateFormat:yyyyMMdd`, `"2026-05-03"`, `"20260503"`},
		{`dateFormat:epoch`, `"1970-01-01T00:00:01.9Z"`, `1`},
		{`dateFormat:epoch`, `null`, `null`},
		{`dateFormat:hh:mm tt`, `"2026-05-03T13:05:00Z"`, `"01:05 PM"`},
		{`dateFormat:yyyy`, `"soon"`, `error invalid_date`},
		{`statusMap:1=yes,0=no`, `"1.0"`, `"yes"`},
		{`statusMap:done=passed`, `"Done"`, `error unmapped_value`},
		{`statusMap:done=passed,*=other`, `"Done"`, `"other"`},
		{`statusMap:a\=b=c`, `"a=b"`, `"c"`},
		{`concat:[{value}]`, `true`, `"[true]"`},
		{`concat:{value}`, `null`, `null`},
		{`omitIfNull`, `null`, omitted},
		{`omitIfNull`, `0`, `0`},
		{`toString`, `12.50`, `"12.5"`},
		{`toInt`, `"-3.99"`, `-3`},
		{`toInt`, `""`, `error not_a_number`},
		{`concat:{value}9 | toInt`, `1`, `19`},
	})
}

// The examples of the vendor's own page.
func TestTransformExamplesOfTheVendor(t *testing.T) {
	checkRows(t, []row{
		{`dateFormat:yyyy-MM-dd | toString`, `"2026-04-11T14:32:00Z"`, `"2026-04-11"`},
		{`dateFormat:epoch`, `"2026-04-11T14:32:00Z"`, `1775917920`},
		{`statusMap:100=passed,0=failed`, `100`, `"passed"`},
		{`statusMap:100=passed,0=failed`, `0`, `"failed"`},
		{`concat:PREFIX-{value}`, `"7"`, `"PREFIX-7"`},
	})
}

func TestTransformGrammar(t *testing.T) {
	checkRows(t, []row{
		{"  \t ", `[1]`, `[1]`},
		{` toInt `, `"7"`, `7`},
		{"\ttoString\n|\r toInt ", `7.9`, `7`},
		{`concat: {value} `, `1`, `" 1"`},      // white space right after the colon is kept, around the step it is dropped
		{`concat:{value}\ `, `1`, `"1 "`},      // and kept behind a backslash
		{`concat:a:b:{value}`, `1`, `"a:b:1"`}, // later colons belong to the arguments
		{`concat:\|{value}\,\=\\`, `1`, `"|1,=\\"`},
		{`concat:{value}\{value}`, `1`, `"1{value}"`},
		{`concat:{value}{value}`, `"{value}"`, `"{value}{value}"`}, // not expanded twice
		{`toInt:`, `"7"`, `7`},
		{`toInt | toString`, `7.5`, `"7"`}, // each step gets the previous result with its type
		{`toString | toInt | concat:{value}%`, `79.9`, `"79%"`},
		{`statusMap:a=null | omitIfNull | toInt`, `"a"`, omitted}, // the chain ends
		{`statusMap:a=null | toInt`, `"a"`, `null`},
		{`toInt | concat:{value}`, `"x"`, `error not_a_number`}, // the first error ends the field
	})
}

func TestTransformNullPassesThrough(t *testing.T) {
	for _, expr := range []string{``, `dateFormat:yyyy`, `dateFormat:epoch`, `statusMap:a=b`, `statusMap:null=b,*=c`, `concat:x{value}`, `toString`, `toInt`} {
		require.Equal(t, `null`, apply(t, expr, value(t, `null`)), expr)
		require.Equal(t, `null`, apply(t, expr, strictjson.Value{}), expr)
		require.Equal(t, omitted, apply(t, strings.TrimPrefix(expr+"|omitIfNull", "|"), value(t, `null`)), expr)
	}
}

func TestStatusMap(t *testing.T) {
	checkRows(t, []row{
		{`statusMap: 100 = passed , 0 = not passed `, `100`, `"passed"`},
		{`statusMap: 100 = passed , 0 = not passed `, `0`, `"not passed"`},
		{`statusMap:100=passed`, `"100"`, `"passed"`},
		{`statusMap:100=passed`, `100.0`, `"passed"`},
		{`statusMap:100=passed`, `1e2`, `"passed"`},
		{`statusMap:100=passed`, `" +100.00 "`, `"passed"`},
		{`statusMap:100=passed`, `"1e2"`, `error unmapped_value`},
		{`statusMap:100=passed`, `"100%"`, `error unmapped_value`},
		{`statusMap:100=passed`, `101`, `error unmapped_value`},
		{`statusMap:0=no`, `-0.0`, `"no"`},
		{`statusMap:007=bond`, `7`, `"bond"`},
		{`statusMap:9007199254740993=a,9007199254740992=b`, `9007199254740993`, `"a"`}, // exact beyond 2^53
		{`statusMap:done=a`, `"done"`, `"a"`},
		{`statusMap:done=a`, `" done"`, `error unmapped_value`},
		{`statusMap:true=a,false=b`, `true`, `"a"`},
		{`statusMap:true=a,false=b`, `false`, `"b"`},
		{`statusMap:1=a`, `true`, `error unmapped_value`},
		{`statusMap:a=b=c`, `"a"`, `"b=c"`}, // the first "=" splits
		{`statusMap:a=`, `"a"`, `""`},
		{`statusMap:a=null`, `"a"`, `null`},
		{`statusMap:a= null `, `"a"`, `null`},
		{`statusMap:a=\null`, `"a"`, `"null"`},
		{`statusMap:*=null`, `"a"`, `null`},
		{`statusMap:\*=star,*=other`, `"*"`, `"star"`},
		{`statusMap:\*=star,*=other`, `"a"`, `"other"`},
		{`statusMap:a\,b=c`, `"a,b"`, `"c"`},
		{`statusMap:a\|b=c`, `"a|b"`, `"c"`},
		{`statusMap:NOT OK=false`, `"NOT OK"`, `"false"`},
		{`statusMap:1=a`, `[1]`, `error bad_type`},
		{`statusMap:*=a`, `{}`, `error bad_type`},
		{`statusMap:a=b`, `""`, `error unmapped_value`},
	})
}

func TestConcat(t *testing.T) {
	checkRows(t, []row{
		{`concat:EMP{value}`, `"007"`, `"EMP007"`},
		{`concat:EMP{value}`, `7.50`, `"EMP7.5"`},
		{`concat:{value}-{value}`, `1e2`, `"100-100"`},
		{`concat:{value}`, `""`, `""`},
		{`concat:{value}`, `false`, `"false"`},
		{`concat:{value}`, `[]`, `error bad_type`},
		{`concat:{value}`, `{}`, `error bad_type`},
		{`concat:{{value}}`, `1`, `"{1}"`},
		{`concat:{value}{value}`, `"` + strings.Repeat("x", 4_900) + `"`, `"` + strings.Repeat("x", 9_800) + `"`},
		{`concat:{value}{value}`, `"` + strings.Repeat("x", 5_000) + `"`, `error out_of_range`},
	})
}

func TestToString(t *testing.T) {
	checkRows(t, []row{
		{`toString`, `"x "`, `"x "`},
		{`toString`, `95.0`, `"95"`},
		{`toString`, `91.50`, `"91.5"`},
		{`toString`, `-0.0`, `"0"`},
		{`toString`, `1e3`, `"1000"`},
		{`toString`, `1.25E-3`, `"0.00125"`},
		{`toString`, `-12.5e1`, `"-125"`},
		{`toString`, `0e999999999999`, `"0"`},
		{`toString`, `1e401`, `error out_of_range`},
		{`toString`, `1e999999999999`, `error out_of_range`},
		{`toString`, `123456789012345678901234567890.10`, `"123456789012345678901234567890.1"`},
		{`toString`, strings.Repeat("9", 400), `"` + strings.Repeat("9", 400) + `"`},
		{`toString`, strings.Repeat("9", 401), `error out_of_range`},
		{`toInt`, `"` + strings.Repeat("0", 400) + `7"`, `error not_a_number`},
		{`toString`, `true`, `"true"`},
		{`toString`, `false`, `"false"`},
		{`toString`, `[]`, `error bad_type`},
		{`toString`, `{"a":1}`, `error bad_type`},
	})
}

func TestToInt(t *testing.T) {
	checkRows(t, []row{
		{`toInt`, `79.9`, `79`},
		{`toInt`, `-79.9`, `-79`},
		{`toInt`, `-0.9`, `0`},
		{`toInt`, `"79.9"`, `79`},
		{`toInt`, `" +7 "`, `7`},
		{`toInt`, `"0010"`, `10`},
		{`toInt`, `1.5e1`, `15`},
		{`toInt`, `9223372036854775807.9`, `9223372036854775807`},
		{`toInt`, `9223372036854775808`, `error out_of_range`},
		{`toInt`, `-9223372036854775808`, `-9223372036854775808`},
		{`toInt`, `"-9223372036854775809"`, `error out_of_range`},
		{`toInt`, `1e999999999`, `error out_of_range`},
		{`toInt`, `"1e3"`, `error not_a_number`},
		{`toInt`, `"95%"`, `error not_a_number`},
		{`toInt`, `"5."`, `error not_a_number`},
		{`toInt`, `".5"`, `error not_a_number`},
		{`toInt`, `"0x10"`, `error not_a_number`},
		{`toInt`, `" "`, `error not_a_number`},
		{`toInt`, `true`, `error bad_type`},
		{`toInt`, `[1]`, `error bad_type`},
		{`toInt`, `{}`, `error bad_type`},
	})
}

func TestOmitIfNull(t *testing.T) {
	checkRows(t, []row{
		{`omitIfNull`, `""`, `""`},
		{`omitIfNull`, `false`, `false`},
		{`omitIfNull`, `[]`, `[]`},
		{`omitIfNull | toInt`, `null`, omitted},
		{`omitIfNull | toInt`, `"3"`, `3`},
		{`toInt | omitIfNull`, `null`, omitted},
	})
	require.Equal(t, omitted, apply(t, `omitIfNull`, strictjson.Value{}))
}

// Mistakes of an expression do not wait for a value: byte and code, all of them at once.
func TestTransformMistakes(t *testing.T) {
	type at struct {
		offset int
		code   string
	}
	for expr, want := range map[string][]at{
		`dateFormat:YYYY-MM-DD`:      {{11, "bad_date_pattern"}},
		`dateFormat:yyyy-MM-DD`:      {{19, "bad_date_pattern"}},
		`dateFormat:yyyyy`:           {{11, "bad_date_pattern"}},
		`dateFormat:yyy`:             {{11, "bad_date_pattern"}},
		`dateFormat: epoch`:          {{12, "bad_date_pattern"}},
		`dateFormat:epochs`:          {{11, "bad_date_pattern"}},
		`dateFormat:dd 'of`:          {{14, "bad_date_pattern"}},
		"dateFormat:yyyy\u5e74":      {{15, "bad_date_pattern"}},
		`dateFormat:ff`:              {{11, "bad_date_pattern"}},
		`dateFormat:t`:               {{11, "bad_date_pattern"}},
		`dateFormat`:                 {{10, "missing_argument"}},
		`dateFormat:`:                {{11, "missing_argument"}},
		`statusMap:done`:             {{10, "bad_argument"}},
		`statusMap:a=b,`:             {{14, "bad_argument"}},
		`statusMap:a=b,,c=d`:         {{14, "bad_argument"}},
		`statusMap:a=b, =d`:          {{14, "bad_argument"}},
		`statusMap:a\=b`:             {{10, "bad_argument"}},
		`statusMap`:                  {{9, "missing_argument"}},
		`statusMap: `:                {{10, "missing_argument"}},
		`statusMap:a=b, a=c`:         {{15, "duplicate_key"}},
		`statusMap:100=a,100.0=b`:    {{16, "duplicate_key"}},
		`statusMap:0=a,-0=b`:         {{14, "duplicate_key"}},
		`statusMap:*=a,*=b`:          {{14, "duplicate_key"}},
		`concat:x`:                   {{7, "missing_placeholder"}},
		`concat`:                     {{6, "missing_placeholder"}},
		`concat:{Value}`:             {{7, "missing_placeholder"}},
		`concat:\{value}`:            {{7, "missing_placeholder"}},
		`toInt:2`:                    {{6, "unexpected_argument"}},
		`toString:x`:                 {{9, "unexpected_argument"}},
		`omitIfNull:x`:               {{11, "unexpected_argument"}},
		`| toInt`:                    {{0, "empty_step"}},
		`toInt |`:                    {{7, "empty_step"}},
		`toInt || toString`:          {{7, "empty_step"}},
		`toInt | | toString`:         {{7, "empty_step"}},
		`|`:                          {{0, "empty_step"}, {1, "empty_step"}},
		`ToInt`:                      {{0, "unknown_transform"}},
		`toInt :`:                    {{0, "unknown_transform"}},
		`toInt \| toString`:          {{0, "unknown_transform"}},
		`:x`:                         {{0, "unknown_transform"}},
		`toInt\`:                     {{5, "bad_argument"}},
		`upper | toInt:2 | concat:x`: {{0, "unknown_transform"}, {14, "unexpected_argument"}, {25, "missing_placeholder"}},
		strings.Repeat("x", 1001):    {{1000, "expression_too_long"}},
	} {
		_, err := mapping.ParseTransform(expr)
		require.Error(t, err, expr)
		var found []at
		for _, mistake := range mistakesOf(t, err) {
			require.Equal(t, "transform", mistake.Part)
			require.NotEmpty(t, mistake.Text)
			found = append(found, at{mistake.Offset, mistake.Code})
		}
		require.Equal(t, want, found, expr)
	}
}

// mistakesOf takes a joined error apart.
func mistakesOf(t testing.TB, err error) []*mapping.Mistake {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	var found []*mapping.Mistake
	for _, err := range joined.Unwrap() {
		var mistake *mapping.Mistake
		require.ErrorAs(t, err, &mistake)
		found = append(found, mistake)
	}
	return found
}

func TestValueErrorsNameTheStepAndHoldNoValue(t *testing.T) {
	for expr, want := range map[string]string{
		`toString | toInt`:                "transform step 2, toInt: the text is no number (not_a_number)",
		`statusMap:a=b`:                   "transform step 1, statusMap: the value is none of the keys (unmapped_value)",
		`concat:{value}| dateFormat:yyyy`: "transform step 2, dateFormat: neither an RFC 3339 date-time, nor a day, nor a number of seconds or milliseconds (invalid_date)",
	} {
		transform, err := mapping.ParseTransform(expr)
		require.NoError(t, err)
		_, err = transform.Apply(strictjson.StringOf("jordan.lee@example.com"))
		require.EqualError(t, err, want)
	}
}
