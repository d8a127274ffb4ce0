package ingress

import (
	"net/http"
	"time"
)

// NewServer is an http.Server for h with a bound on everything a client can make it wait for or
// keep. The caller sets TLS where no proxy ends it (R2, R3).
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		// 1 MiB in 15 seconds is 70 KB/s: slower than any LMS, too fast to hold a
		// connection open for ever.
		ReadTimeout: 15 * time.Second,
		// Counted from the end of the headers: reading, appendTimeout, and the answer.
		WriteTimeout:   15*time.Second + appendTimeout + 5*time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
}
