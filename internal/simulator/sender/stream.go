package sender

import (
	"context"
	"sync"
	"time"
)

// Delivery is one step of a stream: what was sent and what became of it.
type Delivery struct {
	Item
	Outcome Outcome
}

// Stream sends the next item of mix at every tick through the LMS of its profile's name, and hands each result to each,
// one at a time; while one LMS waits for its next attempt the others go on. It ends when ticks is closed (nil) or with
// ctx (its error), after what is under way has ended. A tick carries the time, so that a time.Ticker's channel and a
// test's do.
func Stream(ctx context.Context, lms map[string]*LMS, mix *Mix, ticks <-chan time.Time, each func(Delivery)) error {
	var under sync.WaitGroup
	defer under.Wait()
	var telling sync.Mutex
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now, open := <-ticks:
			if !open {
				return nil
			}
			item := mix.Next(now)
			under.Go(func() {
				outcome := lms[item.Profile.Name()].Send(ctx, item.Post)
				if ctx.Err() != nil {
					return // it failed because we stop, not because of the receiver
				}
				telling.Lock()
				defer telling.Unlock()
				each(Delivery{item, outcome})
			})
		}
	}
}
