package hooksink_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/fault"
	"countersign/internal/simulator/hooksink"
)

var now = time.Date(2026, 3, 14, 14, 30, 0, 0, time.UTC)

const key = "0123456789abcdef01234567"

type rig struct {
	*hooksink.Sink
	t   *testing.T
	url string
}

func start(t *testing.T, options hooksink.Options) rig {
	t.Helper()
	options.Now = func() time.Time { return now }
	sink, err := hooksink.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(sink.Handler())
	t.Cleanup(func() { sink.Close(); server.Close() })
	return rig{sink, t, server.URL}
}

// call makes a request; header has names and values in turn.
func (r rig) call(method, path, body string, header ...string) (status int, answer string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(text)
}

func section(text string) string {
	return `{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"}}`
}

func blocks(list ...string) string {
	return `{"text":"t","blocks":[` + strings.Join(list, ",") + `]}`
}

func TestSlackRefusesWithItsOwnWord(t *testing.T) {
	r := start(t, hooksink.Options{})
	long := strings.Repeat("x", 3000)
	for name, tc := range map[string]struct{ body, want string }{
		"text alone":         {`{"text":"hello"}`, "200 ok"},
		"blocks":             {blocks(section("a"), section("b")), "200 ok"},
		"the longest":        {blocks(section(long)), "200 ok"},
		"no JSON":            {`{"text":`, "400 invalid_payload"},
		"nothing":            {`{}`, "400 no_text"},
		"too long a section": {blocks(section(long + "x")), "400 invalid_blocks"},
		"an empty one":       {blocks(section("")), "400 invalid_blocks"},
		"an unknown one":     {`{"text":"t","blocks":[{"type":"marquee"}]}`, "400 invalid_blocks"},
		"too many":           {blocks(strings.Split(strings.Repeat(section("a")+"|", 51), "|")[:51]...), "400 invalid_blocks"},
		"too much in all":    {blocks(section(long), section(long), section(long), section(long), section(long)), "400 msg_blocks_too_long"},
		"too long a header":  {blocks(`{"type":"header","text":{"type":"plain_text","text":"` + long[:151] + `"}}`), "400 invalid_blocks"},
	} {
		t.Run(name, func(t *testing.T) {
			r.Reset()
			status, answer := r.call("POST", "/services/T0/B0/X", tc.body)
			require.Equal(t, tc.want, fmt.Sprint(status, " ", answer))
			require.Len(t, r.Messages(hooksink.EndpointSlack), map[bool]int{true: 1}[status == 200])
		})
	}
	status, answer := r.call("POST", "/services/T0/B0/X", "text=hello", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, "400 invalid_payload", fmt.Sprint(status, " ", answer))
}

func TestWorkflowTakesEverythingAndShowsCardsOnly(t *testing.T) {
	r := start(t, hooksink.Options{})
	attachment := func(kind, card string) string {
		return `{"type":"message","attachments":[{"contentType":"` + kind + `","content":` + card + `}]}`
	}
	const adaptive, card = "application/vnd.microsoft.card.adaptive", `{"type":"AdaptiveCard","version":"1.2","body":[{}]}`
	for problem, body := range map[string]string{
		"":                                    attachment(adaptive, card),
		"'attachments' is of type 'Null'":     `{"@type":"MessageCard","text":"old"}`,
		"an attachment is no adaptive card":   attachment("text/plain", card),
		"the trigger's body is no JSON":       "hello",
		"an attachment is no adaptive card ":  attachment(adaptive, `{"type":"AdaptiveCard","version":"1.2"}`),
		"an attachment is no adaptive card  ": attachment(adaptive, `{"type":"AdaptiveCard","body":[{}]}`),
	} {
		r.Reset()
		status, answer := r.call("POST", "/workflows/x/triggers/manual/paths/invoke?sig=y", body)
		require.Equal(t, http.StatusAccepted, status)
		require.Empty(t, answer)
		require.Equal(t, strings.TrimSpace(problem), r.Messages(hooksink.EndpointTeams)[0].Problem)
	}
	r.Reset()
	status, _ := r.call("POST", "/workflows/x", strings.Repeat("x", 28<<10+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Empty(t, r.Messages(fault.Any))
}

func signed(id string, at time.Time, body string) []string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return []string{"webhook-id", id, "webhook-timestamp", timestamp,
		"webhook-signature", "v2,x v1,AAAA v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

func TestWebhookChecksTheSignatureAndKnowsARepetition(t *testing.T) {
	r := start(t, hooksink.Options{Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(key))})
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"good":           {signed("a", now, "{}"), 204},
		"again":          {signed("a", now.Add(-5*time.Minute), "{}"), 204},
		"other body":     {signed("b", now, "{ }"), 401},
		"old":            {signed("b", now.Add(-5*time.Minute-time.Second), "{}"), 401},
		"from to-morrow": {signed("b", now.Add(24*time.Hour), "{}"), 401},
		"bare":           {nil, 401},
		"no id":          {signed("", now, "{}"), 401},
	} {
		status, _ := r.call("POST", "/hook/x", "{}", tc.header...)
		require.Equal(t, tc.want, status, name)
	}
	got := r.Messages(hooksink.EndpointWebhook)
	require.Len(t, got, 2)
	require.False(t, got[0].Again)
	require.True(t, got[1].Again)

	_, err := hooksink.New(hooksink.Options{Secret: "whsec_!"})
	require.Error(t, err)
	status, _ := start(t, hooksink.Options{}).call("POST", "/hook/x", "{}")
	require.Equal(t, 204, status, "without a secret everything is taken")
}

func TestMisbehavesOnRequest(t *testing.T) {
	r := start(t, hooksink.Options{Keep: 2})
	r.Fault(hooksink.EndpointSlack, fault.RateLimited("3", 1), fault.Status(404, 1), fault.CommitThenStatus(500, 1))
	for _, want := range []string{"429 rate_limited", "404 no_service", "500 rollup_error", "200 ok"} {
		status, answer := r.call("POST", "/services/x", `{"text":"a"}`)
		require.Equal(t, want, fmt.Sprint(status, " ", answer))
	}
	require.Len(t, r.Messages(fault.Any), 2, "the 500 was posted all the same")
	require.Equal(t, 4, r.Calls(hooksink.EndpointSlack))

	status, _ := r.call("POST", "/elsewhere", "{}")
	require.Equal(t, 404, status)
	status, _ = r.call("GET", "/services/x", "")
	require.Equal(t, 404, status)
	r.call("POST", "/workflows/x", "{}")
	all, err := r.Wait(t.Context(), 3)
	require.NoError(t, err)
	require.Len(t, all, 2, "the last two are kept")
	require.Equal(t, hooksink.EndpointTeams, all[1].Endpoint)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Wait(ctx, 4)
	require.ErrorIs(t, err, context.Canceled)
}

func TestControls(t *testing.T) {
	r := start(t, hooksink.Options{})
	r.call("POST", "/services/x", `{"text":"a"}`)
	_, shown := r.call("GET", "/__sim/messages", "")
	require.JSONEq(t, `[{"endpoint":"slack","path":"/services/x","body":{"text":"a"}}]`, shown)
	status, _ := r.call("POST", "/__sim/faults", `{"endpoint":"teams","faults":[{"status":503}]}`)
	require.Equal(t, 200, status)
	status, _ = r.call("POST", "/workflows/x", "{}")
	require.Equal(t, 503, status)
	r.call("POST", "/__sim/reset", "")
	require.Empty(t, r.Messages(fault.Any))
}
