package ingress_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

// proof is a kind of credential: how a source checks it and how a sender shows it.
type proof struct {
	verifier func(secret string) (lms.Verifier, error)
	headers  func(secret, body string) []string
	tail     func(secret string) string // of the URL
	inPath   bool
}

func proofs() map[string]proof {
	none := func(string) string { return "" }
	inHeader := func(name, prefix string) func(secret, body string) []string {
		return func(secret, _ string) []string { return []string{name, prefix + secret} }
	}
	return map[string]proof{
		"hmac": {
			func(s string) (lms.Verifier, error) { return signature.NewHMAC([]string{s}, "X-Signature") },
			func(s, body string) []string { return []string{"X-Signature", sign(s, []byte(body))} }, none, false,
		},
		"api key": {func(s string) (lms.Verifier, error) { return signature.NewAPIKey([]string{s}, "X-Key") }, inHeader("X-Key", ""), none, false},
		"bearer":  {func(s string) (lms.Verifier, error) { return signature.NewBearer([]string{s}) }, inHeader("Authorization", "Bearer "), none, false},
		"exact":   {func(s string) (lms.Verifier, error) { return signature.NewAuthorization([]string{s}) }, inHeader("Authorization", ""), none, false},
		"basic": {
			func(s string) (lms.Verifier, error) { return signature.NewBasic("svc", []string{s}) },
			func(s, _ string) []string {
				return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("svc:"+s))}
			}, none, false,
		},
		"query": {
			func(s string) (lms.Verifier, error) { return signature.NewQueryToken([]string{s}, "token") },
			func(string, string) []string { return nil }, func(s string) string { return "?token=" + s }, false,
		},
		"path": {
			func(s string) (lms.Verifier, error) { return inPath(s), nil },
			func(string, string) []string { return nil }, func(s string) string { return "/" + s }, true,
		},
	}
}

// estate is three tenants with three sources each; every source has its own secret and domain.
func estate(t *testing.T, p proof) (sources []ingress.Source, domains map[string]int) {
	t.Helper()
	domains = map[string]int{}
	for _, tenant := range []string{"acme", "beta", "gamma"} {
		for _, id := range []string{"one", "two", "three"} {
			s := source(t, tenant, id, "unused")
			verifier, err := p.verifier(secretOf(s))
			require.NoError(t, err)
			s.Verifier, s.PathToken = verifier, p.inPath
			domains[domainOf(s)] = len(sources)
			sources = append(sources, s)
		}
	}
	return sources, domains
}

func secretOf(s ingress.Source) string { return "s3cret-" + s.Tenant + "-" + s.ID }
func domainOf(s ingress.Source) string { return s.ID + "." + s.Tenant + ".example.com" }

// TestNoCredentialOpensAnothersSource is the whole matrix: every kind of credential, of each of nine sources at
// each of nine, by path, as a rehearsal, and by domain. Tenant and source stand on every log line.
func TestNoCredentialOpensAnothersSource_R162_R163_R164_R165(t *testing.T) {
	for kind, p := range proofs() {
		t.Run(kind, func(t *testing.T) {
			sources, domains := estate(t, p)
			d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
				d.sources.sources, d.sources.domains = sources, domains
			})
			opened := 0
			for _, target := range sources {
				body := `{"event":"ping","original_domain":"` + domainOf(target) + `"}`
				for _, from := range sources {
					want := http.StatusUnauthorized
					if from.Tenant == target.Tenant && from.ID == target.ID {
						want = http.StatusOK
					}
					headers := append([]string{"Content-Type", "application/json"}, p.headers(secretOf(from), body)...)
					url := "/webhooks/lms/" + target.Tenant + "/" + target.ID
					rehearsal := url + "/test" + p.tail(secretOf(from))
					byDomainURL, byDomainWant := byDomain+p.tail(secretOf(from)), want
					if p.inPath {
						rehearsal = url + p.tail(secretOf(from)) + "/test"
						byDomainURL, byDomainWant = byDomain, http.StatusUnauthorized // there is no place for it
					}
					for at, expected := range map[string]int{url + p.tail(secretOf(from)): want, rehearsal: want, byDomainURL: byDomainWant} {
						answer := d.send(http.MethodPost, at, strings.NewReader(body), headers...)
						require.Equal(t, expected, answer.status, "%s/%s at %s/%s: %s", from.Tenant, from.ID, target.Tenant, target.ID, answer.body)
						require.NotContains(t, string(answer.body), "s3cret")
						if expected == http.StatusOK {
							opened++
						}
					}
				}
			}
			d.stop()
			if p.inPath {
				require.Equal(t, 2*len(sources), opened)
			} else {
				require.Equal(t, 3*len(sources), opened)
			}
			for _, entry := range d.journal.kept() {
				if entry.Verdict == journal.VerdictIgnored {
					require.Contains(t, string(entry.Body), `"`+entry.Source+"."+entry.Tenant+`.example.com"`)
				}
			}
			requireTenantOnEveryLine(t, d.logs.String())
			require.NotContains(t, d.logs.String(), "s3cret")
		})
	}
}

