package learnupon_test

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/learnupon"
	"countersign/internal/lms/lmstest"
)

const secret = "s3cret-learnupon"

// signed puts the signature of the body without %s, made with secret, where %s stands.
func signed(withMember, without, secret string) []byte {
	sum := md5.Sum([]byte(without + ":" + secret))
	return []byte(strings.Replace(withMember, "%s", hex.EncodeToString(sum[:]), 1))
}

func verify(t *testing.T, body []byte, secrets ...string) (int, error) {
	t.Helper()
	v, err := learnupon.NewBodySignature(secrets)
	require.NoError(t, err)
	return v.Verify(lms.Request{Method: http.MethodPost, Body: body})
}

func TestBodySignatureOfARecordedDelivery(t *testing.T) {
	body := lmstest.Sample(t, "testdata", "course-completion-v1").Body
	index, err := verify(t, body, secret)
	require.NoError(t, err)
	require.Zero(t, index)
}

func TestBodySignatureWhereverTheMemberStands(t *testing.T) {
	for name, test := range map[string]struct{ with, without string }{
		"last":               {`{"header":{"attempt":1,"signature":"%s"},"a":1.0}`, `{"header":{"attempt":1},"a":1.0}`},
		"first":              {`{"header":{"signature":"%s","attempt":1},"a":1.0}`, `{"header":{"attempt":1},"a":1.0}`},
		"between":            {`{"header":{"a":1,"signature":"%s","b":2}}`, `{"header":{"a":1,"b":2}}`},
		"alone":              {`{"header":{"signature":"%s"}}`, `{"header":{}}`},
		"header last":        {`{"a":"\u00e9 }","header":{"b":[{}],"signature":"%s"}}`, `{"a":"\u00e9 }","header":{"b":[{}]}}`},
		"with spaces":        {`{"header": {"a": 1, "signature": "%s" , "b": 2}}`, `{"header": {"a": 1 , "b": 2}}`},
		"others of its name": {`{"signature":1,"user":{"signature":"x"},"header":{"signature":"%s"}}`, `{"signature":1,"user":{"signature":"x"},"header":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verify(t, signed(test.with, test.without, secret), secret)
			require.NoError(t, err)
			_, err = verify(t, signed(test.with, test.without+" ", secret), secret)
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
		})
	}
}

func TestBodySignatureRefuses_R24_R199(t *testing.T) {
	good := string(signed(`{"header":{"a":1,"signature":"%s"}}`, `{"header":{"a":1}}`, secret))
	digits := strings.Split(good, `"`)[7]
	for name, test := range map[string]struct{ body, want string }{
		"no body":             {``, "not a JSON object"},
		"no JSON":             {`<html>`, "not a JSON object"},
		"cut off":             {good[:len(good)-1], "not a JSON object"},
		"more behind it":      {good + `{}`, "not a JSON object"},
		"an array":            {`[]`, "not a JSON object"},
		"header is an array":  {`{"header":[]}`, "not a JSON object"},
		"signature is null":   {strings.Replace(good, `"`+digits+`"`, `null`, 1), "not 32 hexadecimal digits"},
		"signature a number":  {strings.Replace(good, `"`+digits+`"`, `7`, 1), "not a JSON object"},
		"no signature":        {`{"header":{"a":1}}`, "no member header.signature"},
		"signature elsewhere": {`{"header":{},"signature":"` + digits + `"}`, "no member header.signature"},
		"two signatures":      {strings.Replace(good, `"a":1`, `"signature":"`+digits+`"`, 1), "header.signature twice"},
		"two headers":         {strings.TrimSuffix(good, "}") + `,"header":{"signature":"` + digits + `"}}`, "header.signature twice"},
		"one of two headers":  {strings.TrimSuffix(good, "}") + `,"header":{}}`, "header.signature twice"},
		"short":               {strings.Replace(good, digits, digits[:30], 1), "not 32 hexadecimal digits"},
		"not hexadecimal":     {strings.Replace(good, digits, "zz"+digits[2:], 1), "not 32 hexadecimal digits"},
		"empty":               {strings.Replace(good, digits, "", 1), "not 32 hexadecimal digits"},
		"another secret":      {string(signed(`{"header":{"a":1,"signature":"%s"}}`, `{"header":{"a":1}}`, "x")), "does not match"},
		"deep":                {`{"header":` + strings.Repeat("[", 100_000), "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verify(t, []byte(test.body), secret)
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), digits)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

// TestBodySignatureCostsWhatTheBodyHolds: nothing is known of the sender yet, so a large body must not make us
// copy it once for each of its members.
func TestBodySignatureCostsWhatTheBodyHolds(t *testing.T) {
	const size = 256 << 10
	filled := func(begin, member, end string) []byte {
		return []byte(begin + strings.Repeat(member, size/len(member)) + end)
	}
	v, err := learnupon.NewBodySignature([]string{secret, "old"})
	require.NoError(t, err)
	for name, body := range map[string][]byte{
		"signatures":            filled(`{"header":{"a":1`, `,"signature":""`, `}}`),
		"signatures of headers": filled(`{"a":1`, `,"header":{"signature":""}`, `}`),
		"headers":               filled(`{"a":1`, `,"header":{}`, `}`),
		"other members":         filled(`{"header":{"signature":""`, `,"member":"x"`, `}}`),
	} {
		r := lms.Request{Method: http.MethodPost, Body: body}
		allocated := lmstest.Allocated(func() { _, err = v.Verify(r) })
		require.ErrorIs(t, err, lms.ErrUnauthenticated, name)
		require.Less(t, allocated, uint64(40*len(body)), name)
	}
}

func TestBodySignatureCoversEveryByte_R24(t *testing.T) {
	body := lmstest.Sample(t, "testdata", "course-completion-v1").Body
	for at := range body {
		tampered := slices.Clone(body)
		tampered[at] ^= 1
		_, err := verify(t, tampered, secret)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, "byte %d", at)
	}
}

func TestBodySignatureRotation_R164(t *testing.T) {
	body := signed(`{"header":{"signature":"%s"}}`, `{"header":{}}`, "old")
	index, err := verify(t, body, "new", "old")
	require.NoError(t, err)
	require.Equal(t, 1, index)
	index, err = verify(t, body, "old", "old")
	require.NoError(t, err)
	require.Zero(t, index)
	_, err = verify(t, body, "new")
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}

func TestBodySignatureNeedsASecret(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {"new", ""}} {
		_, err := learnupon.NewBodySignature(secrets)
		require.Error(t, err)
	}
}

func FuzzBodySignature(f *testing.F) {
	f.Add(signed(`{"header":{"a":1,"signature":"%s"}}`, `{"header":{"a":1}}`, secret))
	f.Add([]byte(`{"header":{"signature":"`))
	v, err := learnupon.NewBodySignature([]string{"a secret that no seed is signed with"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := v.Verify(lms.Request{Method: http.MethodPost, Body: body})
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
	})
}
