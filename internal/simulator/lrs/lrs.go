package lrs

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"countersign/internal/simulator/fault"
)

// Options configure a simulated LRS; the zero value is strict xAPI 1.0.3 with real time.
type Options struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// After waits for latencies and late commits; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Compare is how a repeated id is judged; "" means CompareSpec.
	Compare Compare
	// MaxBytes is the largest body taken, in bytes; 0 means 1 MiB. A larger one is 413.
	MaxBytes int
	// LogSize is how many calls the API log keeps; 0 means 1000.
	LogSize int
	// Logger gets what goes wrong with the simulator itself; nil discards it.
	Logger *slog.Logger
}

// Compare is how an LRS judges a second statement under an id it already has. Real ones differ.
type Compare string

// The ways to compare.
const (
	// CompareSpec follows xAPI 1.0.3 Data 2.3.1: instants, numbers, definitions and displays
	// are compared by meaning or not at all.
	CompareSpec Compare = "spec"
	// ComparePicky takes every difference of text, even 14:30:00Z against 14:30:00.000Z.
	ComparePicky Compare = "picky"
	// CompareRefuse answers 409 to every repetition, even an equal one.
	CompareRefuse Compare = "refuse"
)

// Statement is a stored statement.
type Statement struct {
	ID string `json:"id"`
	// Raw is the statement exactly as it was sent.
	Raw    []byte    `json:"raw"`
	Stored time.Time `json:"stored"`
	// Authority is the key that sent it.
	Authority string `json:"authority"`
	// Sent says that the sender, and not the store, chose the id.
	Sent bool `json:"sent"`
	// VoidedBy is the id of the statement that voids this one, "" for none.
	VoidedBy string `json:"voidedBy,omitempty"`
}

// LRS is one simulated store. Every method is safe for concurrent use.
type LRS struct {
	*fault.Gate

	options Options
	logger  *slog.Logger
	clock   *fault.Clock
	handler http.Handler
	state   *fault.StateFile // nil without persistence

	mu         sync.Mutex
	accounts   map[string]string // secret by key
	statements map[string]*Statement
	order      []string // ids as stored
	sends      map[string]int
	compare    Compare
}

const defaultMaxBytes = 1 << 20

// New makes an empty store in memory.
func New(options Options) *LRS {
	l := &LRS{options: options, logger: options.Logger, clock: fault.NewClock(options.Now), accounts: make(map[string]string)}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.options.MaxBytes <= 0 {
		l.options.MaxBytes = defaultMaxBytes
	}
	l.Gate = fault.NewGate(fault.Config{Clock: l.clock, LogSize: options.LogSize, After: options.After,
		Error: writeScriptedError, Healthy: func() error { return l.state.Err() }})
	l.clear()
	l.handler = l.routes()
	return l
}

func (l *LRS) clear() {
	l.statements = make(map[string]*Statement)
	l.order = nil
	l.sends = make(map[string]int)
	l.compare = l.options.Compare
	if l.compare == "" {
		l.compare = CompareSpec
	}
}

// Handler serves xAPI and the controls.
func (l *LRS) Handler() http.Handler { return l.handler }

// Close ends late commits and hanging requests and closes the state file.
func (l *LRS) Close() error {
	l.Gate.Close()
	return l.state.Close()
}

// AddAccount lets a sender in with HTTP Basic. Accounts survive Reset.
func (l *LRS) AddAccount(key, secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accounts[key] = secret
}

// RemoveAccount takes a sender's access away: 401 from now on.
func (l *LRS) RemoveAccount(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.accounts, key)
}

// Statement is the stored statement with the id, voided ones included.
func (l *LRS) Statement(id string) (Statement, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.statements[id]
	if !ok {
		return Statement{}, false
	}
	return *s, true
}

// Statements lists what is stored, oldest first.
func (l *LRS) Statements() []Statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Statement, 0, len(l.order))
	for _, id := range l.order {
		out = append(out, *l.statements[id])
	}
	return out
}

// Sends counts how often a valid statement with this id arrived, however it was answered.
func (l *LRS) Sends(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sends[id]
}

// SetCompare chooses how repeated ids are judged; an unknown way is an error.
func (l *LRS) SetCompare(c Compare) error {
	if c != CompareSpec && c != ComparePicky && c != CompareRefuse {
		return fmt.Errorf("set compare: unknown way %q", c)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.compare = c
	return nil
}

// Reset empties the store: statements, faults, counters, log, clock offset and comparison.
func (l *LRS) Reset() {
	l.Gate.Reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.rewrite()
}

// authenticate names the sender; ok is false when key or secret are wrong.
func (l *LRS) authenticate(r *http.Request) (key string, ok bool) {
	key, secret, ok := r.BasicAuth()
	if !ok {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	want, known := l.accounts[key]
	return key, known && subtle.ConstantTimeCompare([]byte(want), []byte(secret)) == 1
}
