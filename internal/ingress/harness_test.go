package ingress_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/canonical"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const (
	secret = "s3cret-canonical"
	path   = "/webhooks/lms/acme/main"
)

// memory is a journal that keeps nothing beyond the test and does what it is told.
type memory struct {
	mu      sync.Mutex
	seen    map[training.Fingerprint]bool
	entries []journal.Delivery
	stored  []training.Completion
	// enrolled are the enrollments, each time they came.
	enrolled []training.Enrollment
	fail     func(d journal.Delivery, completions []training.Completion) error
	pingErr  error
	pings    int
	// arrived gets every entry after it was kept.
	arrived chan journal.Delivery
	// held, if set, is waited for before the commit, after entered has told of it.
	entered, held chan struct{}
}

func (m *memory) Append(ctx context.Context, d journal.Delivery, completions []training.Completion, enrollments ...training.Enrollment) (journal.Receipt, error) {
	if m.held != nil {
		m.entered <- struct{}{}
		<-m.held
	}
	if err := ctx.Err(); err != nil {
		return journal.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(d, completions); err != nil {
			return journal.Receipt{}, err
		}
	}
	receipt := journal.Receipt{DeliveryID: d.ID, Verdict: d.Verdict}
	for _, completion := range completions {
		fingerprint := completion.Fingerprint()
		receipt.Completions = append(receipt.Completions, journal.ReceiptItem{Fingerprint: fingerprint, Duplicate: m.seen[fingerprint]})
		if m.seen[fingerprint] {
			receipt.Verdict = journal.VerdictDuplicate
		}
		m.seen[fingerprint] = true
	}
	for _, e := range enrollments {
		receipt.Enrollments = append(receipt.Enrollments, journal.EnrollmentReceipt{Key: e.Key()})
	}
	m.enrolled = append(m.enrolled, enrollments...)
	m.entries, m.stored = append(m.entries, d), append(m.stored, completions...)
	m.arrived <- d
	return receipt, nil
}

func (m *memory) Ping(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pings++
	return m.pingErr
}

// next waits for the next entry.
func (m *memory) next(t *testing.T) journal.Delivery {
	t.Helper()
	select {
	case d := <-m.arrived:
		return d
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing arrived in the journal")
		return journal.Delivery{}
	}
}

// directory is a fixed set of sources.
type directory struct {
	sources []ingress.Source
	domains map[string]int
}

func (d *directory) Source(tenant, id string) (ingress.Source, bool) {
	for _, source := range d.sources {
		if source.Tenant == tenant && source.ID == id {
			return source, true
		}
	}
	return ingress.Source{}, false
}

