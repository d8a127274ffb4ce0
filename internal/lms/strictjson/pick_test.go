package strictjson_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/strictjson"
)

func TestText_R49(t *testing.T) {
	for body, want := range map[string]string{
		`10291`: "10291", `"10291"`: "10291", `"00042"`: "00042", `" HR-4829 "`: "HR-4829", `"a  b"`: "a  b",
		`""`: "", `"   "`: "", `null`: "", `0`: "0", `-1`: "-1", `9007199254740993`: "9007199254740993",
	} {
		value, err := decode(body)
		require.NoError(t, err)
		got, err := value.Text()
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	for _, body := range []string{`10291.0`, `1e3`, `1E3`, `1.5`, `true`, `[]`, `{}`} {
		value, err := decode(body)
		require.NoError(t, err)
		_, err = value.Text()
		require.Error(t, err, body)
	}
}

func TestNumberIsKeptAsWritten(t *testing.T) {
	for body, want := range map[string]string{
		`91.5`: "91.5", `0`: "0", `-0.0`: "-0.0", `1e2`: "1e2", `"91.50"`: "91.50", `" 80 "`: "80", `""`: "", `null`: "",
	} {
		value, err := decode(body)
		require.NoError(t, err)
		got, err := value.Number()
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	for _, body := range []string{`"91,5"`, `"91%"`, `"0x10"`, `"NaN"`, `"true"`, `"1 2"`, `"007"`, `"[1]"`, `true`, `[]`, `{}`} {
		value, err := decode(body)
		require.NoError(t, err)
		_, err = value.Number()
		require.Error(t, err, body)
	}
}

func TestBoolIsNeverGuessed(t *testing.T) {
	for _, body := range []string{`"true"`, `1`, `0`, `""`, `[]`} {
		value, err := decode(body)
		require.NoError(t, err)
		_, err = value.Bool()
		require.Error(t, err, body)
	}
	value, err := decode(`null`)
	require.NoError(t, err)
	passed, err := value.Bool()
	require.NoError(t, err)
	require.Nil(t, passed)
}

func TestPickerGathersEveryProblemOnce(t *testing.T) {
	root, err := decode(`{"user":[],"course":{"id":1.5,"passed":"yes"},"gone":null}`)
	require.NoError(t, err)
	p := strictjson.Pick(root)
	require.Empty(t, p.Text("user.id"))
	require.Empty(t, p.Text("user.email"))
	require.Empty(t, p.Text("gone.id"))
	require.Empty(t, p.Text("course.id"))
	require.Nil(t, p.Bool("course.passed"))
	p.Problem("course.date", errors.New("is no date"))
	require.EqualError(t, p.Err(), "user: want an object, is an array; "+
		"course.id: want a string or an integer, is a number with a fraction or exponent; "+
		"course.passed: want a boolean, is a string; course.date: is no date")

	top, err := decode(`7`)
	require.NoError(t, err)
	p = strictjson.Pick(top)
	p.Text("id")
	require.EqualError(t, p.Err(), "want an object, is a number")
}

func ExamplePick() {
	root, err := strictjson.Decode([]byte(`{"user":{"id":10291},"score":"91.50","passed":null}`), strictjson.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	p := strictjson.Pick(root)
	fmt.Println(p.Text("user.id"), p.Number("score"), p.Bool("passed") == nil, p.Err())
	// Output: 10291 91.50 true <nil>
}
