package stack

import (
	"bytes"
	"sync"
)

// readiness looks for the line by which our Temporal server says that all is usable:
// "ready frontend=127.0.0.1:7233 ui=off".
type readiness struct {
	seen chan struct{}

	mu   sync.Mutex
	over bool
	line []byte // the one that is not finished yet
}

func newReadiness() *readiness { return &readiness{seen: make(chan struct{})} }

// Write implements io.Writer.
func (r *readiness) Write(data []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return len(data), nil
	}
	r.line = append(r.line, data...)
	for {
		line, rest, found := bytes.Cut(r.line, []byte("\n"))
		if !found {
			return len(data), nil
		}
		if bytes.HasPrefix(line, []byte("ready frontend=")) {
			r.over, r.line = true, nil
			close(r.seen)
			return len(data), nil
		}
		r.line = rest
	}
}
