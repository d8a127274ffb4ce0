package ingress

import (
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const (
	// readTimeout bounds what is not read at a pace: headers, and bodies that nobody reads.
	readTimeout = 15 * time.Second
	// answerTimeout is for the answer alone.
	answerTimeout = 5 * time.Second
)

// NewServer is an http.Server for h with a bound on everything a client can make it wait for or
// keep. The caller sets TLS where no proxy ends it (R2, R3).
//
// Some requests never reach h. net/http answers them by itself, in plain text and with Connection: close, and
// they leave neither a log line nor a delivery, because there is no URL yet that names a source:
//
//	400  no HTTP, a malformed request line or header, no Host or two, Content-Lengths that differ
//	417  an Expect other than 100-continue
//	431  headers of more than 20 KiB
//	501  a Transfer-Encoding other than chunked
//	505  neither HTTP/1 nor, on TLS, HTTP/2
//	(nothing: hung up)  headers that are not there within 5 seconds
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       readTimeout,
		// Counted from the end of the headers: reading, appendTimeout, and the answer.
		WriteTimeout:   readTimeout + appendTimeout + answerTimeout,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10, // net/http adds 4 KiB
		// "OPTIONS *" would be answered past limits and log.
		DisableGeneralOptionsHandler: true,
		// One connection of HTTP/2 must not be worth thousands.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100},
	}
}

// Server is NewServer for the ingress's own Handler with a bound on connections (Config.MaxConnections), which
// all servers of this ingress share, and with net/http's own messages in our log, without what they quote.
func (i *Ingress) Server(addr string) *http.Server {
	server := NewServer(addr, i.Handler())
	server.ConnContext, server.ConnState = i.connections.admit, i.connections.changed
	server.ErrorLog = log.New(serverLog{i.log}, "", 0)
	return server
}

// serverLog takes the messages of net/http. They quote addresses, header names and the values of panics, so
// only what kind of message it is gets through (law 7).
type serverLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l serverLog) Write(p []byte) (int, error) {
	text := string(p)
	switch {
	case strings.HasPrefix(text, "http: TLS handshake error"):
		l.log.Debug("TLS handshake failed") // any scanner does that
	case strings.HasPrefix(text, "http: Accept error"):
		l.log.Error("connections cannot be accepted: are there enough file descriptors?")
	case strings.HasPrefix(text, "http: panic serving"):
		// The value, which may be of many lines, ends where the stack begins.
		_, stack, _ := strings.Cut(text, "\ngoroutine ")
		l.log.Error("panic outside a delivery", "stack", stack)
	default:
		l.log.Warn("the HTTP server reports a fault")
	}
	return len(p), nil
}
