package fault

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"time"
)

// MaxBody is the most a gate reads of a request, in bytes; a longer one is marked Cut.
const MaxBody = 8 << 20

// Config is what a simulated system tells its gate.
type Config struct {
	Clock *Clock
	// LogSize is how many entries the API log keeps; 0 means 1000.
	LogSize int
	// After is time.After when nil; tests replace it.
	After func(time.Duration) <-chan time.Time
	// Error writes the body of a scripted status in the system's own shape.
	Error func(w http.ResponseWriter, x *Exchange, status int)
	// Healthy reports why the system cannot go on, e.g. StateFile.Err: every call is then
	// answered 500, the one that found out included. nil means always healthy.
	Healthy func() error
	// Standing gives misbehavior that no script asked for (magic ids); nil for none.
	Standing func(endpoint Endpoint, key string) (Fault, bool)
}

// Gate is what every request to a simulated system passes: it counts the call, takes the next
// scripted fault, lets the handler act or not, and answers well or badly. A *Gate is safe for
// concurrent use.
//
// A simulated system embeds its gate: the gate's methods are the part of its controls that is
// the same everywhere.
type Gate struct {
	cfg    Config
	script script
	log    *apiLog
	done   chan struct{}
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	late   []*lateCommit
}

// Exchange is one request on its way through the gate.
type Exchange struct {
	Endpoint  Endpoint
	RequestID string
	// Body is the whole body; Cut says that it was longer than MaxBody.
	Body []byte
	Cut  bool
	// Subject and Reason are set by the handler, for the log.
	Subject string
	Reason  string

	fault Fault
	late  func()
}

// Handler answers one request after the gate has read it.
type Handler func(w http.ResponseWriter, r *http.Request, x *Exchange)

// NewGate starts a gate; Close ends it.
func NewGate(cfg Config) *Gate {
	if cfg.LogSize <= 0 {
		cfg.LogSize = 1000
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	return &Gate{cfg: cfg, log: newAPILog(cfg.LogSize), done: make(chan struct{})}
}

// Close releases hanging requests, forgets late commits that are not due yet and waits for
// their goroutines. It may be called more than once.
func (g *Gate) Close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.done)
	}
	g.mu.Unlock()
	g.wg.Wait()
}

// Fault scripts faults for an endpoint, or for Any; they are used up in order.
func (g *Gate) Fault(endpoint Endpoint, faults ...Fault) { g.script.add(endpoint, faults...) }

// ClearFaults forgets the faults of the given endpoints, or of all when none is given.
func (g *Gate) ClearFaults(endpoints ...Endpoint) { g.script.clear(endpoints...) }

// Faults is a copy of what is still scripted.
func (g *Gate) Faults() map[Endpoint][]Fault { return g.script.list() }

// SetClockOffset shifts the system's clock against the real one.
func (g *Gate) SetClockOffset(d time.Duration) { g.cfg.Clock.SetOffset(d) }

