package notify_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/hooksink"
	"countersign/internal/training"
)

const (
	secretPath = "T0SECRET/B0SECRET/XSECRET"
	hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3" // 0123456789abcdef01234567
)

// at is the clock of the sink and of the webhook's signatures.
var at = func() time.Time { return time.Date(2026, 3, 14, 14, 30, 5, 0, time.UTC) }

// hooks starts the other side and gives its base address.
func hooks(t testing.TB) (*hooksink.Sink, string) {
	t.Helper()
	sink, err := hooksink.New(hooksink.Options{Secret: hookSecret, Now: at})
	require.NoError(t, err)
	server := httptest.NewServer(sink.Handler())
	t.Cleanup(func() { sink.Close(); server.Close() })
	return sink, server.URL
}

func slack(t testing.TB, base string) *notify.Slack {
	t.Helper()
	s, err := notify.NewSlack(notify.HookConfig{URL: base + "/services/" + secretPath})
	require.NoError(t, err)
	return s
}

func teams(t testing.TB, base string) *notify.Teams {
	t.Helper()
	s, err := notify.NewTeams(notify.HookConfig{URL: base + "/workflows/" + secretPath + "?api-version=1&sig=SECRETSIG"})
	require.NoError(t, err)
	return s
}

func webhook(t testing.TB, base string) *notify.Webhook {
	t.Helper()
	s, err := notify.NewWebhook(notify.WebhookConfig{
		HookConfig: notify.HookConfig{URL: base + "/hook/" + secretPath}, Secrets: []string{hookSecret}, Now: at,
	})
	require.NoError(t, err)
	return s
}

func every(t testing.TB, base string) map[fault.Endpoint]notify.Channel {
	t.Helper()
	return map[fault.Endpoint]notify.Channel{
		hooksink.EndpointSlack: slack(t, base), hooksink.EndpointTeams: teams(t, base), hooksink.EndpointWebhook: webhook(t, base),
	}
}

// What people and receivers get, as it is posted; regenerate with -update and read it.
func TestHooksSayWhoWhichCourseWhatHappenedAndWhatToDo_R133(t *testing.T) {
	named := single()
	named.Personal = notify.PersonalNames
	over := digest()
	over.Kind = notify.KindClear
	for name, n := range map[string]notify.Notice{"single": named, "digest": digest(), "clear": over} {
		sink, base := hooks(t)
		for endpoint, channel := range every(t, base) {
			require.NoError(t, channel.Send(t.Context(), n))
			messages := sink.Messages(endpoint)
			require.Len(t, messages, 1)
			require.Empty(t, messages[0].Problem)
			require.True(t, strings.HasSuffix(messages[0].Path, secretPath))
			var out bytes.Buffer
			require.NoError(t, json.Indent(&out, messages[0].Body, "", "  "))
			golden(t, string(endpoint)+"-"+name+".json", out.String()+"\n")
		}
	}
}

func TestHookErrorsSayWhatToDoAndNotWhere_R130_R207(t *testing.T) {
	status := func(code int) fault.Fault { return fault.Status(code, 1) }
	for name, tc := range map[string]struct {
		fault     fault.Fault
		want      string
		permanent bool
		wait      time.Duration
	}{
		"busy":         {fault.RateLimited("30", 1), "429 Too Many Requests", false, 30 * time.Second},
		"busy till":    {fault.RateLimited("Fri, 31 Dec 9999 23:59:59 GMT", 1), "429 Too Many Requests", false, 10 * time.Minute},
		"busy, no say": {fault.RateLimited("soon", 1), "429 Too Many Requests", false, 0},
		"broken":       {status(500), "500 Internal Server Error", false, 0},
		"away":         {status(503), "503 Service Unavailable", false, 0},
		"malformed":    {status(400), "400 Bad Request", true, 0},
		"forbidden":    {status(403), "403 Forbidden", true, 0},
		"deleted":      {status(404), "404 Not Found", true, 0},
		"gone":         {status(410), "410 Gone", true, 0},
		"moved":        {status(302), "302 Found, and redirects are not followed", true, 0},
		"dropped":      {fault.DropBefore(1), "no answer", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sink, base := hooks(t)
			for endpoint, channel := range every(t, base) {
				sink.Fault(endpoint, tc.fault)
				err := channel.Send(t.Context(), single())
				var refused *notify.ChannelError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, string(endpoint), refused.Channel)
				require.ErrorContains(t, err, "send by "+string(endpoint)+": "+tc.want)
				require.Equal(t, tc.permanent, refused.Permanent)
				require.Equal(t, tc.wait, refused.RetryAfter)
				require.NotContains(t, err.Error(), "SECRET")
				require.Empty(t, sink.Messages(endpoint))

				require.NoError(t, channel.Send(t.Context(), single()), "the next attempt finds it mended")
			}
			require.Zero(t, sink.Calls(hooksink.EndpointUnknown), "no redirect is followed")
		})
	}
}

func TestSlackSaysWhy(t *testing.T) {
	sink, base := hooks(t)
	for code, word := range map[int]string{400: "invalid_payload", 403: "action_prohibited", 404: "no_service", 410: "channel_is_archived", 500: "rollup_error"} {
		sink.Fault(hooksink.EndpointSlack, fault.Status(code, 1))
		require.ErrorContains(t, slack(t, base).Send(t.Context(), single()), ", "+word)
	}
}

