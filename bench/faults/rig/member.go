package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"countersign/bench/faults/disk"
	"countersign/internal/stack"
)

// member is one of our processes under the care of a supervisor, as systemd or Kubernetes would
// have it: whatever ends it, it is started again.
type member struct {
	name    string
	command stack.Command
	health  string // URL
	trap    *disk.Trap
	say     func(format string, args ...any)
	done    chan struct{}

	mu      sync.Mutex
	process *stack.Process
	back    time.Duration // how long it stays away after the next end
	killed  bool          // the next end is our doing
	held    chan struct{} // closed when it may start again; nil when it may
	ended   int           // ends that were not our doing
	closing bool
}

// usualBack is how soon a process that ended by itself is started again.
const usualBack = 300 * time.Millisecond

func startMember(ctx context.Context, name string, command stack.Command, health string, trap *disk.Trap, say func(string, ...any)) (*member, error) {
	m := &member{name: name, command: command, health: health, trap: trap, say: say, done: make(chan struct{}), back: usualBack}
	p, err := stack.Start(command)
	if err != nil {
		return nil, err
	}
	m.process = p
	go m.supervise()
	if err := stack.WaitHTTP(ctx, health, p); err != nil {
		return nil, errors.Join(fmt.Errorf("%w, see %s", err, command.LogFile), m.close())
	}
	return m, nil
}

func (m *member) supervise() {
	defer close(m.done)
	for {
		p := m.current()
		<-p.Done()
		sprung, err := m.trap.Sprung()
		if err != nil {
			m.say("%v", err)
		}
		m.mu.Lock()
		back := m.back
		if !sprung && !m.killed && !m.closing {
			m.ended++
			m.say("%s ended by itself: %v", m.name, p.Err())
		}
		m.back, m.killed = usualBack, false
		closing := m.closing
		m.mu.Unlock()
		if closing {
			return
		}
		time.Sleep(back)
		if !m.lockWhenFree() {
			return
		}
		if p, err = stack.Start(m.command); err == nil {
			m.process = p
		} else {
			m.say("%v", err)
		}
		m.mu.Unlock()
	}
}

// lockWhenFree waits until the process may start, and locks; it reports false, and does not, when none is to start any more.
func (m *member) lockWhenFree() bool {
	for {
		m.mu.Lock()
		held := m.held
		if m.closing {
			m.mu.Unlock()
			return false
		}
		if held == nil {
			return true
		}
		m.mu.Unlock()
		<-held
	}
}

func (m *member) current() *stack.Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process
}

// runs waits until there is a process: who is away cannot be killed.
func (m *member) runs(ctx context.Context) error {
	for {
		select {
		case <-m.current().Done():
		default:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", m.name, ctx.Err())
		case <-time.After(awaitPoll):
		}
	}
}

// kill is kill -9; the process comes back after the given time. One that is away stays away as long as it would have.
func (m *member) kill(back time.Duration) error {
	m.mu.Lock()
	p := m.process
	select {
	case <-p.Done():
	default:
		m.back, m.killed = back, true
	}
	m.mu.Unlock()
	return p.Kill()
}

// stay says how long the process stays away, which has just fallen.
func (m *member) stay(away time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.back = away
}

// hold kills and keeps away until release.
func (m *member) hold() error {
	m.mu.Lock()
	m.held = make(chan struct{})
	m.mu.Unlock()
	return m.kill(0)
}

func (m *member) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held != nil {
		close(m.held)
		m.held = nil
	}
}

// freeze stops the process as SIGSTOP does; thaw lets it go on.
func (m *member) freeze() error { return m.signal(syscall.SIGSTOP) }

func (m *member) thaw() error { return m.signal(syscall.SIGCONT) }

func (m *member) signal(s syscall.Signal) error {
	if err := syscall.Kill(-m.current().PID(), s); err != nil {
		return fmt.Errorf("signal %s: %w", m.name, err)
	}
	return nil
}

// ready waits until the process answers, whichever run of it that is.
func (m *member) ready(ctx context.Context) error {
	for {
		p := m.current()
		err := stack.WaitHTTP(ctx, m.health, p)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", m.name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// close ends the care and the process.
func (m *member) close() error {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	m.release()
	err := m.current().Kill()
	<-m.done
	return err
}

// log reads what the process and its predecessors wrote.
func (m *member) log() ([]byte, error) { return os.ReadFile(m.command.LogFile) }

func logFile(dir, name string) string { return filepath.Join(dir, name+".log") }
