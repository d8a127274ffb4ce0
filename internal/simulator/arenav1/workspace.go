package arenav1

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"countersign/internal/simulator/fault"
)

// Options configure a simulated workspace. The zero value has a large budget and real time.
type Options struct {
	// Now is the clock; time.Now when nil. The control can shift it.
	Now func() time.Time
	// Budget is how many requests a UTC day has; 0 means 25,000.
	Budget int
	// LogSize is how many calls the API log keeps; 0 means 1000.
	LogSize int
}

// Workspace is one simulated Arena workspace. Every method is safe for concurrent use.
type Workspace struct {
	*fault.Gate

	options Options
	clock   *fault.Clock
	handler http.Handler

	mu       sync.Mutex
	switches Switches
	accounts []Account
	sessions map[string]*session
	users    []User
	plans    []*plan
	sequence int
	logins   int
	lastIn   string
	spent    int
	day      time.Time
}

// plan is a training plan with everything that hangs on it, in order of creation.
type plan struct {
	Plan
	items   []Item
	roster  []Trainee
	records []*Record
	files   []File
}

// New makes an empty workspace in memory.
func New(options Options) *Workspace {
	if options.Budget == 0 {
		options.Budget = 25_000
	}
	w := &Workspace{options: options, clock: fault.NewClock(options.Now), sessions: map[string]*session{}}
	w.Gate = fault.NewGate(fault.Config{Clock: w.clock, LogSize: options.LogSize, Error: writeScriptedError})
	w.handler = w.routes()
	return w
}

// Handler serves the API and the controls.
func (w *Workspace) Handler() http.Handler { return w.handler }

// guid makes the next GUID of a kind: 20 capitals and digits, as Arena's are; w.mu is held.
func (w *Workspace) guid(kind string) string {
	w.sequence++
	return fmt.Sprintf("%s%0*d", kind, 20-len(kind), w.sequence)
}

// find is the plan with this GUID, nil if there is none; w.mu is held.
func (w *Workspace) find(guid string) *plan {
	for _, p := range w.plans {
		if p.GUID == guid {
			return p
		}
	}
	return nil
}
