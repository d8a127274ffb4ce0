package signature_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

func bodyToken(t testing.TB) *signature.BodyToken {
	t.Helper()
	v, err := signature.NewBodyToken([]string{"s3cret-axis"}, "auth_secret")
	require.NoError(t, err)
	return v
}

// A delivery as Axis sends it.
func TestBodyTokenOfAxis_R42(t *testing.T) {
	form, err := os.ReadFile("testdata/axis/course-completed-form.form")
	require.NoError(t, err)
	r := request("Content-Type", "application/x-www-form-urlencoded")
	r.Body = form
	_, err = bodyToken(t).Verify(r)
	require.NoError(t, err)
}

// Moodle's local_webhooks labels its JSON as a form unless somebody changes that.
func TestBodyTokenInJSONLabelledAsAForm_R170(t *testing.T) {
	r := request("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Body = []byte("\n{\"auth_secret\": \"s3cret-axis\", \"eventname\": \"x\"}")
	_, err := bodyToken(t).Verify(r)
	require.NoError(t, err)
}

// Whether Axis says that its form is one is not known.
func TestBodyTokenInAFormWithoutItsType_R42(t *testing.T) {
	for _, header := range [][]string{nil, {"Content-Type", "text/plain"}, {"Content-Type", "!"}} {
		r := request(header...)
		r.Body = []byte("username=jl&auth_secret=s3cret-axis")
		_, err := bodyToken(t).Verify(r)
		require.NoError(t, err, header)
	}
}

func TestBodyTokenIsReadStrictly(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for body, test := range map[string]struct{ contentType, want string }{
		"":                                       {"application/json", "the body is empty"},
		"{":                                      {"application/json", "not one JSON object"},
		"[]":                                     {"application/json", "not one JSON object"},
		`[{"auth_secret":"s3cret-axis"}]`:        {"application/json", "not one JSON object"},
		`"s3cret-axis"`:                          {"application/json", "not one JSON object"},
		`{"auth_secret":"s3cret-axis"`:           {"application/json", "not one JSON object"},
		`{"auth_secret":"s3cret-axis"}{}`:        {"application/json", "not one JSON object"},
		`{"auth_secret":"s3cret-axis"} x`:        {"application/json", "not one JSON object"},
		`{"auth_secret":"s3cret-axis","x":}`:     {"application/json", "not one JSON object"},
		`{}`:                                     {"application/json", "no auth_secret in the body"},
		`{"AUTH_SECRET":"s3cret-axis"}`:          {"application/json", "no auth_secret in the body"},
		`{"data":{"auth_secret":"s3cret-axis"}}`: {"application/json", "no auth_secret in the body"},
		`{"auth_secret":null}`:                   {"application/json", "is not a text"},
		`{"auth_secret":["s3cret-axis"]}`:        {"application/json", "is not a text"},
		`{"auth_secret":7}`:                      {"application/json", "is not a text"},
		`{"auth_secret":"x"}`:                    {"application/json", "does not match"},
		`{"auth_secret":"s3cret-axis","auth_secret":"s3cret-axis"}`:      {"application/json", "is 2 times"},
		`{"auth_secret":"s3cret-axis","auth\u005fsecret":"s3cret-axis"}`: {"application/json", "is 2 times"},
		"auth_secret=s3cret-axis":                                        {"application/json", "not one JSON object"},
		"auth_secret=s3cret-axis&x=%zz":                                  {form, "cannot be read as a form"},
		"auth_secret=s3cret-axis;x=1":                                    {form, "cannot be read as a form"},
		"auth_secret=x&auth_secret=s3cret-axis":                          {form, "is 2 times"},
		"x=1":                                                            {form, "no auth_secret"},
		`{"x":1}`:                                                        {form, "no auth_secret"},
	} {
		r := request("Content-Type", test.contentType)
		r.Body = []byte(body)
		_, err := bodyToken(t).Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, body)
		require.ErrorContains(t, err, test.want, body)
		require.NotContains(t, err.Error(), "s3cret")
	}
	_, err := signature.NewBodyToken([]string{"s"}, "")
	require.Error(t, err)
}

func TestPathTokenSaysWhatToDo_R199(t *testing.T) {
	v, err := signature.NewPathToken([]string{"s3cret"})
	require.NoError(t, err)
	_, err = v.Verify(request())
	require.ErrorContains(t, err, "no token in the URL's path")
}
