package dispatch

import (
	"context"
	"sync"
	"time"

	"countersign/workflows"
)

// carryTimeout bounds one signal. It is not any teller's deadline, because the signal is many tellers'.
const carryTimeout = 10 * time.Second

// post gathers the items of a tenant while a signal to its inbox is under way, and sends them with the next one. Temporal carries signals to
// one workflow out one after the other, some thirty in a second: of thousands that were sent at once most would time out
// while they wait there, be tried again, and be carried out all the same.
type post struct {
	carry func(ctx context.Context, tenant string, items []workflows.InboxItem) error

	mu sync.Mutex
	// waiting has the letters of each tenant that somebody carries for, also where none waits.
	waiting map[string][]*letter
}

// letter is an item on its way.
type letter struct {
	item workflows.InboxItem
	// ctx is its teller's.
	ctx context.Context
	// answer has room for one, so that nobody waits for a teller who has left.
	answer chan error
}

func newPost(carry func(context.Context, string, []workflows.InboxItem) error) *post {
	return &post{carry: carry, waiting: map[string][]*letter{}}
}

// send returns when the item has been carried or could not be, or when ctx ends: then it may be carried all the same.
func (p *post) send(ctx context.Context, tenant string, item workflows.InboxItem) error {
	l := &letter{item: item, ctx: ctx, answer: make(chan error, 1)}
	p.mu.Lock()
	letters, carried := p.waiting[tenant]
	p.waiting[tenant] = append(letters, l)
	p.mu.Unlock()
	if !carried {
		go p.deliver(tenant) //nolint:gosec // the signal is not this teller's alone
	}
	select {
	case err := <-l.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deliver carries what waits for a tenant, one signal after the other, until nothing does.
func (p *post) deliver(tenant string) {
	for letters := p.next(tenant); letters != nil; letters = p.next(tenant) {
		items := make([]workflows.InboxItem, len(letters))
		for i, l := range letters {
			items[i] = l.item
		}
		ctx, cancel := context.WithTimeout(context.Background(), carryTimeout)
		err := p.carry(ctx, tenant, items)
		cancel()
		for _, l := range letters {
			l.answer <- err
		}
	}
}

// next takes the letters of the next signal, without those that nobody waits for any more: they are told again. nil for
// none, and whoever sends next carries.
func (p *post) next(tenant string) (taken []*letter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	letters := p.waiting[tenant]
	for len(letters) > 0 && len(taken) < workflows.MaxBundle {
		if l := letters[0]; l.ctx.Err() == nil {
			taken = append(taken, l)
		}
		letters = letters[1:]
	}
	if p.waiting[tenant] = letters; taken == nil {
		delete(p.waiting, tenant)
	}
	return taken
}
