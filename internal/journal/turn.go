package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// turns let processes that share an SQLite file write one after another.
//
// SQLite itself only tries again: after 1, 2, 5, 10, 15, 20 and then 25 to 100 ms. Beside a worker that
// writes most of the time an acknowledgement lost that race again and again; on a busy machine half
// of them took longer than 50 ms, now 15 (docs/performance.md). Here who waits is woken by the one
// who leaves.
//
// They are a courtesy and not a lock: SQLite's own still guards the file. Whoever does not get a
// turn in time writes without one.
//
// There are two files. A process waits in the queue, then for the desk, and gives its place in the
// queue up when it has the desk. With the desk alone the one that leaves would come back before
// the other is awake, and get it again.
type turns struct {
	queue, desk *os.File
	// mine is held by the one goroutine of this process that waits or writes: the files know
	// processes only.
	mine chan struct{}
	// late is true while a wait that was given up still goes on in the kernel, which knows no
	// deadline: then nobody waits.
	late     atomic.Bool
	patience time.Duration
}

// turnPatience is how long a turn is waited for: far longer than a transaction takes. A process that was
// stopped in the middle of one must not stop the others for longer.
const turnPatience = 2 * time.Second

// openTurns makes the two files beside the database, for this user alone. They are empty
// and never removed: another process may hold them.
func openTurns(path string) (*turns, error) {
	t := &turns{mine: make(chan struct{}, 1), patience: turnPatience}
	for name, file := range map[string]**os.File{path + "-queue": &t.queue, path + "-turn": &t.desk} {
		opened, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("SQLite turns: %w", err), t.close())
		}
		*file = opened
	}
	return t, nil
}

// take waits for this goroutine's turn; leave ends it. The error is that of ctx and nothing else.
func (t *turns) take(ctx context.Context) (leave func(), err error) {
	none := func() {}
	if t == nil || t.late.Load() {
		return none, ctx.Err()
	}
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case t.mine <- struct{}{}:
	case <-timer.C:
		return none, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
	end := func() { unlock(t.desk); <-t.mine }
	queued := tryLock(t.queue)
	if queued && tryLock(t.desk) { // nobody else is here: the usual case
		unlock(t.queue)
		return end, nil
	}
	came := make(chan struct{})
	go func() {
		defer close(came)
		if !queued { // a place in the queue is not given up to ask for it again
			waitLock(t.queue)
		}
		waitLock(t.desk)
		unlock(t.queue)
	}()
	select {
	case <-came:
		return end, nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.late.Store(true)
	go func() {
		<-came
		t.late.Store(false)
		end()
	}()
	return none, err
}

// close waits for a wait under way, which still needs the files; one that does not end keeps them.
func (t *turns) close() error {
	if t == nil {
		return nil
	}
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case t.mine <- struct{}{}:
	case <-timer.C:
		return nil
	}
	var errs []error
	for _, file := range []*os.File{t.queue, t.desk} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}
