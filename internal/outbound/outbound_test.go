package outbound_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

func TestRoot_R3(t *testing.T) {
	for base, want := range map[string]string{
		"https://lms.example.test":           "https://lms.example.test",
		"https://lms.example.test:8443/sub/": "https://lms.example.test:8443/sub",
		"http://127.0.0.1:8080":              "http://127.0.0.1:8080",
		"http://[::1]/":                      "http://[::1]",
		"http://localhost":                   "http://localhost",
	} {
		root, err := outbound.Root(base, false)
		require.NoError(t, err, base)
		require.Equal(t, want, root.String())
	}
	for base, mistake := range map[string]string{
		"":                                  "must be https://host",
		"lms.example.test":                  "must be https://host",
		"http://lms.example.test":           "plain http is for loopback addresses",
		"ftp://lms.example.test":            "must begin with https://",
		"https://u:s3cret@lms.example.test": "must not hold a user",
		"https://lms.example.test/?a=b":     "must not hold a user, a query",
		"https://lms.example.test/%zz":      "is not a URL",
	} {
		_, err := outbound.Root(base, false)
		require.ErrorContains(t, err, mistake, base)
		require.NotContains(t, err.Error(), "s3cret")
	}
	_, err := outbound.Root("http://lms.example.test", true)
	require.NoError(t, err)
}

func TestRetryAfter_R129(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, " 7 ": 7 * time.Second, "99999999": 24 * time.Hour,
		"Wed, 08 Apr 2026 14:31:00 GMT": time.Minute, "Wed, 08 Apr 2026 14:29:00 GMT": 0,
		"": 0, "-1": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0,
	} {
		require.Equal(t, want, outbound.RetryAfter(value, now), value)
	}
}

func TestSilenceHasWordsOfItsOwn(t *testing.T) {
	const personal = "https://lms.example.test/users/jane.roe"
	for want, err := range map[string]error{
		"timeout":                 context.DeadlineExceeded,
		"connection refused":      syscall.ECONNREFUSED,
		"connection closed":       io.ErrUnexpectedEOF,
		"host not found":          &net.DNSError{Name: "lms.example.test", IsNotFound: true},
		"certificate not trusted": &tls.CertificateVerificationError{Err: errors.New("unknown authority")},
		"no answer":               errors.New("something about jane.roe"),
	} {
		got := outbound.Unanswered(t.Context(), "look up user", "/users/{}", &url.Error{Op: "Get", URL: personal, Err: err})
		var failure *training.Failure
		require.ErrorAs(t, got, &failure)
		require.Equal(t, "unreachable: look up user /users/{}: "+want, failure.Error())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, outbound.Unanswered(ctx, "look up user", "/users/{}", io.EOF), context.Canceled)
}

func TestAnswerIsJSONOrSaysWhyNot(t *testing.T) {
	read := func(media, body string) outbound.Answer {
		return outbound.Read(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(strings.NewReader(body))}, 64)
	}
	for _, media := range []string{"application/json", "application/json; charset=UTF-8", "application/vnd.api+json"} {
		body, err := read(media, `{"a":"é"}`).JSON()
		require.NoError(t, err, media)
		require.JSONEq(t, `{"a":"é"}`, string(body))
	}
	for want, answer := range map[string]outbound.Answer{
		"answer is not application/json":                        read("text/html", "<html>"),
		"answer is not UTF-8":                                   read("application/json", "\"\xff\""),
		"answer is larger than 64 bytes, the most that is read": read("application/json", strings.Repeat("x", 65)),
	} {
		_, err := answer.JSON()
		require.EqualError(t, err, want)
	}
	_, err := read("application/json; charset=iso-8859-1", `{}`).JSON()
	require.EqualError(t, err, "answer is not UTF-8")
	cut := read("application/json", "{")
	cut.Broken = io.ErrUnexpectedEOF
	_, err = cut.JSON()
	require.EqualError(t, err, "answer is cut off")
}
