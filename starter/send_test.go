package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"countersign/internal/ingress"
	"countersign/internal/lms/platform"
	"countersign/internal/process"
	"countersign/internal/setup"

	"github.com/stretchr/testify/require"
)

// running is a starter's HTTP side over a real journal, with the settings of a file.
type running struct {
	*process.Process
	url string
}

// start serves the file's sources as serve does. Temporal and the QMS are nowhere, which a delivery
// must not notice (law 1).
func start(t *testing.T, yaml string) running {
	t.Helper()
	configured(t, yaml)
	t.Setenv("COUNTERSIGN_JOURNAL", "sqlite:"+filepath.Join(t.TempDir(), "journal.db"))
	p, err := process.Open(t.Context(), "starter", io.Discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return running{p, serveHTTP(t, p)}
}

func serveHTTP(t *testing.T, p *process.Process) string {
	t.Helper()
	sources, err := newSources(p.Tenants, verifiers{})
	require.NoError(t, err)
	routes, err := newRoutes(p)
	require.NoError(t, err)
	rehearse, err := rehearsal(p)
	require.NoError(t, err)
	in, err := ingress.New(ingress.Config{Journal: p.Journal, Sources: sources, Routes: routes, Rehearse: rehearse})
	require.NoError(t, err)
	server := httptest.NewServer(in.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// command runs a starter command and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, said bytes.Buffer
	err := run(context.WithoutCancel(t.Context()), args, nil, &out, &said)
	return out.String(), err
}

// networks are the sender's; the tests' sender is this machine.
var networks = regexp.MustCompile(`(ip_allow: \[)[^\]]*\]`)

var secretName = regexp.MustCompile(`env:([A-Z0-9_]+)`)

// everyCredential is a tenant with a source for each credential of each platform's setup page, by the very lines
// that the page tells an administrator to write.
func everyCredential(t *testing.T, book *setup.Book) (yaml string, sources map[string]setup.Credential) {
	t.Helper()
	var file strings.Builder
	file.WriteString(`tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: "https://arena.acme.example", client_id: svc-countersign, client_secret: env:CHECK_QMS_SECRET}
    sources:
`)
	sources = map[string]setup.Credential{}
	for _, page := range book.All() {
		for _, credential := range page.Credentials {
			if strings.Contains(credential.Settings, "mtls:") || strings.Contains(credential.Settings, "jwt:") || strings.Contains(credential.Settings, "file:") {
				continue // signed or shown by somebody else; send says so
			}
			id := strings.ReplaceAll(page.Platform+"-"+credential.ID, "_", "-")
			sources[id] = credential
			fmt.Fprintf(&file, "      - id: %s\n        platform: %s\n", id, page.Platform)
			text := networks.ReplaceAllString(credential.Settings, "${1}127.0.0.1]")
			if page.Own != nil {
				text = strings.TrimRight(text, "\n") + "\n" + page.Own.Lines
			}
			for line := range strings.Lines(text) {
				file.WriteString("        " + line)
			}
			file.WriteByte('\n')
			for _, match := range secretName.FindAllStringSubmatch(credential.Settings, -1) {
				value := "the-long-secret-" + strings.ToLower(strings.ReplaceAll(match[1], "_", "-"))
				if strings.Contains(credential.Settings, "id.timestamp.body") {
					value = "whsec_" + base64.StdEncoding.EncodeToString([]byte(value+"........"))
				}
				t.Setenv(match[1], value)
			}
		}
	}
	return file.String(), sources
}

// Every sample of every setup page, sent with every credential of its platform, arrives as what the page
// says it is.
func TestEverySampleIsTakenForWhatItIs_R194_R195(t *testing.T) {
	book, err := setup.New()
	require.NoError(t, err)
	yaml, sources := everyCredential(t, book)
	s := start(t, yaml)
	sent := map[string]int{}
	for _, page := range book.All() {
		for _, sample := range page.Samples {
			wanted := sample.Credential
			for _, credential := range page.Credentials {
				id := strings.ReplaceAll(page.Platform+"-"+credential.ID, "_", "-")
				if _, ok := sources[id]; !ok || wanted != "" && wanted != credential.ID {
					continue
				}
				if len(sample.Body()) > 0 && bytes.Contains(sample.Body(), []byte("{{")) && wanted != credential.ID {
					continue // the body holds another credential's place
				}
				if strings.Contains(credential.Settings, "learnupon_v1") && !bytes.Contains(sample.Body(), []byte(setup.SignaturePlaceholder)) {
					continue // and this credential's place is in no other body
				}
				out, err := command(t, "send", "-to", s.url, "-sample", sample.Name, "acme", id)
				if err != nil && strings.Contains(err.Error(), "no place for the token") {
					continue
				}
				require.NoError(t, err, "%s %s: %s", id, sample.Name, out)
				verdicts := map[setup.Kind][]string{
					setup.IsCompletion: {"accepted", "duplicate"}, setup.IsMixed: {"accepted", "duplicate"},
					setup.IsIgnored: {"ignored"}, setup.IsReview: {"unmapped"},
				}[sample.Kind]
				if strings.Contains(credential.Settings, "mode: test") {
					verdicts = []string{"test"}
				}
				require.Contains(t, verdicts, verdict(t, out), "%s %s: %s", id, sample.Name, out)
				sent[page.Platform]++
			}
		}
	}
	for _, name := range platform.Names() {
		require.NotZero(t, sent[name], "%s: no sample could be sent", name)
	}
}

// verdict is the verdict in what send printed: a status line, and the receipt.
func verdict(t *testing.T, printed string) string {
	t.Helper()
	_, body, _ := strings.Cut(printed, "\n")
	var receipt struct{ Verdict string }
	require.NoError(t, json.Unmarshal([]byte(body), &receipt), printed)
	return receipt.Verdict
}

// A rehearsal leaves no trace, however often it is made (R190, R192); the QMS that does not answer is said.
func TestSendRehearses_R190_R192(t *testing.T) {
	s := start(t, tenantsFile)
	for range 2 {
		out, err := command(t, "send", "-to", s.url, "-test", "acme", "lms")
		require.ErrorContains(t, err, "503", "the QMS is not there")
		require.Contains(t, out, `"verdict":"test"`)
		require.Contains(t, out, `"wouldBe":"accepted"`)
		require.Contains(t, out, `"class":"unreachable"`)
	}
	counts, err := s.Journal.Counts(t.Context())
	require.NoError(t, err)
	require.Empty(t, counts, "nothing was queued")
}

func TestSendSaysWhatItCannotDo(t *testing.T) {
	s := start(t, strings.Replace(tenantsFile, "{hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}",
		"{jwt: {jwks_url: 'https://lms.example.com/jwks', audience: x, in: body}}", 1))
	_, err := command(t, "send", "-to", s.url, "acme", "lms")
	require.ErrorContains(t, err, "its issuer signs")
	for _, args := range [][]string{{"globex", "lms"}, {"acme", "other"}, {"-sample", "nothing", "acme", "lms"}} {
		_, err := command(t, slices.Concat([]string{"send", "-to", s.url}, args)...)
		require.ErrorContains(t, err, "send:", args)
	}
	out, err := command(t, "send", "-list", "acme", "lms")
	require.NoError(t, err)
	require.Contains(t, out, "completion")
}

// An answer is shown as it came, and one that is no 200 ends with an error, for scripts.
func TestSendShowsARefusal_R199(t *testing.T) {
	s := start(t, tenantsFile)
	t.Setenv("CHECK_LMS_SECRET", "another-secret-of-the-lms")
	out, err := command(t, "send", "-to", s.url, "acme", "lms")
	require.ErrorContains(t, err, "401")
	require.Contains(t, out, "does not match")
	require.NotContains(t, out, "another-secret")
	_, err = command(t, "send", "-to", "http://127.0.0.1:1", "acme", "lms")
	require.ErrorContains(t, err, "refused")
}

// A token in the URL is in no error, not even when nobody answers.
func TestSendKeepsTheTokenInTheURLToItself_R207(t *testing.T) {
	start(t, strings.Replace(tenantsFile, "{hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}",
		"{token_in: {path: true, secrets: [env:CHECK_LMS_SECRET]}}", 1))
	_, err := command(t, "send", "-to", "http://127.0.0.1:1", "acme", "lms")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "the-secret-of-the-lms")
}