func (d *directory) ByDomain(domain string) (ingress.Source, bool) {
	index, ok := d.domains[domain]
	if !ok {
		return ingress.Source{}, false
	}
	return d.sources[index], true
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// door is an ingress on a real listener, with everything around it.
type door struct {
	t       *testing.T
	journal *memory
	sources *directory
	clock   *clock
	logs    *lockedBuffer
	ingress *ingress.Ingress
	server  *http.Server
	addr    string
	client  *http.Client
	// watch, if set, is told of each connection's state after the ingress.
	watch func(http.ConnState)
	// registry has the ingress's metrics.
	registry *prometheus.Registry
	// latest is the request that came last, as the server sees it.
	latest atomic.Pointer[http.Request]
}

// open starts a door. change may set anything before.
func open(t *testing.T, change ...func(*door, *ingress.Config, *http.Server)) *door {
	t.Helper()
	d := &door{
		t:       t,
		journal: &memory{seen: map[training.Fingerprint]bool{}, arrived: make(chan journal.Delivery, 5000), entered: make(chan struct{}, 100)},
		sources: &directory{
			sources: []ingress.Source{source(t, "acme", "main", secret, "old-secret"), source(t, "beta", "main", "s3cret-beta")},
			domains: map[string]int{"acme.lms.example.com": 0, "beta.lms.example.com": 1},
		},
		clock:    &clock{now: time.Date(2026, 4, 8, 14, 31, 0, 0, time.UTC)},
		logs:     &lockedBuffer{},
		registry: prometheus.NewRegistry(),
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}},
	}
	cfg := ingress.Config{
		Journal: d.journal, Sources: d.sources, Now: d.clock.Now, Registry: d.registry,
		Log: slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	d.server = ingress.NewServer("127.0.0.1:0", nil)
	for _, c := range change {
		c(d, &cfg, d.server)
	}
	var err error
	d.ingress, err = ingress.New(cfg)
	require.NoError(t, err)
	guarded := d.ingress.Server(d.server.Addr)
	d.server.ConnContext, d.server.ErrorLog = guarded.ConnContext, guarded.ErrorLog
	d.server.ConnState = func(conn net.Conn, state http.ConnState) {
		guarded.ConnState(conn, state)
		if d.watch != nil {
			d.watch(state)
		}
	}
	d.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.latest.Store(r)
		d.ingress.Handler().ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", d.server.Addr)
	require.NoError(t, err)
	d.addr = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(listener) }()
	t.Cleanup(func() {
		d.stop()
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return d
}

// stop returns when every handler has.
func (d *door) stop() {
	d.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(d.t, d.server.Shutdown(ctx))
}

func source(t testing.TB, tenant, id string, secrets ...string) ingress.Source {
	t.Helper()
	verifier, err := signature.NewHMAC(secrets, canonical.SignatureHeaders()...)
	require.NoError(t, err)
	return ingress.Source{Tenant: tenant, ID: id, Platform: canonical.Platform, Adapter: canonical.New(nil), Verifier: verifier}
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func sample(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/course-completion.json")
	require.NoError(t, err)
	return body
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var parsed map[string]any
	require.NoError(t, json.Unmarshal(a.body, &parsed), string(a.body))
	return parsed
}

// send sends a request; the headers are pairs, and one with an empty value is left out.
func (d *door) send(method, path string, body io.Reader, headers ...string) answer {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, "http://"+d.addr+path, body)
	require.NoError(d.t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			request.Header.Add(headers[i], headers[i+1])
		}
	}
	response, err := d.client.Do(request)
	require.NoError(d.t, err)
	defer func() { require.NoError(d.t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(d.t, err)
	return answer{response.StatusCode, response.Header, text}
}

// post sends body signed with the first source's secret.
func (d *door) post(body string, headers ...string) answer {
	d.t.Helper()
	return d.send(http.MethodPost, path, strings.NewReader(body), append([]string{
		"Content-Type", "application/json", "X-Hub-Signature-256", sign(secret, []byte(body)),
	}, headers...)...)
}

// adapter stands in for a platform that does something unusual.
type adapter struct {
	lms.Adapter
	decode func(body []byte) (lms.Decoded, error)
}

func (a adapter) Platform() string                          { return "odd" }
func (a adapter) Decode(r lms.Request) (lms.Decoded, error) { return a.decode(r.Body) }

// reader is an adapter that sees the whole request.
type reader func(r lms.Request) (lms.Decoded, error)

func (f reader) Platform() string                          { return "odd" }
func (f reader) Decode(r lms.Request) (lms.Decoded, error) { return f(r) }

// inPath verifies the token of the path.
type inPath string

func (v inPath) Verify(r lms.Request) (int, error) {
	if subtle.ConstantTimeCompare([]byte(v), []byte(r.PathToken)) != 1 {
		return 0, fmt.Errorf("%w: the token in the path does not match", lms.ErrUnauthenticated)
	}
	return 0, nil
}

// anybody verifies nothing.
type anybody struct{}

func (anybody) Verify(lms.Request) (int, error) { return 0, nil }

// entries are copies of what was appended so far.
func (m *memory) kept() []journal.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.entries)
}
