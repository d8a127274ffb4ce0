package strictjson_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/strictjson"
)

func TestJSONIsWhatWasSent(t *testing.T) {
	for body, want := range map[string]string{
		`{"b":1.10,"a":[true,false,null,"x"],"":{}}`:  `{"":{},"a":[true,false,null,"x"],"b":1.10}`,
		`[1e400,-0.0,123456789012345678901234567890]`: `[1e400,-0.0,123456789012345678901234567890]`,
		`"<&>\u2028\u0000\"\\\ud83d\ude00"`:           "\"<&>\\u2028\\u0000\\\"\\\\\U0001f600\"",
		`[]`:                                          `[]`,
		`null`:                                        `null`,
	} {
		value, err := decode(body)
		require.NoError(t, err)
		require.Equal(t, want, string(value.JSON()), body)
		again, err := decode(want)
		require.NoError(t, err)
		require.Equal(t, value, again)
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		compact, err := decode(string(encoded)) // encoding/json puts its escapes for HTML in
		require.NoError(t, err)
		require.Equal(t, value, compact)
	}
	require.Equal(t, `null`, string(strictjson.Value{}.JSON()))
}

// compact is the JSON itself: the order of the keys and the digits of numbers count.
func compact(v strictjson.Value) string { return string(v.JSON()) }

func TestBuiltValues(t *testing.T) {
	number, err := strictjson.NumberOf("91.50")
	require.NoError(t, err)
	built := strictjson.ObjectOf(map[string]strictjson.Value{
		"s": strictjson.StringOf(" x "), "n": number, "i": strictjson.IntOf(-7), "t": strictjson.BoolOf(true), "z": strictjson.NullOf(),
		"l": strictjson.ArrayOf(strictjson.BoolOf(false), strictjson.Value{}), "gone": {},
	})
	want := `{"i":-7,"l":[false,null],"n":91.50,"s":" x ","t":true,"z":null}`
	require.Equal(t, want, compact(built))
	require.Equal(t, []string{"i", "l", "n", "s", "t", "z"}, built.Keys())
	require.Equal(t, " x ", built.Member("s").Raw())
	require.Equal(t, "91.50", built.Member("n").Raw())
	require.Empty(t, built.Member("t").Raw())
	require.Nil(t, strictjson.StringOf("x").Keys())
	for _, digits := range []string{"", "x", "01", "+1", "1.", ".5", "1 ", " 1", "1e", "NaN", "0x1", "true", `"1"`, "[1]", "1,2", "-"} {
		_, err := strictjson.NumberOf(digits)
		require.EqualError(t, err, "is no JSON number", digits)
	}
}

// A value is shared by everybody who reads the event, so a change is a copy.
// Two equal objects would not be ==, two equal texts would.
func TestValuesAreNotComparedByPlace(t *testing.T) {
	require.False(t, reflect.TypeFor[strictjson.Value]().Comparable())
	require.LessOrEqual(t, reflect.TypeFor[strictjson.Value]().Size(), uintptr(32), "there are many of them")
}

func TestWithAndWithoutAreCopies(t *testing.T) {
	root, err := decode(`{"a":1,"b":2}`)
	require.NoError(t, err)
	one := strictjson.IntOf(1)
	for _, test := range []struct {
		got  strictjson.Value
		want string
	}{
		{root.With("b", strictjson.StringOf("x")).With("c", strictjson.ArrayOf()), `{"a":1,"b":"x","c":[]}`},
		{root.Without("a"), `{"b":2}`},
		{root.With("a", strictjson.Value{}), `{"b":2}`},
		{root.Without("c"), `{"a":1,"b":2}`},
		{root, `{"a":1,"b":2}`},
		{strictjson.Value{}.With("a", one), `{"a":1}`},
		{strictjson.NullOf().With("a", one), `{"a":1}`},
		{strictjson.ArrayOf(one).With("a", one), `[1]`},
		{strictjson.ArrayOf(one).Without("a"), `[1]`},
	} {
		require.Equal(t, test.want, compact(test.got))
	}
}

// The first change is one of a shared object, and each further one of the changes: what was taken away, put
// back and put in is told from what is below.
func TestChangesOfChanges(t *testing.T) {
	root, err := decode(`{"a":1,"b":2,"c":3}`)
	require.NoError(t, err)
	one := root.Without("a").With("b", strictjson.StringOf("x")).With("d", strictjson.NullOf())
	two := one.With("a", strictjson.BoolOf(true)).Without("d").Without("c")
	require.Equal(t, []string{"b", "c", "d"}, one.Keys())
	require.Equal(t, strictjson.Absent, one.Member("a").Kind())
	require.Equal(t, []string{"a", "b"}, two.Keys())
	for want, got := range map[string]strictjson.Value{
		`{"b":"x","c":3,"d":null}`: one,
		`{"a":true,"b":"x"}`:       two,
		`{"a":1,"b":2,"c":3}`:      root,
		`{}`:                       strictjson.ObjectOf(nil).With("a", one).Without("a"),
	} {
		require.Equal(t, want, compact(got))
	}
}

// TestWithCostsWhatItChanges: one envelope goes into many events, so a change must not copy what it leaves.
func TestWithCostsWhatItChanges(t *testing.T) {
	members := map[string]strictjson.Value{}
	for i := range 10_000 {
		members[fmt.Sprint("m", i)] = strictjson.IntOf(int64(i))
	}
	envelope := strictjson.ObjectOf(members)
	var one strictjson.Value
	allocations := testing.AllocsPerRun(100, func() { one = envelope.Without("m1").With("payload", envelope) })
	require.LessOrEqual(t, allocations, 8.0)
	require.Len(t, one.Keys(), 10_000)
}

// An adapter of a batch puts the envelope's members beside each entry.
func ExampleValue_With() {
	envelope, err := strictjson.Decode([]byte(`{"message_id":"wh-1","payloads":[{"user_id":7},{"user_id":8}]}`), strictjson.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, entry := range envelope.Member("payloads").Items() {
		fmt.Println(string(envelope.Without("payloads").With("payload", entry).JSON()))
	}
	// Output:
	// {"message_id":"wh-1","payload":{"user_id":7}}
	// {"message_id":"wh-1","payload":{"user_id":8}}
}