// Calls counts the raw requests to endpoint, or to all with Any, faulty ones included.
func (g *Gate) Calls(endpoint Endpoint) int {
	counts := g.log.counts()
	if endpoint != Any {
		return counts[endpoint]
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// AllCalls is a copy of the raw counters.
func (g *Gate) AllCalls() map[Endpoint]int { return g.log.counts() }

// Log is the last n entries of the API log, oldest first; 0 means all that are kept.
func (g *Gate) Log(n int) []Entry { return g.log.tail(n) }

// Reset forgets faults, late commits, counters, log and clock offset.
func (g *Gate) Reset() {
	g.script.clear()
	g.cfg.Clock.SetOffset(0)
	g.mu.Lock()
	for _, l := range g.late {
		close(l.dropped)
	}
	g.late = nil
	g.mu.Unlock()
	g.log.reset()
}

// Wrap puts handler behind the gate as endpoint. key names the thing a request is about, for
// faults limited to it; nil when there is none.
func Wrap(g *Gate, endpoint Endpoint, key func(*http.Request) string, handler Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{Endpoint: endpoint, RequestID: requestID(r)}
		// The body is read first: only then does net/http notice a caller who goes away.
		body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
		if err != nil {
			panic(http.ErrAbortHandler) // the caller stopped half-way; there is nobody to answer
		}
		x.Cut = len(body) > MaxBody
		x.Body = body[:min(len(body), MaxBody)]
		g.log.count(endpoint)

		about := ""
		if key != nil {
			about = key(r)
		}
		var faulty bool
		x.fault, faulty = g.next(endpoint, about)
		if x.fault.Latency != 0 && !g.wait(r.Context(), x.fault.Latency) {
			g.note(r, x, 0, faulty)
			panic(http.ErrAbortHandler)
		}

		w.Header().Set("X-Request-ID", x.RequestID)
		answer := newRecorder(w.Header())
		// With no effect and no normal answer the handler never hears of the request:
		// that is a proxy's 503, or a connection that broke on the way in.
		if x.fault.Apply != ApplyNever || x.fault.Answer == AnswerNormal {
			handler(answer, r, x)
		}
		status := x.fault.Status
		if broken := g.cfg.Healthy != nil && g.cfg.Healthy() != nil; broken {
			status = http.StatusInternalServerError
		} else if x.fault.Answer != AnswerStatus {
			status = 0
		}
		if status != 0 {
			answer = newRecorder(w.Header())
			g.cfg.Error(answer, x, status)
		}
		// Log and late commit are in place before the caller can see the answer.
		g.note(r, x, loggedStatus(x.fault, answer), faulty)
		if x.late != nil {
			g.schedule(x.fault.Delay, x.late)
		}
		writeAnswer(w, x.fault, answer)
	}
}

// Attempt runs a change now, never or after the answer, as the fault of this exchange says.
// attempt checks and, with commit, changes in one step; it returns the answer and whether the
// change is (or would be) made. A late change is checked again when its time comes.
func Attempt[T any](x *Exchange, attempt func(commit bool) (answer T, changes bool)) T {
	switch x.fault.Apply {
	case ApplyNever:
		answer, _ := attempt(false)
		return answer
	case ApplyLate:
		answer, changes := attempt(false)
		if changes {
			x.late = func() { attempt(true) }
		}
		return answer
	default:
		answer, _ := attempt(true)
		return answer
	}
}

// next is the fault for a request: what is scripted before what stands, or none.
func (g *Gate) next(endpoint Endpoint, about string) (f Fault, faulty bool) {
	f, faulty = g.script.take(endpoint, about)
	if !faulty && g.cfg.Standing != nil {
		f, faulty = g.cfg.Standing(endpoint, about)
	}
	if !faulty {
		f = Fault{}
	}
	return f.Normal(), faulty
}

func (g *Gate) wait(ctx context.Context, d time.Duration) bool {
	var due <-chan time.Time
	if d > 0 {
		due = g.cfg.After(d)
	}
	select {
	case <-due:
		return true
	case <-ctx.Done():
	case <-g.done:
	}
	return false
}

func (g *Gate) note(r *http.Request, x *Exchange, status int, faulty bool) {
	entry := Entry{At: g.cfg.Clock.Now(), Endpoint: x.Endpoint, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Status: status, RequestID: x.RequestID, Subject: x.Subject, Reason: x.Reason}
	if faulty {
		entry.Fault = string(x.fault.Answer) + "/" + string(x.fault.Apply)
	}
	if len(x.Body) > 0 {
		sum := sha256.Sum256(x.Body)
		entry.BodyHash = hex.EncodeToString(sum[:8])
	}
	g.log.add(entry)
}

// requestID is the caller's X-Request-ID if it is 1 to 128 visible ASCII characters, else a
// new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-ID")
	if id == "" || len(id) > 128 || bytes.ContainsFunc([]byte(id), func(c rune) bool { return c <= ' ' || c > '~' }) {
		return rand.Text()
	}
	return id
}
