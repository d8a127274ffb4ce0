package ingress

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// bodyGrace is for any body; what has not come by then must have come at slowestBody on average. 1 KiB
	// may so take 5 seconds, and 1 MiB 21: slower than any LMS waits (R6), too fast to hold a connection for
	// ever by a byte now and then.
	bodyGrace   = 5 * time.Second
	slowestBody = 64 << 10 // bytes per second
)

// pace is how fast bodies must come.
type pace struct {
	grace   time.Duration
	slowest int64 // bytes per second
}

// allows is the time within which so many bytes must have come.
func (p pace) allows(bytes int64) time.Duration {
	return p.grace + time.Duration(float64(bytes)/float64(p.slowest)*float64(time.Second))
}

// pacedBody is a request's body that fails when it comes too slowly. It does not take the place of
// http.Request.Body, by whose type net/http knows whether the connection can be used again.
type pacedBody struct {
	body    io.Reader
	control *http.ResponseController
	pace    pace
	// most is the largest body that is read, in bytes.
	most int64

	started time.Time // zero before the first Read
	got     int64
}

// Read implements io.Reader. The deadlines are of the connection, so they are the machine's time and no
// other clock's. They replace those of the server, which are the same for a byte and for a megabyte. A
// ResponseWriter without deadlines is none of a real server; its errors mean nothing.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.started.IsZero() {
		b.started = time.Now()
		_ = b.control.SetWriteDeadline(b.started.Add(b.pace.allows(b.most) + appendTimeout + answerTimeout))
	}
	_ = b.control.SetReadDeadline(b.started.Add(b.pace.allows(b.got)))
	n, err := b.body.Read(p)
	b.got += int64(n)
	if errors.Is(err, io.EOF) {
		// The server goes on reading to see whether the client hangs up; a deadline that passed
		// meanwhile would look like that.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
