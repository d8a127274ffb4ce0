package arena

import (
	"sync"
	"time"
)

const (
	// employeeTrust is how long a known employee is not asked for again: the "some minutes" of
	// the contract's rule 2 (§8). Who leaves within them is refused by the completion itself.
	employeeTrust = 5 * time.Minute
	// mostEmployees bounds the memory of a client, about 1 MiB.
	mostEmployees = 10_000
)

// employees remembers whom the QMS knows. Who is unknown is not remembered: a person may create
// the employee at any moment and press retry.
type employees struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (e *employees) known(id string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return now.Before(e.until[id])
}

func (e *employees) remember(id string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.until == nil || len(e.until) >= mostEmployees {
		e.until = map[string]time.Time{} // rare, and costs one question per employee
	}
	e.until[id] = now.Add(employeeTrust)
}

func (e *employees) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.until, id)
}
