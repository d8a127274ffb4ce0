// Package ingress is the door: it takes deliveries over HTTP, verifies the raw bytes, decodes
// them, and answers 200 when, and only when, the journal has committed them (laws 1 and 4). It
// calls nothing but the journal.
//
// A delivery walks this way, and stops at the first refusal:
//
//	route 404 ─ method 405 ─ rate 429 ─ content type 415 ─ bounded read 413 ─ signature 401
//	          ─ decode ─ journal.Append 503 ─ 200 with a receipt
//
// Nothing an authenticated sender says is refused: content that cannot be processed is stored,
// put up for review and answered 200. A body that ends before its Content-Length is trouble of
// the line, not content: 503 with Retry-After, because it was not acknowledged and should
// come again. 500 stands for a defect of ours and nothing else.
package ingress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

// Journal is what the ingress needs of the journal.
type Journal interface {
	// Append returns after the commit; an error means that nothing may be acknowledged.
	Append(ctx context.Context, d journal.Delivery, completions []training.Completion) (journal.Receipt, error)
	// Ping reports whether an Append would work now.
	Ping(ctx context.Context) error
}

// Source is one LMS connection of a tenant, ready to use.
type Source struct {
	Tenant, ID, Platform string

	Adapter  lms.Adapter
	Verifier lms.Verifier

	// RateLimit is how many requests a second are taken, with Burst at once. It is applied
	// before the signature is checked, so it bounds what a stranger can cost, and must leave
	// room for the LMS's own spikes (R18). 0 means 200 a second, 2000 at once.
	RateLimit float64
	Burst     int
}

// Sources finds sources. It is safe for concurrent use.
type Sources interface {
	// Source finds by the path (R162).
	Source(tenant, id string) (Source, bool)
	// ByDomain finds by the envelope's original_domain, given in lower case (R162).
	ByDomain(domain string) (Source, bool)
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
	// MaxBody is the largest body in bytes; 0 means 1 MiB.
	MaxBody int64
	// TrustedProxies are the addresses or CIDRs whose X-Forwarded-For is believed when a
	// delivery's remote address is recorded; none by default.
	TrustedProxies []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	// appendTimeout bounds the wait for the commit; a sender waits 5 to 30 seconds (R6).
	appendTimeout  = 10 * time.Second
	defaultMaxBody = 1 << 20
)

// Ingress is the HTTP side of the starter. It is safe for concurrent use.
type Ingress struct {
	journal Journal
	sources Sources
	log     *slog.Logger
	maxBody int64
	now     func() time.Time

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
		metrics: counters,
		limits:  newLimits(),
		ready:   &readiness{journal: cfg.Journal, extra: cfg.Ready, now: cfg.Now},
	}
	if i.engine, err = i.routes(cfg); err != nil {
		return nil, fmt.Errorf("new ingress: %w", err)
	}
	return i, nil
}

func (i *Ingress) routes(cfg Config) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // else gin prints its routes to stdout
	engine := gin.New()
	// A redirect would make senders repeat a POST as a GET, without its body.
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	if err := engine.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}

	const bySource = "/webhooks/lms/:tenant/:source"
	engine.POST(bySource, i.handle(i.deliverBySource))
	engine.GET(bySource, i.handle(i.testConnection))
	engine.OPTIONS(bySource, i.handle(i.testConnection))
	engine.POST("/webhooks/lms", i.handle(i.deliverByDomain))
	engine.NoRoute(i.handle(func(*gin.Context, *exchange) *problem { return notFound() }))
	engine.NoMethod(i.handle(func(*gin.Context, *exchange) *problem { return methodNotAllowed() }))

	engine.GET("/healthz", i.healthz)
	engine.GET("/readyz", i.readyz)
	engine.GET("/metrics", gin.WrapH(promhttp.HandlerFor(cfg.Registry, promhttp.HandlerOpts{})))
	return engine, nil
}

// Handler serves everything the ingress has.
func (i *Ingress) Handler() http.Handler { return i.engine }

// Drain makes /readyz say no, so that a load balancer stops sending; deliveries are still taken.
// http.Server.Shutdown, called some seconds later, ends the rest.
func (i *Ingress) Drain() { i.draining.Store(true) }
