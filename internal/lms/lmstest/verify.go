package lmstest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

func (s Spec) verify(t *testing.T) {
	body := s.Valid[0].Body
	sole := s.verifier(t, s.Secret)

	t.Run("recorded deliveries", func(t *testing.T) {
		for _, vector := range s.recorded() {
			_, err := sole.Verify(post(vector.Header, vector.Body))
			require.NoError(t, err, vector.Name)
		}
	})
	t.Run("own signature", func(t *testing.T) {
		index, err := sole.Verify(post(s.Sign(body, s.Secret), body))
		require.NoError(t, err)
		require.Zero(t, index)
	})
	t.Run("connection test R189", func(t *testing.T) {
		_, err := sole.Verify(lms.Request{Method: http.MethodGet, Header: s.Sign(nil, s.Secret)})
		require.NoError(t, err)
		s.refused(t, sole, lms.Request{Method: http.MethodGet, Header: s.Sign(nil, s.Secret+"x")})
	})
	t.Run("wrong secret R199", func(t *testing.T) {
		for _, wrong := range []string{s.Secret + "x", s.Secret[1:], strings.ToUpper(s.Secret), " " + s.Secret, "x"} {
			s.refused(t, sole, post(s.Sign(body, wrong), body))
		}
	})
	t.Run("missing header", func(t *testing.T) {
		s.refused(t, sole, post(nil, body))
		s.refused(t, sole, post(http.Header{s.key(): nil}, body))
	})
	t.Run("malformed header", func(t *testing.T) {
		good := s.Sign(body, s.Secret).Get(s.CredentialHeader)
		for _, value := range []string{
			"", " ", "\x00", "x", "sha256", "sha256=", "sha1=" + good, "md5=" + good, "sha256==" + good, good + "x", good[1:],
			good[:len(good)/2], good + good, good + "," + good, strings.Repeat("é", 64), strings.Repeat("f", 1<<16), "null", "Bearer",
		} {
			s.refused(t, sole, post(http.Header{s.key(): {value}}, body))
			s.refused(t, sole, post(http.Header{s.key(): {good, value}}, body))
			s.refused(t, sole, post(http.Header{s.key(): {value, good}}, body))
		}
	})
	t.Run("rotation R164", func(t *testing.T) {
		both := s.verifier(t, "brand-new-secret", s.Secret)
		index, err := both.Verify(post(s.Sign(body, "brand-new-secret"), body))
		require.NoError(t, err)
		require.Equal(t, 0, index)
		index, err = both.Verify(post(s.Sign(body, s.Secret), body))
		require.NoError(t, err)
		require.Equal(t, 1, index)
		s.refused(t, s.verifier(t, "brand-new-secret"), post(s.Sign(body, s.Secret), body))
	})
	t.Run("no empty secret", func(t *testing.T) {
		for _, secrets := range [][]string{nil, {""}, {s.Secret, ""}} {
			_, err := s.Verifier(secrets...)
			require.Error(t, err)
		}
	})
	if s.SignsBody {
		t.Run("tampered body R24", func(t *testing.T) { s.tampered(t, sole) })
	}
}

// tampered changes every byte of every valid body, and its length.
func (s Spec) tampered(t *testing.T, v lms.Verifier) {
	for _, vector := range s.Valid {
		header := s.Sign(vector.Body, s.Secret)
		for at := range vector.Body {
			body := slices.Clone(vector.Body)
			body[at] ^= 1
			s.refused(t, v, post(header, body))
		}
		s.refused(t, v, post(header, nil))
		s.refused(t, v, post(header, vector.Body[:len(vector.Body)-1]))
		s.refused(t, v, post(header, append(slices.Clone(vector.Body), '\n')))
	}
}

func (s Spec) refused(t *testing.T, v lms.Verifier, r lms.Request) {
	t.Helper()
	_, err := v.Verify(r)
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
	require.NotContains(t, err.Error(), s.Secret, "a refusal never shows the secret (law 7)")
}

func (s Spec) verifier(t *testing.T, secrets ...string) lms.Verifier {
	t.Helper()
	v, err := s.Verifier(secrets...)
	require.NoError(t, err)
	return v
}

func (s Spec) key() string { return http.CanonicalHeaderKey(s.CredentialHeader) }

// recorded are all deliveries that came with their headers.
func (s Spec) recorded() (all []Recorded) {
	for _, vector := range s.Valid {
		all = append(all, vector.Recorded)
	}
	for _, vector := range s.Ignored {
		all = append(all, vector.Recorded)
	}
	for _, vector := range s.Problems {
		all = append(all, vector.Recorded)
	}
	return slices.DeleteFunc(all, func(r Recorded) bool { return r.Header == nil })
}

func post(header http.Header, body []byte) lms.Request {
	return lms.Request{Method: http.MethodPost, Header: header, Body: body}
}