func TestHookThatHangsOrFloodsIsCutOff(t *testing.T) {
	sink, base := hooks(t)
	hanging, err := notify.NewSlack(notify.HookConfig{URL: base + "/services/" + secretPath, Timeout: 50 * time.Millisecond})
	require.NoError(t, err)
	sink.Fault(hooksink.EndpointSlack, fault.Slow(-1, 1))
	err = hanging.Send(t.Context(), single())
	require.EqualError(t, err, "send by slack: timed out")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = slack(t, base).Send(ctx, single())
	require.ErrorIs(t, err, context.Canceled)
	require.NotContains(t, err.Error(), "SECRET")

	sink.Fault(hooksink.EndpointSlack, fault.Huge(0, 1))
	require.NoError(t, slack(t, base).Send(t.Context(), single()), "64 MiB of answer are not read")
}

// Something else than the webhook answers: a login page, a proxy, a retired connector.
func TestAnswerOfSomethingElseIsNoSuccess(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
	t.Cleanup(server.Close)
	answer = "\n<!doctype html><title>Log in</title>"
	require.EqualError(t, slack(t, server.URL).Send(t.Context(), single()), "send by slack: answered with a page, not with ok")
	require.EqualError(t, teams(t, server.URL).Send(t.Context(), single()), "send by teams: answered with a page")
	answer = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x"
	require.EqualError(t, teams(t, server.URL).Send(t.Context(), single()), "send by teams: 200, but the message was not delivered")
}

func TestUnreachableHookIsNamedByNothing(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for base, want := range map[string]string{
		server.URL: "send by slack: its certificate is not accepted",
		gone.URL:   "send by slack: connection refused",
	} {
		require.EqualError(t, slack(t, base).Send(t.Context(), single()), want)
	}
	transport, ok := server.Client().Transport.(*http.Transport)
	require.True(t, ok)
	own, err := notify.NewSlack(notify.HookConfig{URL: server.URL, TLS: &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs}})
	require.NoError(t, err)
	require.NoError(t, own.Send(t.Context(), single()), "with a private authority")
}

func TestHookSettingsAreCheckedAndNotShown_R207(t *testing.T) {
	for address, want := range map[string]string{
		"":                               "must have a host",
		"SECRET":                         "must have a host",
		"https://u:SECRET@hooks.example": "neither user nor fragment",
		"https://hooks.example/#SECRET":  "neither user nor fragment",
		"http://hooks.example/SECRET":    "must begin with https://",
		"ftp://127.0.0.1/SECRET":         "must begin with https://",
		"https://hooks.example/%SECRET":  "is not a URL",
	} {
		_, err := notify.NewSlack(notify.HookConfig{URL: address})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "SECRET")
		_, err = notify.NewTeams(notify.HookConfig{URL: address})
		require.ErrorContains(t, err, want)
	}
	for want, secrets := range map[string][]string{
		"no secrets": nil, "secret 1 is not base64": {"SECRET!"}, "secret 2 is not base64 of at least 24 bytes": {hookSecret, "c2hvcnQ="},
	} {
		_, err := notify.NewWebhook(notify.WebhookConfig{HookConfig: notify.HookConfig{URL: "https://h.example"}, Secrets: secrets})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "SECRET")
	}
}

// Whatever an LMS calls a course and a QMS answers: no limit is broken, nothing becomes a link, a
// mention or another field.
func FuzzNothingFromOutsideBecomesMarkup(f *testing.F) {
	sink, base := hooks(f)
	channels := every(f, base)
	f.Add("<!channel> & <https://evil.example|click> *b* [x](https://evil.example)", "503", 3)
	f.Add(strings.Repeat("&", 5000), strings.Repeat("\U0001f600", 5000), 60)
	f.Add("\xff\u202e\x00\r\n{{DATE(2026-01-01T00:00:00Z)}}", "\"},{\"", 27)
	f.Fuzz(func(t *testing.T, course, detail string, count int) {
		n := single()
		n.Personal, n.Failures, n.TenantName = notify.PersonalNames, nil, course
		for i := range min(max(count, 1), 60) {
			n.Failures = append(n.Failures, notify.Item{
				Fingerprint: fingerprint(i), CourseLabel: course, RecordID: detail, Detail: detail, Class: training.FailureClass(fmt.Sprint("class ", i%13)),
				Learner: notify.Learner{ID: detail, Name: course}, Explanation: training.Explanation{Happened: course, Means: detail, Do: course},
			})
		}
		sink.Reset()
		for endpoint, channel := range channels {
			require.NoError(t, channel.Send(t.Context(), n))
			require.Empty(t, sink.Messages(endpoint)[0].Problem)
		}
		var post struct {
			Text   string
			Blocks []struct{ Text struct{ Type, Text string } }
		}
		require.NoError(t, json.Unmarshal(sink.Messages(hooksink.EndpointSlack)[0].Body, &post))
		markup := post.Text
		for _, b := range post.Blocks[:len(post.Blocks)-1] { // the last one is the link
			if b.Text.Type == "mrkdwn" {
				markup += b.Text.Text
			}
		}
		require.NotContains(t, markup, "<")
		require.NotContains(t, markup, ">")
		require.NotRegexp(t, `&(?:[^alg]|a[^m]|am[^p]|amp[^;]|l[^t]|lt[^;]|g[^t]|gt[^;]|$)`, markup)
		require.LessOrEqual(t, len(sink.Messages(hooksink.EndpointTeams)[0].Body), 18_000)
		require.LessOrEqual(t, len(sink.Messages(hooksink.EndpointWebhook)[0].Body), 20_000)
	})
}
