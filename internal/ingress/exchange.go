package ingress

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

const requestIDHeader = "X-Request-ID"

// exchange is what becomes known about one request while it is handled: the matter of its log
// line, its metrics and, if it is refused, its journal entry.
type exchange struct {
	delivery string // id
	received time.Time
	source   Source // zero while unknown
	place    place  // which of the source's URLs
	body     []byte // nil until read
	// request is what the Verifier judges and the Adapter reads: the same for both. It holds credentials.
	request lms.Request
	// authentic is set by verify, kept by a commit.
	authentic, kept bool
	// held is its part of Ingress.bodies.
	held int64
	// connection is set while it works for this request.
	connection *connection
	// mounted is the pattern of a mounted route; "" for everything else.
	mounted string

	verdict      journal.Verdict // "" while nothing was decided
	reason       string
	secret       int
	fingerprints []training.Fingerprint
	enrollments  []training.EnrollmentKey
}

// known reports whether the source was found.
func (x *exchange) known() bool { return x.source.ID != "" }

// recorded reports whether a refusal is kept in the journal: those of deliveries. A rehearsal and a
// connection test write nothing (R190).
func (x *exchange) recorded(r *http.Request) bool {
	return x.verdict == journal.VerdictRejected && r.Method == http.MethodPost && x.mounted == "" && !x.place.rehearsal
}

// handle wraps what every delivery gets: an id, an answer whatever happens, a line in the log,
// a count, and, for a refusal, an entry in the journal.
func (i *Ingress) handle(next func(*gin.Context, *exchange) *problem) gin.HandlerFunc {
	return func(c *gin.Context) {
		x := &exchange{delivery: journal.NewDeliveryID(), received: i.now()}
		c.Header(requestIDHeader, requestID(c.Request, x.delivery))
		c.Header("Cache-Control", "no-store")
		i.metrics.inFlight.Inc()
		defer i.metrics.inFlight.Dec()
		defer i.release(x)

		refused := i.guard(c, x, next)
		if refused != nil {
			if x.reason == "" {
				x.reason = refused.reason
			}
			if refused.rejected && x.known() {
				x.verdict = journal.VerdictRejected
			}
			if !c.Writer.Written() { // a mounted handler may have begun to answer
				refused.send(c)
			}
		}
		took := i.now().Sub(x.received)
		i.metrics.count(x, c.Writer.Status(), took)
		i.logExchange(c, x, took)
		if x.recorded(c.Request) {
			i.recordRejection(c, x)
		}
	}
}

// guard turns a panic into the answer 500, and sees to it that the delivery leaves its trace: its body
// if its sender is authentic, else an entry like that of a refusal.
func (i *Ingress) guard(c *gin.Context, x *exchange, next func(*gin.Context, *exchange) *problem) (refused *problem) {
	defer func() {
		if cause := recover(); cause != nil {
			i.logPanic(c.Request.Context(), x, cause, debug.Stack())
			refused = defect()
			if x.authentic {
				i.salvage(c, x)
			} else {
				refused.rejected, refused.reason = true, "the request ran into a defect of ours before it was verified"
			}
		}
	}()
	return next(c, x)
}

// salvage keeps the body of an authentic delivery that panicked before it was kept: as unmapped, so
// that a person sees it and it can be replayed.
func (i *Ingress) salvage(c *gin.Context, x *exchange) {
	defer func() {
		if cause := recover(); cause != nil { // then it was the journal, and nothing can be kept
			i.logPanic(c.Request.Context(), x, cause, debug.Stack())
		}
	}()
	if x.kept || x.place.rehearsal || c.Request.Method != http.MethodPost {
		return
	}
	d := newDelivery(c, x)
	d.Body, d.Verdict, d.Reason = x.body, journal.VerdictUnmapped, ErrDefect.Error()
	if x.source.TestMode {
		d.Verdict = journal.VerdictTest
	}
	if _, err := i.append(c.Request.Context(), d, nil); err != nil {
		i.log.ErrorContext(c.Request.Context(), "delivery not kept",
			"tenant", d.Tenant, "source", d.Source, "delivery", d.ID, "error", err)
		return
	}
	x.kept, x.verdict, x.reason = true, d.Verdict, d.Reason
}

// logPanic logs where it happened, and of the cause only its type, or a runtime error's text: any
// other may hold a value of the body (law 7).
func (i *Ingress) logPanic(ctx context.Context, x *exchange, cause any, stack []byte) {
	text := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		text = err.Error()
	}
	i.log.ErrorContext(ctx, "panic", "tenant", x.source.Tenant, "source", x.source.ID, "delivery", x.delivery,
		"cause", text, "stack", string(stack))
}

// logExchange writes the one line per request (R165, R212, R216).
func (i *Ingress) logExchange(c *gin.Context, x *exchange, took time.Duration) {
	status := c.Writer.Status()
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError || status > 500 && x.body != nil && !x.place.rehearsal:
		level = slog.LevelError // ours; a body that never came whole (503 too) is the sender's, a lookup the QMS's
	case status >= 400 || x.secret > 0:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("tenant", x.source.Tenant), slog.String("source", x.source.ID), slog.String("delivery", x.delivery),
		slog.Any("fingerprint", x.fingerprints), slog.String("verdict", string(x.verdict)),
		slog.Int("status", status), slog.Duration("took", took),
	}
	if len(x.enrollments) > 0 {
		attrs = append(attrs, slog.Any("enrollment", x.enrollments))
	}
	if x.reason != "" {
		attrs = append(attrs, slog.String("reason", x.reason))
	}
	if x.secret > 0 {
		attrs = append(attrs, slog.Int("old_secret", x.secret))
	}
	if x.mounted != "" {
		attrs = append(attrs, slog.String("route", x.mounted))
		i.log.LogAttrs(c.Request.Context(), level, "request", attrs...)
		return
	}
	i.log.LogAttrs(c.Request.Context(), level, "delivery", attrs...)
}

// requestID is the sender's own if it is harmless to repeat, else the delivery's id.
func requestID(r *http.Request, delivery string) string {
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) {
		return delivery
	}
	return id
}
