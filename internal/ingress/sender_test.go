package ingress_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

// Proxies write ports, and pass on what the client wrote into X-Real-IP: neither gives anybody an
// address that is not his (R47).
func TestAddressIsTheProxysWordAlone_R47(t *testing.T) {
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.TrustedProxies = []string{"127.0.0.0/8"} })
	for _, test := range []struct {
		headers []string
		want    string
	}{
		{[]string{"X-Forwarded-For", "203.0.113.9:51432"}, "203.0.113.9"},
		{[]string{"X-Forwarded-For", "[2001:db8::7]:51432"}, "2001:db8::7"},
		{[]string{"X-Forwarded-For", "203.0.113.66:51432", "X-Real-IP", "192.0.2.7"}, "203.0.113.66"},
		{[]string{"X-Forwarded-For", "192.0.2.7, 203.0.113.66:1"}, "203.0.113.66"},
		{[]string{"X-Forwarded-For", "nonsense", "X-Real-IP", "192.0.2.7"}, "127.0.0.1"},
		{[]string{"X-Real-IP", "192.0.2.7"}, "127.0.0.1"},
	} {
		d.post(`{"event":"ping"}`, test.headers...)
		require.Equal(t, test.want, d.journal.next(t).RemoteAddr, test.headers)
	}
}

// A platform whose Content-Type nobody knows is read whatever it says; what is authentic is not lost to it.
func TestAnyTypeIsTakenWhereNobodyKnowsIt_R82(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Transport.AnyType = true })
	body := string(sample(t))
	for _, kind := range []string{"", "text/plain", "application/json; charset=utf8", "application/x-www-form-urlencoded", "!"} {
		answer := d.send(http.MethodPost, path, strings.NewReader(body), "Content-Type", kind, "X-Hub-Signature-256", sign(secret, []byte(body)))
		require.Equal(t, http.StatusOK, answer.status, kind)
	}
	answer := d.send(http.MethodPost, path, strings.NewReader(body), "X-Hub-Signature-256", sign("another", []byte(body)))
	require.Equal(t, http.StatusUnauthorized, answer.status, "the credential counts all the same")
}

// A sender that gives up after a 429 is told to come again in the way it heeds (law 4, R173).
func TestLimitIsAnsweredAsTheSenderHeedsIt_R173(t *testing.T) {
	for no429, want := range map[bool]int{false: http.StatusTooManyRequests, true: http.StatusServiceUnavailable} {
		d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
			d.sources.sources[0].RateLimit, d.sources.sources[0].Burst = 0.001, 1
			d.sources.sources[0].Transport.No429 = no429
		})
		require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status)
		answer := d.post(`{"event":"ping"}`)
		require.Equal(t, want, answer.status)
		require.NotEmpty(t, answer.header.Get("Retry-After"))
		require.Equal(t, float64(want), answer.json(t)["status"])
	}
}

// A source that takes requests from anybody tells nobody about the QMS.
func TestRehearsalOfAnUnprovenSourceAsksNobody_R41(t *testing.T) {
	d := looking(t, func(context.Context, training.Completion) ingress.Lookup {
		t.Error("the QMS was asked on behalf of a stranger")
		return ingress.Lookup{}
	})
	d.sources.sources[0].Verifier, d.sources.sources[0].Unproven, d.sources.sources[0].TestMode = signature.NewNone(), true, true
	answer := d.send(http.MethodPost, rehearsal, strings.NewReader(string(sample(t))), "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Contains(t, string(answer.body), "were not looked up")
}

func TestConnectionTestNamesTheMethods_R19(t *testing.T) {
	d := open(t)
	answer := d.send(http.MethodOptions, path, nil, signed(sign(secret, nil))...)
	require.Equal(t, http.StatusOK, answer.status)
	require.Equal(t, "POST, GET, OPTIONS", answer.header.Get("Allow"))
}
