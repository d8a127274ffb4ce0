package lmstest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

func (s Spec) verify(t *testing.T) {
	document := s.document(s.Valid[0].Recorded)
	sole := s.verifier(t, s.Secret)

	t.Run("recorded deliveries", func(t *testing.T) {
		for _, vector := range s.recorded() {
			_, err := sole.Verify(vector.Request())
			require.NoError(t, err, vector.Name)
		}
	})
	t.Run("own signature", func(t *testing.T) {
		for range 2 { // a replay is the fingerprint's to recognise (R197), so it is verified like the first
			index, err := sole.Verify(s.send(document, s.Secret))
			require.NoError(t, err)
			require.Zero(t, index)
		}
	})
	t.Run("wrong secret R199", func(t *testing.T) {
		for _, wrong := range []string{s.Secret + "x", s.Secret[1:], strings.ToUpper(s.Secret), " " + s.Secret, "x"} {
			s.refused(t, sole, s.send(document, wrong))
		}
	})
	t.Run("nothing at all", func(t *testing.T) {
		s.refused(t, sole, lms.Request{Method: http.MethodPost})
		if s.Open == nil && s.Send == nil { // else the body itself may be or hold the credential
			s.refused(t, sole, lms.Request{Method: http.MethodPost, Body: document})
		}
	})
	t.Run("deliveries of others", func(t *testing.T) {
		for _, other := range s.Refused {
			s.refused(t, sole, other.Request())
		}
	})
	if s.CredentialHeader != "" {
		t.Run("connection test R189", func(t *testing.T) {
			_, err := sole.Verify(lms.Request{Method: http.MethodGet, Header: s.Sign(nil, s.Secret)})
			require.NoError(t, err)
			s.refused(t, sole, lms.Request{Method: http.MethodGet, Header: s.Sign(nil, s.Secret+"x")})
		})
		t.Run("missing header", func(t *testing.T) {
			s.refused(t, sole, s.without(document, s.CredentialHeader, nil))
			s.refused(t, sole, lms.Request{Method: http.MethodPost, Header: http.Header{s.key(): nil}, Body: document})
		})
		t.Run("malformed header", func(t *testing.T) { s.malformed(t, sole, document) })
	}
	t.Run("rotation R164", func(t *testing.T) { s.rotation(t, document) })
	if !s.KeysAreTheIssuers {
		t.Run("no empty secret", func(t *testing.T) {
			for _, secrets := range [][]string{nil, {""}, {s.Secret, ""}} {
				_, err := s.Verifier(secrets...)
				require.Error(t, err)
			}
		})
	}
	if s.SignsBody {
		t.Run("tampered body R24", func(t *testing.T) { s.tampered(t, sole) })
	}
	if s.SignsBody && s.CredentialHeader != "" {
		t.Run("wrong algorithm", func(t *testing.T) { s.wrongAlgorithm(t, sole) })
	}
}

// rotation holds that an old secret is good while it is active, and that its use can be seen (R208).
func (s Spec) rotation(t *testing.T, document []byte) {
	const fresh = "brand-new-secret"
	both := s.verifier(t, fresh, s.Secret)
	index, err := both.Verify(s.send(document, fresh))
	require.NoError(t, err)
	require.Zero(t, index)
	index, err = both.Verify(s.send(document, s.Secret))
	require.NoError(t, err)
	if s.KeysAreTheIssuers {
		require.Zero(t, index)
	} else {
		require.Equal(t, 1, index)
	}
	s.refused(t, s.verifier(t, fresh), s.send(document, s.Secret))
}

func (s Spec) malformed(t *testing.T, v lms.Verifier, document []byte) {
	good := s.Sign(document, s.Secret).Get(s.CredentialHeader)
	for _, value := range []string{
		"", " ", "\x00", "x", "sha256", "sha256=", "sha1=" + good, "md5=" + good, "sha256==" + good, good + "x", good[1:],
		good[:len(good)/2], good + good, good + "," + good, strings.Repeat("é", 64), strings.Repeat("f", 1<<16), "null", "Bearer",
	} {
		s.refused(t, v, s.without(document, s.CredentialHeader, []string{value}))
		s.refused(t, v, s.without(document, s.CredentialHeader, []string{good, value}))
		s.refused(t, v, s.without(document, s.CredentialHeader, []string{value, good}))
	}
}

// without is a good delivery but for one header, which has the values given.
func (s Spec) without(document []byte, header string, values []string) lms.Request {
	r := s.send(document, s.Secret)
	r.Header.Del(header)
	if values != nil {
		r.Header[http.CanonicalHeaderKey(header)] = values
	}
	return r
}

// tampered changes every byte of every valid body, and its length.
func (s Spec) tampered(t *testing.T, v lms.Verifier) {
	for _, vector := range s.Valid {
		good := s.send(s.document(vector.Recorded), s.Secret)
		change := func(body []byte) {
			r := good
			r.Body = body
			s.refused(t, v, r)
		}
		for at := range good.Body {
			body := slices.Clone(good.Body)
			body[at] ^= 1
			if s.Open != nil && at == len(good.Body)-1 {
				continue // the last character of base64 may have bits that say nothing
			}
			change(body)
		}
		change(nil)
		change(good.Body[:len(good.Body)-1])
		if s.Open == nil { // white space around a token is not a part of it
			change(append(slices.Clone(good.Body), '\n'))
		}
	}
}

func (s Spec) refused(t *testing.T, v lms.Verifier, r lms.Request) {
	t.Helper()
	_, err := v.Verify(r)
	if s.KeysAreTheIssuers && errors.Is(err, lms.ErrUnverifiable) {
		return // a key that nobody knows may be one the issuer has begun to use just now
	}
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

// send is the request with which a sender that holds secret sends document.
func (s Spec) send(document []byte, secret string) lms.Request {
	if s.Send != nil {
		return s.Send(document, secret)
	}
	return lms.Request{Method: http.MethodPost, Header: s.Sign(document, secret), Body: document}
}

// recorded are all deliveries that came with what a verifier looks at.
func (s Spec) recorded() (all []Recorded) {
	for _, vector := range s.Valid {
		all = append(all, vector.Recorded)
	}
	for _, vector := range s.Ignored {
		all = append(all, vector.Recorded)
	}
	for _, vector := range s.Enrolled {
		all = append(all, vector.Recorded)
	}
	for _, vector := range s.Problems {
		all = append(all, vector.Recorded)
	}
	return slices.DeleteFunc(all, func(r Recorded) bool { return !r.isSigned() })
}
