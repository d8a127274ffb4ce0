package notify

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Memo remembers over which channels a notice went out, so that a resend goes only over the others
// (law 2: one notice). A notice is known by tenant and id. Told twice for the same is once.
//
// What it must outlive decides what it is kept in: Memory outlives an attempt, the journal also a
// restart and another worker's attempt.
type Memo interface {
	// Told reports whether the notice went out over the channel.
	Told(ctx context.Context, tenant, notice, channel string) (bool, error)
	// MarkTold remembers that it did.
	MarkTold(ctx context.Context, tenant, notice, channel string) error
}

// Memory is a Memo in this process: after a restart, or in another worker, a notice that was under
// way may go out a second time over a channel that had taken it.
type Memory struct {
	keep int
	mu   sync.Mutex
	told []delivery
}

type delivery struct{ tenant, notice, channel string }

// NewMemory keeps the latest keep entries, one per notice and channel.
func NewMemory(keep int) (*Memory, error) {
	if keep < 1 {
		return nil, errors.New("new memory of notices: nothing would be kept")
	}
	return &Memory{keep: keep}, nil
}

// Told implements Memo.
func (m *Memory) Told(_ context.Context, tenant, notice, channel string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.told, delivery{tenant, notice, channel}), nil
}

// MarkTold implements Memo.
func (m *Memory) MarkTold(_ context.Context, tenant, notice, channel string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry := delivery{tenant, notice, channel}
	if slices.Contains(m.told, entry) {
		return nil
	}
	m.told = append(m.told, entry)
	if surplus := len(m.told) - m.keep; surplus > 0 {
		m.told = slices.Delete(m.told, 0, surplus)
	}
	return nil
}
