package fault

import (
	"maps"
	"sync"
	"time"
)

// Entry is one line of the API log. A body is kept as its hash only, the way a vendor's log
// would: enough to see that the same bytes came twice.
type Entry struct {
	At        time.Time `json:"at"`
	Endpoint  Endpoint  `json:"endpoint"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Status    int       `json:"status"` // 0 when the connection was dropped
	RequestID string    `json:"requestId,omitempty"`
	Subject   string    `json:"subject,omitempty"` // owner of the token or key
	Reason    string    `json:"reason,omitempty"`  // the error's stable word
	Fault     string    `json:"fault,omitempty"`   // the scripted answer that was given
	BodyHash  string    `json:"bodyHash,omitempty"`
}

// apiLog keeps the last entries and counts every call.
type apiLog struct {
	mu      sync.Mutex
	size    int
	entries []Entry
	calls   map[Endpoint]int
}

func newAPILog(size int) *apiLog { return &apiLog{size: size, calls: make(map[Endpoint]int)} }

func (l *apiLog) count(e Endpoint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[e]++
}

func (l *apiLog) add(entry Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Cutting off at twice the size makes the copying rare.
	if len(l.entries) >= 2*l.size {
		l.entries = append([]Entry(nil), l.entries[len(l.entries)-l.size+1:]...)
	}
	l.entries = append(l.entries, entry)
}

// tail is the last n entries (all kept ones when n is 0), oldest first.
func (l *apiLog) tail(n int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n <= 0 || n > l.size {
		n = l.size
	}
	n = min(n, len(l.entries))
	return append([]Entry{}, l.entries[len(l.entries)-n:]...)
}

func (l *apiLog) counts() map[Endpoint]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.calls)
}

func (l *apiLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.calls = nil, make(map[Endpoint]int)
}
