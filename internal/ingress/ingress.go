// Package ingress is the door: it takes deliveries over HTTP, verifies the raw bytes, decodes
// them, and answers 200 when, and only when, the journal has committed them (laws 1 and 4). It
// calls nothing but the journal.
//
// A delivery walks this way, and stops at the first refusal:
//
//	route 404 ─ method 405 ─ rate 429 ─ content type 415 ─ bounded read 413, 503 ─ signature 401, 503
//	          ─ inflate, decode (Read) ─ journal.Append 503 ─ 200 with a receipt
//
// A source has these URLs, all of them with GET and OPTIONS as the connection test:
//
//	/webhooks/lms/{tenant}/{source}[/{token}][/test][/{path}]
//
// token where the source's credential stands in the URL, test for a rehearsal (it writes nothing), path
// where the platform has one. /webhooks/lms finds the source by the body's original_domain.
//
// Nothing an authenticated sender says is refused: content that cannot be processed is stored,
// put up for review and answered 200. A body that ends before its Content-Length is trouble of
// the line, not content: 503 with Retry-After, because it was not acknowledged and should
// come again; so is one that comes too slowly. 500 stands for a defect of ours and nothing else, and leaves its
// entry in the journal: with the body if the sender is authentic. A sender that a network list keeps out is answered 401
// like every other one that is not authenticated, and not 403: the difference would tell a stranger
// which of his tries was nearer. Only a rehearsal answers 4xx on content.
package ingress

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// Journal is what the ingress needs of the journal.
type Journal interface {
	// Append returns after the commit; an error means that nothing may be acknowledged.
	Append(ctx context.Context, d journal.Delivery, completions []training.Completion, enrollments ...training.Enrollment) (journal.Receipt, error)
	// Ping reports whether an Append would work now.
	Ping(ctx context.Context) error
}

// Config is what an Ingress needs. Journal and Sources are required.
type Config struct {
	Journal Journal
	Sources Sources
	// Ready is asked by /readyz after the journal; nil means that the journal is enough.
	Ready func(ctx context.Context) error
	// Log gets one line per delivery: no personal data, no secret. nil discards it.
	Log *slog.Logger
	// Registry takes the metrics and is served on /metrics. nil means one of our own.
	Registry *prometheus.Registry
	// MaxBody is the largest body in bytes, as it came and inflated; 0 means 1 MiB.
	MaxBody int64
	// MaxBodies is how much memory, in bytes, all bodies that are being handled may take together
	// beyond 64 KiB each; 0 means 256 MiB, or four of the largest if that is more. A body beyond it is
	// answered 503.
	MaxBodies int64
	// BodyGrace and MinBodyRate, in bytes per second, are how slowly a body may come: BodyGrace for any, and
	// at that rate on average beyond it. 0 means 5 seconds and 64 KiB/s.
	BodyGrace   time.Duration
	MinBodyRate int64
	// MaxConnections is how many connections Server keeps open, MaxConnectionsPerAddress how many of them from
	// one address that is no trusted proxy. Beyond it the connection that has kept us waiting longest is closed.
	// 0 means 4096 and 1024. Each takes a file descriptor.
	MaxConnections, MaxConnectionsPerAddress int
	// TrustedProxies are the addresses or CIDRs whose X-Forwarded-For is believed when a
	// delivery's remote address is recorded, and who may have any number of connections; none by default.
	TrustedProxies []string
	// ClientCertificate finds the certificate of a request's sender; nil means the one of the TLS
	// connection. Where a proxy ends TLS, this is what reads its header, if the proxy is trusted.
	ClientCertificate func(r *http.Request) *x509.Certificate
	// Rehearse looks up what would become of a completion; see Lookup. nil: a rehearsal says that
	// nothing was looked up.
	Rehearse func(ctx context.Context, c training.Completion) Lookup
	// RehearsalTimeout bounds all lookups of a rehearsal together; 0 means 8 seconds, so that it is
	// answered within 10.
	RehearsalTimeout time.Duration
	// Routes are served beside the webhooks: token and login endpoints, pages.
	Routes []Route
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	// appendTimeout bounds the wait for the commit; a sender waits 5 to 30 seconds (R6).
	appendTimeout  = 10 * time.Second
	defaultMaxBody = 1 << 20
	// defaultMaxBodies beside the free part of as many bodies as there are connections: half a gigabyte
	// at the very most, and only while somebody sends that much.
	defaultMaxBodies = 256 << 20
	// lookupTimeout leaves two of a rehearsal's ten seconds to reading and answering.
	lookupTimeout = 8 * time.Second
)

// Ingress is the HTTP side of the starter. It is safe for concurrent use.
type Ingress struct {
	journal Journal
	sources Sources
	log     *slog.Logger
	maxBody int64
	now     func() time.Time

	// bodies are the bytes that are held beyond what is free, at most maxBodies.
	bodies      atomic.Int64
	maxBodies   int64
	pace        pace
	connections *connections

	certificate   func(r *http.Request) *x509.Certificate
	lookup        func(ctx context.Context, c training.Completion) Lookup
	lookupTimeout time.Duration

	engine   *gin.Engine
	metrics  *metrics
	limits   *limits
	ready    *readiness
	draining atomic.Bool
}

// New builds an Ingress; it starts nothing.
func New(cfg Config) (*Ingress, error) {
	if cfg.Journal == nil || cfg.Sources == nil {
		return nil, errors.New("new ingress: journal and sources are required")
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ClientCertificate == nil {
		cfg.ClientCertificate = peerCertificate
	}
	counters, err := newMetrics(cfg.Registry)
	if err != nil {
		return nil, fmt.Errorf("new ingress: %w", err)
	}
	i := &Ingress{
		journal: cfg.Journal,
		sources: cfg.Sources,
		log:     cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),
		maxBody: cmp.Or(cfg.MaxBody, defaultMaxBody),
		now:     cfg.Now,

		certificate:   cfg.ClientCertificate,
		lookup:        cfg.Rehearse,
		lookupTimeout: cmp.Or(max(cfg.RehearsalTimeout, 0), lookupTimeout),

		metrics: counters,
		limits:  newLimits(),
		ready:   &readiness{journal: cfg.Journal, extra: cfg.Ready, now: cfg.Now},
		pace: pace{
			grace: cmp.Or(max(cfg.BodyGrace, 0), bodyGrace), slowest: cmp.Or(max(cfg.MinBodyRate, 0), slowestBody),
		},
	}
	i.maxBodies = cmp.Or(max(cfg.MaxBodies, 0), max(defaultMaxBodies, 4*i.maxBody))
	if i.connections, err = newConnections(cfg, counters, i.log); err != nil {
		return nil, fmt.Errorf("new ingress: %w", err)
	}
	if err := counters.watch(cfg.Registry, i.connections.count); err != nil {
		return nil, fmt.Errorf("new ingress: %w", err)
	}
	if i.engine, err = i.routes(cfg); err != nil {
		return nil, fmt.Errorf("new ingress: %w", err)
	}
	return i, nil
}

// Handler serves everything the ingress has.
func (i *Ingress) Handler() http.Handler { return i.engine }

// Drain makes /readyz say no, so that a load balancer stops sending; deliveries are still taken.
// http.Server.Shutdown, called some seconds later, ends the rest.
func (i *Ingress) Drain() { i.draining.Store(true) }
