package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/lms"
)

// TestNoPersonalDataOrSecretInLogsMetricsOrProblems_R165 sends marked values in every place a
// sender controls, in every kind of request, and looks for them in what we say (law 7).
func TestNoPersonalDataOrSecretInLogsMetricsOrProblems_R165(t *testing.T) {
	const canary = "canary"
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		odd := d.sources.sources[0]
		odd.ID, odd.Adapter = "odd", adapter{decode: func(body []byte) (lms.Decoded, error) { panic(string(body)) }}
		d.sources.sources = append(d.sources.sources, odd)
	})
	personal := strings.NewReplacer("jordan.lee@example.com", "canary@example.com", "Jordan", "canary", `"Lee"`, `"canary"`,
		"HR-4829", "canary", "wh-2026", "canary-2026", "10291", `"canary"`, "Annual", "canary").Replace(string(sample(t)))
	require.Contains(t, personal, canary)

	var refusals []string
	for _, body := range []string{
		personal, personal[:len(personal)-5], strings.Replace(personal, "completion_date", "canary_date", 1),
		strings.Replace(personal, "91.5", `"canary"`, 1), strings.Replace(personal, "course.completion", "canary", 1),
		`{"canary@example.com":1,"canary@example.com":2}`, `"canary"`, `canary`, "\"canary\xff\"",
	} {
		for _, headers := range [][]string{
			signed(sign(secret, []byte(body))), signed("canary"), signed(sign("x", []byte(body))),
			{"Content-Type", "canary/canary"}, {"Content-Type", "application/json", "Content-Encoding", "canary"},
		} {
			for _, path := range []string{
				path, "/webhooks/lms/acme/odd", byDomain, path + "?token=canary", "/webhooks/lms/canary/canary", "/canary",
			} {
				headers := append(headers, "Authorization", "Bearer canary", "Cookie", "canary", "User-Agent", "canary",
					"X-Request-Id", "canary", "X-Forwarded-For", "canary", "X-Canary", "canary")
				answer := d.send(http.MethodPost, path, strings.NewReader(body), headers...)
				if answer.status != http.StatusOK {
					refusals = append(refusals, strings.ReplaceAll(string(answer.body), `"requestId":"canary"`, ""))
				}
			}
		}
	}
	metrics := string(d.send(http.MethodGet, "/metrics", nil).body)
	d.stop()
	require.NotEmpty(t, refusals)
	for _, refusal := range refusals {
		require.NotContains(t, refusal, canary)
	}
	require.NotContains(t, metrics, canary)
	require.NotContains(t, d.logs.String(), canary)
	require.NotContains(t, d.logs.String(), secret)
	require.NotContains(t, d.logs.String(), "old-secret")
	require.Contains(t, d.logs.String(), `"verdict":"accepted"`, "the test must have seen what it looks at")

	for _, entry := range d.journal.entries {
		require.NotContains(t, entry.Reason, canary)
		require.NotContains(t, entry.Path, canary, "a query is not kept")
		for name, values := range entry.Header {
			if name != "User-Agent" && name != "X-Request-Id" && name != "Content-Type" && name != "Content-Encoding" {
				require.NotContains(t, strings.Join(values, " "), canary, name)
			}
		}
	}
}

func TestLogLineOfADelivery_R165_R216(t *testing.T) {
	d := open(t)
	d.post(string(sample(t)))
	kept := d.journal.next(t)
	d.stop()
	for _, want := range []string{
		`"level":"INFO"`, `"msg":"delivery"`, `"tenant":"acme"`, `"source":"main"`, `"delivery":"` + kept.ID + `"`,
		`"fingerprint":["` + string(d.journal.stored[0].Fingerprint()) + `"]`, `"verdict":"accepted"`, `"status":200`,
	} {
		require.Contains(t, d.logs.String(), want)
	}
}

func TestMetrics(t *testing.T) {
	d := open(t)
	d.post(string(sample(t)))
	d.post(string(sample(t)))
	d.send(http.MethodGet, path, nil, "absorb-signature", sign(secret, nil))
	for _, unknown := range []string{"/webhooks/lms/a/b", "/webhooks/lms/c/d", "/e"} {
		d.send(http.MethodPost, unknown, nil)
	}
	text := string(d.send(http.MethodGet, "/metrics", nil).body)
	for _, want := range []string{
		`countersign_deliveries_total{source="main",status="200",tenant="acme",verdict="accepted"} 1`,
		`countersign_deliveries_total{source="main",status="200",tenant="acme",verdict="duplicate"} 1`,
		`countersign_deliveries_total{source="main",status="200",tenant="acme",verdict="test"} 1`,
		`countersign_deliveries_total{source="",status="404",tenant="",verdict="none"} 3`,
		`countersign_ack_seconds_count 2`,
		`countersign_deliveries_in_flight 0`,
	} {
		require.Contains(t, text, want)
	}
}

func TestRequestIDIsRepeatedOnlyIfHarmless(t *testing.T) {
	d := open(t)
	for id, repeated := range map[string]bool{
		"lms-42": true, "0190e1a2-7b3c": true, "a b": false, "<script>": false, strings.Repeat("x", 65): false, "é": false,
	} {
		got := d.post(`{"event":"ping"}`, "X-Request-Id", id).header.Get("X-Request-Id")
		kept := d.journal.next(t)
		if repeated {
			require.Equal(t, id, got)
		} else {
			require.Equal(t, kept.ID, got)
		}
	}
}