func requireTenantOnEveryLine(t *testing.T, logs string) {
	t.Helper()
	for line := range strings.Lines(logs) {
		var entry struct{ Msg, Tenant, Source string }
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		require.NotEmpty(t, entry.Tenant, line)
		require.NotEmpty(t, entry.Source, line)
	}
}

// TestTenantsAreLimitedAsAWhole: more sources are not more room, and another tenant's room is its own.
func TestTenantsAreLimitedAsAWhole_R164(t *testing.T) {
	p := proofs()["api key"]
	sources, domains := estate(t, p)
	for n := range sources {
		sources[n].Burst = 4000
	}
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources, d.sources.domains = sources, domains
	})
	statuses := map[int]int{}
	for n := range 8010 { // the share of a tenant is 8000 at once
		s := sources[n%3]
		answer := d.send(http.MethodGet, "/webhooks/lms/acme/"+s.ID, nil, "X-Key", secretOf(s))
		statuses[answer.status]++
	}
	require.Equal(t, map[int]int{200: 8000, 429: 10}, statuses)
	limited := d.send(http.MethodGet, "/webhooks/lms/acme/one", nil, "X-Key", "x")
	require.Contains(t, limited.json(t)["detail"], "All sources of this tenant together")
	require.Equal(t, "1", limited.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, d.send(http.MethodGet, "/webhooks/lms/beta/one", nil, "X-Key", secretOf(sources[3])).status)
}

// TestNoisyTenantDoesNotSlowAnother: while one floods, by path and by domain, the other gets nothing but 200.
func TestNoisyTenantDoesNotSlowAnother_R18_R198(t *testing.T) {
	p := proofs()["api key"]
	sources, domains := estate(t, p)
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources, d.sources.domains = sources, domains
	})
	sources[0].Burst = 100
	noisy, quiet := sources[0], sources[3]
	flood := func(url string, times int, s ingress.Source) map[int]int {
		body := `{"event":"ping","original_domain":"` + domainOf(s) + `"}`
		var mu sync.Mutex
		statuses := map[int]int{}
		var next atomic.Int64
		var senders sync.WaitGroup
		for range 8 {
			senders.Go(func() {
				for next.Add(1) <= int64(times) {
					answer := d.send(http.MethodPost, url, strings.NewReader(body), "Content-Type", "application/json", "X-Key", secretOf(s))
					mu.Lock()
					statuses[answer.status]++
					mu.Unlock()
				}
			})
		}
		senders.Wait()
		return statuses
	}
	var both sync.WaitGroup
	var loud, calm []map[int]int
	both.Go(func() {
		loud = append(loud, flood(fmt.Sprintf("/webhooks/lms/%s/%s", noisy.Tenant, noisy.ID), 500, noisy), flood(byDomain, 500, noisy))
	})
	both.Go(func() {
		calm = append(calm, flood(fmt.Sprintf("/webhooks/lms/%s/%s", quiet.Tenant, quiet.ID), 300, quiet), flood(byDomain, 300, quiet))
	})
	both.Wait()
	require.Equal(t, []map[int]int{{200: 100, 429: 400}, {429: 500}}, loud)
	require.Equal(t, []map[int]int{{200: 300}, {200: 300}}, calm)
}
