package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
)

const byDomain = "/webhooks/lms"

func TestRouteByOriginalDomain_R162_R163(t *testing.T) {
	d := open(t)
	for body, want := range map[string]struct{ secret, tenant string }{
		string(sample(t)): {secret, "acme"},
		`{"event":"ping","original_domain":" ACME.lms.example.com "}`: {secret, "acme"},
		`{"event":"ping","original_domain":"beta.lms.example.com"}`:   {"s3cret-beta", "beta"},
	} {
		answer := d.send(http.MethodPost, byDomain, strings.NewReader(body), signed(sign(want.secret, []byte(body)))...)
		require.Equal(t, http.StatusOK, answer.status, body)
		kept := d.journal.next(t)
		require.Equal(t, want.tenant, kept.Tenant)
		require.Equal(t, body, string(kept.Body))
	}
}

// TestDomainsAreNotTold: an unknown domain, a wrong signature and a body without a domain get one answer.
func TestDomainsAreNotTold(t *testing.T) {
	d := open(t)
	var answers []string
	for _, body := range []string{
		`{"original_domain":"acme.lms.example.com"}`, `{"original_domain":"nobody.example.com"}`, `{"original_domain":7}`,
		`{}`, `[]`, ``, `<html>`, "\xff", `{"original_domain":"acme.lms.example.com","original_domain":"acme.lms.example.com"}`,
		`{"payload":{"original_domain":"acme.lms.example.com"}}`,
	} {
		for _, signature := range []string{"", "zzz", sign("x", []byte(body)), sign("s3cret-beta", []byte(body))} {
			answer := d.send(http.MethodPost, byDomain, strings.NewReader(body), append(signed(signature), "X-Request-Id", "same")...)
			require.Equal(t, http.StatusUnauthorized, answer.status, body)
			answers = append(answers, string(answer.body))
		}
	}
	for _, answer := range answers {
		require.Equal(t, answers[0], answer)
	}
	d.stop()
	for _, entry := range d.journal.entries {
		require.Equal(t, journal.VerdictRejected, entry.Verdict)
		require.Equal(t, "acme", entry.Tenant, "only a known source's refusals are recorded")
	}
	require.Len(t, d.journal.entries, 4)
}

// TestOneTenantsSecretDoesNotOpenAnothersDoor_R164: the domain selects a secret and nothing else.
func TestOneTenantsSecretDoesNotOpenAnothersDoor_R164(t *testing.T) {
	d := open(t)
	body := `{"event":"ping","original_domain":"acme.lms.example.com"}`
	require.Equal(t, http.StatusUnauthorized,
		d.send(http.MethodPost, byDomain, strings.NewReader(body), signed(sign("s3cret-beta", []byte(body)))...).status)
	// On beta's own URL the domain in the body routes nothing.
	answer := d.send(http.MethodPost, "/webhooks/lms/beta/main", strings.NewReader(body), signed(sign("s3cret-beta", []byte(body)))...)
	require.Equal(t, http.StatusOK, answer.status)
	require.Equal(t, journal.VerdictRejected, d.journal.next(t).Verdict)
	require.Equal(t, "beta", d.journal.next(t).Tenant)
}

func TestDeliveriesByDomainAreLimited(t *testing.T) {
	d := open(t)
	d.sources.sources[0].RateLimit, d.sources.sources[0].Burst = 1, 1
	body := `{"event":"ping","original_domain":"acme.lms.example.com"}`
	headers := signed(sign(secret, []byte(body)))
	require.Equal(t, http.StatusOK, d.send(http.MethodPost, byDomain, strings.NewReader(body), headers...).status)
	require.Equal(t, http.StatusTooManyRequests, d.send(http.MethodPost, byDomain, strings.NewReader(body), headers...).status,
		"the source's own limit holds here too")

	// Bodies that lead to no source have a limit of their own, and what led to one has not used it up.
	status := http.StatusUnauthorized
	for range 5001 {
		if status != http.StatusUnauthorized {
			break
		}
		status = d.send(http.MethodPost, byDomain, strings.NewReader("{}"), headers...).status
	}
	require.Equal(t, http.StatusTooManyRequests, status)
}

// TestPeekIsBounded: before the signature is checked nobody makes us build a large tree.
func TestPeekIsBounded(t *testing.T) {
	d := open(t)
	body := `{"event":"ping","original_domain":"acme.lms.example.com","x":[` + strings.Repeat("0,", 5000) + `0]}`
	require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, byDomain, strings.NewReader(body), signed(sign(secret, []byte(body)))...).status)
	require.Equal(t, http.StatusOK, d.post(body).status, "on the source's own URL it is welcome")
}
