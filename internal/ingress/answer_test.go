package ingress_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

// TestEveryRefusalSaysWhatToDo walks every status that is no 200 and looks for what its reader can compare or
// mend, and for what he must not learn.
func TestEveryRefusalSaysWhatToDo_R199_R200_R201_R202_R203(t *testing.T) {
	ping := `{"event":"ping"}`
	good := signed(sign(secret, []byte(ping)))
	for name, test := range map[string]struct {
		change func(d *door)
		method string
		path   string
		body   io.Reader
		header []string
		status int
		says   string
	}{
		"400": {path: rehearsal, body: strings.NewReader("<html>"), header: signed(sign(secret, []byte("<html>"))), status: 400, says: "Compare the body with the platform's page"},
		"401": {header: signed(sign("x", []byte(ping))), status: 401, says: "the secret differs from the sender's"},
		"401 of a network": {
			change: func(d *door) { d.sources.sources[0].Verifier = elsewhere{} }, header: good, status: 401, says: "the sender's address",
		},
		"401 by domain": {path: byDomain, header: good, status: 401, says: "Compare the domain, the secret and its header"},
		"404":           {path: "/webhooks/lms/acme/other", header: good, status: 404, says: "Copy it again from the source's page"},
		"405":           {method: http.MethodPut, header: good, status: 405, says: "sent with POST"},
		"413":           {body: strings.NewReader(strings.Repeat(" ", 1<<20+1)), header: good, status: 413, says: "Send fewer events at once"},
		"415":           {header: []string{"Content-Type", "text/html"}, status: 415, says: "Send Content-Type: application/json"},
		"422":           {path: rehearsal, body: strings.NewReader(`{"event":"course.completion"}`), header: signed(sign(secret, []byte(`{"event":"course.completion"}`))), status: 422, says: "mend the source's mapping"},
		"429": {
			change: func(d *door) { d.sources.sources[0].RateLimit, d.sources.sources[0].Burst = 1e-9, 1; d.post(ping) },
			header: good, status: 429, says: "Retry-After",
		},
		"500": {
			change: func(d *door) {
				d.sources.sources[0].Adapter = adapter{decode: func([]byte) (lms.Decoded, error) { panic("canary") }}
			},
			header: good, status: 500, says: "The request id finds it",
		},
		"503 of a verifier": {
			change: func(d *door) { d.sources.sources[0].Verifier = keyless{} }, header: good, status: 503, says: "could not be found out",
		},
		"503": {
			change: func(d *door) {
				d.journal.fail = func(journal.Delivery, []training.Completion) error { return errors.New("canary") }
			},
			header: good, status: 503, says: "Send it again",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			if test.change != nil {
				test.change(d)
			}
			method, url, body := test.method, test.path, test.body
			if method == "" {
				method = http.MethodPost
			}
			if url == "" {
				url = path
			}
			if body == nil {
				body = strings.NewReader(ping)
			}
			answer := d.send(method, url, body, test.header...)
			require.Equal(t, test.status, answer.status, string(answer.body))
			require.Contains(t, string(answer.body), test.says)
			require.Equal(t, test.status == 429 || test.status == 503, answer.header.Get("Retry-After") != "")
			require.Equal(t, test.status == 405, answer.header.Get("Allow") != "")
			require.NotEmpty(t, answer.header.Get("X-Request-Id"))
			require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
			for _, withheld := range []string{secret, "old-secret", "canary", "goroutine", ".go:", "acme"} {
				require.NotContains(t, string(answer.body), withheld)
			}
		})
	}
}

// elsewhere refuses like a network list.
type elsewhere struct{ challenge string }

func (elsewhere) Verify(lms.Request) (int, error) {
	return 0, errors.Join(lms.ErrUnauthenticated, errors.New("the sender's address is not among those that this source accepts"))
}

func (v elsewhere) Challenge() string { return v.challenge }

// keyless cannot reach whoever has the keys.
type keyless struct{}

func (keyless) Verify(lms.Request) (int, error) {
	return 0, fmt.Errorf("%w: canary", lms.ErrUnverifiable)
}

// TestNobodyIsRejectedForKeysThatCannotBeReached: the sender comes again, and no refusal is counted against it.
func TestNobodyIsRejectedForKeysThatCannotBeReached(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Verifier = keyless{} })
	for _, url := range []string{path, rehearsal} {
		answer := d.send(http.MethodPost, url, strings.NewReader(`{}`), "Content-Type", "application/json")
		require.Equal(t, http.StatusServiceUnavailable, answer.status)
		require.Equal(t, "5", answer.header.Get("Retry-After"))
	}
	require.Equal(t, http.StatusServiceUnavailable, d.send(http.MethodGet, path, nil).status)
	d.stop()
	require.Empty(t, d.journal.kept())
}

// TestChallengeIsTheVerifiers: RFC 9110 §11.6.1.
func TestChallengeIsTheVerifiers_R199(t *testing.T) {
	for challenge, want := range map[string]string{
		`Basic realm="deliveries"`: `Basic realm="deliveries"`, "": `Signature realm="deliveries"`,
	} {
		d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Verifier = elsewhere{challenge} })
		for _, url := range []string{path, rehearsal} {
			require.Equal(t, want, d.send(http.MethodPost, url, strings.NewReader("{}"), signed("x")...).header.Get("WWW-Authenticate"))
		}
		body := `{"original_domain":"acme.lms.example.com"}`
		byDomain := d.send(http.MethodPost, byDomain, strings.NewReader(body), signed("x")...)
		require.Equal(t, `Signature realm="deliveries"`, byDomain.header.Get("WWW-Authenticate"), "one answer for every domain")
	}
}
