package fault

import (
	"sync"
	"time"
)

// lateCommit is a change that was answered and not made yet.
type lateCommit struct {
	once    sync.Once
	apply   func()
	dropped chan struct{}
}

func (l *lateCommit) commit() {
	l.once.Do(l.apply)
}

// schedule keeps apply for delay, or until CommitLate when delay is negative.
func (g *Gate) schedule(delay time.Duration, apply func()) {
	l := &lateCommit{apply: apply, dropped: make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.late = append(g.late, l)
	if delay < 0 {
		return
	}
	due := g.cfg.After(delay)
	g.wg.Go(func() {
		select {
		case <-due:
			l.commit()
			g.forget(l)
		case <-l.dropped:
		case <-g.done:
		}
	})
}

// CommitLate makes every outstanding late change now and returns how many there were.
func (g *Gate) CommitLate() int {
	g.mu.Lock()
	late := g.late
	g.late = nil
	g.mu.Unlock()
	for _, l := range late {
		l.commit()
		close(l.dropped)
	}
	return len(late)
}

func (g *Gate) forget(l *lateCommit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.late {
		if g.late[i] == l {
			g.late = append(g.late[:i:i], g.late[i+1:]...)
			return
		}
	}
}
