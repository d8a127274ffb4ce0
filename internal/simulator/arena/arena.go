package arena

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"countersign/internal/simulator/fault"
)

// Options configure a simulated QMS. The zero value is the contract with real time.
type Options struct {
	// Now is the clock; time.Now when nil. The control can shift it.
	Now func() time.Time
	// After waits for latencies and late commits; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// TokenLifetime is that of new tokens; 0 means one hour.
	TokenLifetime time.Duration
	// AutoProvision switches the magic ids of the package comment on.
	AutoProvision bool
	// LogSize is how many calls the API log keeps; 0 means 1000.
	LogSize int
	// Logger gets what goes wrong with the simulator itself; nil discards it.
	Logger *slog.Logger
}

const defaultTokenLifetime = time.Hour

// Arena is one simulated QMS. Every method is safe for concurrent use.
type Arena struct {
	*fault.Gate

	options Options
	logger  *slog.Logger
	clock   *fault.Clock
	handler http.Handler
	state   *fault.StateFile // nil without persistence

	mu        sync.Mutex
	users     map[string]User
	trainings map[string]Training
	records   map[string]*Record
	order     []string            // record ids in order of creation
	pairs     map[string][]string // record ids by employee and training
	refs      map[string]string   // record id by external reference
	changes   map[string][]Change
	accounts  map[string]Account
	tokens    map[string]token
	lifetime  time.Duration
	switches  Switches
	sequence  int
}

// New makes an empty QMS in memory.
func New(options Options) *Arena {
	a := &Arena{options: options, logger: options.Logger, clock: fault.NewClock(options.Now)}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	a.Gate = fault.NewGate(fault.Config{
		Clock: a.clock, LogSize: options.LogSize, After: options.After,
		Error: writeScriptedError, Standing: a.standing,
		Healthy: func() error { return a.state.Err() },
	})
	a.clear()
	a.accounts = make(map[string]Account)
	a.handler = a.routes()
	return a
}

// Handler serves the contract and the controls.
func (a *Arena) Handler() http.Handler { return a.handler }

// Close ends late commits and hanging requests and closes the state file.
func (a *Arena) Close() error {
	a.Gate.Close()
	return a.state.Close()
}

// clear empties the store; accounts are the installation's and stay.
func (a *Arena) clear() {
	a.users = make(map[string]User)
	a.trainings = make(map[string]Training)
	a.records = make(map[string]*Record)
	a.order = nil
	a.pairs = make(map[string][]string)
	a.refs = make(map[string]string)
	a.changes = make(map[string][]Change)
	a.tokens = make(map[string]token)
	a.switches = Switches{}.normal()
	a.sequence = 0
	a.lifetime = a.options.TokenLifetime
	if a.lifetime <= 0 {
		a.lifetime = defaultTokenLifetime
	}
}
