package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

const body = `{"event":"course.completion"}`

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func request(pairs ...string) lms.Request {
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		header.Add(pairs[i], pairs[i+1])
	}
	return lms.Request{Method: http.MethodPost, Header: header, Body: []byte(body)}
}

func verifier(t *testing.T, secrets ...string) *signature.HMAC {
	t.Helper()
	v, err := signature.NewHMAC(secrets, "X-Hub-Signature-256", "absorb-signature")
	require.NoError(t, err)
	return v
}

// The vector of GitHub's documentation, "Validating webhook deliveries": an independent witness.
func TestKnownVector_R29(t *testing.T) {
	v, err := signature.NewHMAC([]string{"It's a Secret to Everybody"}, "X-Hub-Signature-256")
	require.NoError(t, err)
	r := request("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	r.Body = []byte("Hello, World!")
	_, err = v.Verify(r)
	require.NoError(t, err)
}

func TestAccepts_R24_R31(t *testing.T) {
	good := sign("new", body)
	for name, r := range map[string]lms.Request{
		"bare":               request("absorb-signature", good),
		"prefix":             request("X-Hub-Signature-256", "sha256="+good),
		"upper case":         request("X-Hub-Signature-256", strings.ToUpper(good)),
		"header in any case": request("ABSORB-SIGNATURE", good),
		"two headers":        request("absorb-signature", good, "X-Hub-Signature-256", "sha256="+good),
		"one header twice":   request("absorb-signature", good, "absorb-signature", good),
	} {
		t.Run(name, func(t *testing.T) {
			index, err := verifier(t, "new").Verify(r)
			require.NoError(t, err)
			require.Zero(t, index)
		})
	}
}

func TestRefuses_R26_R199(t *testing.T) {
	good := sign("new", body)
	for name, test := range map[string]struct {
		request lms.Request
		want    string
	}{
		"no header":              {request(), "no signature; send it in X-Hub-Signature-256 or absorb-signature"},
		"another header":         {request("X-Signature", good), "no signature"},
		"empty":                  {request("absorb-signature", ""), "is empty"},
		"only the prefix":        {request("absorb-signature", "sha256="), "is empty"},
		"short":                  {request("absorb-signature", good[:62]), "has 62 characters"},
		"long":                   {request("absorb-signature", good+"00"), "has 66 characters"},
		"not hexadecimal":        {request("absorb-signature", "zz"+good[2:]), "is not hexadecimal"},
		"another algorithm":      {request("absorb-signature", "sha1="+good[:40]), "another algorithm"},
		"sha256 named as sha1":   {request("absorb-signature", "sha1="+good), "another algorithm"},
		"prefix twice":           {request("absorb-signature", "sha256=sha256="+good), "another algorithm"},
		"base64":                 {request("absorb-signature", "uNXm1Gxv1Hn0Jq0kSg0oGkXG0i3oGkXG0i3oGkXG0i0="), "not hexadecimal"},
		"two values, folded":     {request("absorb-signature", good+", "+good), "has 130 characters"},
		"another secret":         {request("absorb-signature", sign("old", body)), "does not match"},
		"another body":           {request("absorb-signature", sign("new", body+" ")), "does not match"},
		"second header wrong":    {request("absorb-signature", good, "X-Hub-Signature-256", sign("x", body)), "does not match"},
		"second header garbled":  {request("absorb-signature", good, "X-Hub-Signature-256", "x"), "has 1 characters"},
		"second value wrong":     {request("absorb-signature", good, "absorb-signature", sign("x", body)), "does not match"},
		"first value wrong":      {request("absorb-signature", sign("x", body), "absorb-signature", good), "does not match"},
		"a flood of good values": {request(repeat("absorb-signature", good, 9)...), "more than 8 signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verifier(t, "new").Verify(test.request)
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), good, "the expected value is never shown")
		})
	}
}

func repeat(header, value string, times int) (pairs []string) {
	for range times {
		pairs = append(pairs, header, value)
	}
	return pairs
}

func TestRotationSaysWhichSecretMatched_R164(t *testing.T) {
	v := verifier(t, "new", "old", "older")
	for index, secret := range []string{"new", "old", "older"} {
		got, err := v.Verify(request("absorb-signature", sign(secret, body)))
		require.NoError(t, err)
		require.Equal(t, index, got)
	}
	got, err := v.Verify(request("absorb-signature", sign("new", body), "X-Hub-Signature-256", sign("older", body)))
	require.NoError(t, err)
	require.Equal(t, 2, got, "the oldest one used is the one to tell about")

	got, err = verifier(t, "same", "same").Verify(request("absorb-signature", sign("same", body)))
	require.NoError(t, err)
	require.Zero(t, got)
}

func TestPinnedHeaderIsTheOnlyOne(t *testing.T) {
	v, err := signature.NewHMAC([]string{"new"}, "absorb-signature")
	require.NoError(t, err)
	_, err = v.Verify(request("X-Hub-Signature-256", sign("new", body)))
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	_, err = v.Verify(request("absorb-signature", sign("new", body), "X-Hub-Signature-256", "of a proxy"))
	require.NoError(t, err)
}

func TestEmptyBodyIsVerifiedAsSuch_R189(t *testing.T) {
	r := request("absorb-signature", sign("new", ""))
	r.Method, r.Body = http.MethodGet, nil
	_, err := verifier(t, "new").Verify(r)
	require.NoError(t, err)
}

func TestNewHMACRefusesWhatWouldAcceptAnybody(t *testing.T) {
	for _, secrets := range [][]string{nil, {}, {""}, {"new", ""}} {
		_, err := signature.NewHMAC(secrets, "absorb-signature")
		require.Error(t, err)
	}
	for _, headers := range [][]string{nil, {""}} {
		_, err := signature.NewHMAC([]string{"new"}, headers...)
		require.Error(t, err)
	}
}

func ExampleNewHMAC() {
	v, err := signature.NewHMAC([]string{"new secret", "old secret"}, "X-Hub-Signature-256")
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set("X-Hub-Signature-256", "sha256="+sign("old secret", body))
	fmt.Println(v.Verify(lms.Request{Method: http.MethodPost, Header: header, Body: []byte(body)}))
	// Output: 1 <nil>
}
