package strictjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/strictjson"
)

func decode(body string) (strictjson.Value, error) {
	return strictjson.Decode([]byte(body), strictjson.DefaultLimits())
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"nothing":                {"", "incomplete JSON at byte 0"},
		"only spaces":            {" \n ", "incomplete JSON"},
		"cut off":                {`{"a":[1,`, "incomplete JSON at byte 8, a[1]"},
		"cut off in a string":    {`{"a":"b`, "incomplete JSON at byte 7, a"},
		"trailing comma":         {`{"a":1,}`, "not JSON"},
		"trailing comma, array":  {`[1,]`, "not JSON"},
		"missing comma":          {`[1 2]`, "not JSON"},
		"missing colon":          {`{"a" 1}`, "not JSON"},
		"typographic quotes":     {"{\u201cid\u201d: 1}", "not JSON"},
		"leading zero":           {`{"a":01}`, "not JSON"},
		"plus":                   {`+1`, "not JSON"},
		"NaN":                    {`NaN`, "not JSON"},
		"single quotes":          {`{'a':1}`, "not JSON"},
		"a comment":              {`{"a":1} // x`, "more than one value"},
		"raw control character":  {"\"a\x00b\"", "not JSON"},
		"a second value":         {`{"a":1} {"a":2}`, "more than one value"},
		"a stray bracket":        {`{"a":1}}`, "more than one value"},
		"NUL after the value":    {"{}\x00", "more than one value"},
		"a byte order mark":      {"\ufeff{}", "byte order mark at byte 3"},
		"invalid UTF-8":          {"{\"a\":\"\xff\"}", "invalid UTF-8 at byte 7"},
		"overlong UTF-8":         {"\"\xc0\xaf\"", "invalid UTF-8 at byte 2"},
		"surrogate in UTF-8":     {"\"\xed\xa0\x80\"", "invalid UTF-8"},
		"lone high surrogate":    {`{"a":"\ud83d"}`, "half of a surrogate pair"},
		"lone low surrogate":     {`{"a":"\ude00 x"}`, "half of a surrogate pair"},
		"high then a letter":     {`{"a":"\ud83d\u0041"}`, "half of a surrogate pair"},
		"high then high":         {`{"a":"\uD83D\uD83D"}`, "half of a surrogate pair"},
		"lone surrogate, key":    {`{"\ud83d":1}`, "half of a surrogate pair"},
		"key twice":              {`{"a":1,"b":2,"a":1}`, "key given twice at byte 16, a"},
		"key twice, escaped":     {`{"user":{"id":1,"\u0069d":2}}`, "key given twice at byte 25, user.id"},
		"key twice, in an array": {`{"a":[{},{"b":1,"b":1}]}`, "key given twice at byte 19, a[1].b"},
		"empty key twice":        {`{"":1,"":2}`, "key given twice at byte 8, ?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := decode(test.body)
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestPathShowsOnlyKeysThatLookLikeNames(t *testing.T) {
	for _, key := range []string{"jordan.lee@example.com", "[jordan]", "Jordan Lee", strings.Repeat("j", 41)} {
		_, err := decode(fmt.Sprintf(`{"users":{%q:1,%q:2}}`, key, key))
		require.ErrorContains(t, err, "users.?")
		require.NotContains(t, err.Error(), "ordan")
	}
}

func TestLimits(t *testing.T) {
	limits := strictjson.Limits{Depth: 3, Tokens: 9}
	for body, want := range map[string]string{
		`[[[0]]]`:               "",
		`[[[[]]]]`:              "nested deeper than 3 at byte 4, [0][0][0]",
		`{"a":{"b":{"c":0}}}`:   "more than 9 tokens",
		`{"a":{"b":[{}]}}`:      "nested deeper than 3 at byte 12, a.b[0]",
		`[1,2,3,4,5,6,7]`:       "",
		`[1,2,3,4,5,6,7,8]`:     "more than 9 tokens",
		`{"a":0,"b":0,"c":0}`:   "",
		`{"a":0,"b":0,"c":[0]}`: "more than 9 tokens",
		`"ten tokens of words"`: "",
	} {
		_, err := strictjson.Decode([]byte(body), limits)
		if want == "" {
			require.NoError(t, err, body)
		} else {
			require.ErrorContains(t, err, want, body)
		}
	}
	_, err := decode(strings.Repeat("[", 500_000))
	require.ErrorContains(t, err, "nested deeper than 32")
}

func TestValuesAreWhatWasSent(t *testing.T) {
	root, err := decode(`{"n":1.10,"big":123456789012345678901234567890,"s":"a\u00e9\ud83d\ude00\\ud83d","t":true,"z":null,"l":[1,"x"]}`)
	require.NoError(t, err)
	number, err := root.Member("n").Number()
	require.NoError(t, err)
	require.Equal(t, "1.10", number)
	text, err := root.Member("big").Text()
	require.NoError(t, err)
	require.Equal(t, "123456789012345678901234567890", text, "numbers are exact")
	text, err = root.Member("s").Text()
	require.NoError(t, err)
	require.Equal(t, "aé😀\\ud83d", text)
	require.Equal(t, strictjson.Null, root.Member("z").Kind())
	require.Equal(t, strictjson.Absent, root.Member("N").Kind(), "keys are compared exactly")
	require.Len(t, root.Member("l").Items(), 2)
	require.True(t, root.Member("z").Missing())
	require.True(t, root.Member("N").Missing())
	require.False(t, root.Member("t").Missing())
}

// FuzzDecode holds the promises that do not depend on the input: what is accepted is JSON, within
// the limits and free of what was to be refused; and nothing panics.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5e3,"x",null,true]}`, `{"a":1,"a":2}`, `"\ud83d"`, `"\ud83d\ude00"`, "\ufeff{}", `[[[[`, `{}{}`, "\xff", `1e400`,
	} {
		f.Add([]byte(seed))
	}
	limits := strictjson.Limits{Depth: 8, Tokens: 200}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := strictjson.Decode(body, limits)
		if err != nil {
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			require.LessOrEqual(t, refused.Offset, int64(len(body)))
			return
		}
		require.True(t, json.Valid(body))
		// encoding/json marks what it had to replace with U+FFFD: nothing was replaced.
		if !bytes.Contains(body, []byte("\ufffd")) && !bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`)) {
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.UseNumber()
			var tree any
			require.NoError(t, decoder.Decode(&tree))
			require.NotContains(t, fmt.Sprint(tree), "\ufffd")
		}
	})
}
