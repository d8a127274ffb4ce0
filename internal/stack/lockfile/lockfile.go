// Package lockfile keeps two processes on one machine out of each other's way: two builds of
// the same binary, two local installations on one data directory. It imports the standard
// library only, so that `go run ./dev` says something soon after a fresh clone.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrHeld says that another process, or this one, holds the lock.
var ErrHeld = errors.New("in use by another process")

// retryEvery is how often Acquire asks again: the system has no waiting that a context ends.
const retryEvery = 200 * time.Millisecond

// Lock is a held lock. It ends with Release or with the process, however that ends.
type Lock struct{ file *os.File }

// Try takes the lock on path, a file made for this purpose, or returns ErrHeld. Missing
// directories are made.
func Try(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return &Lock{file}, nil
}

// Acquire waits for the lock until ctx ends. waiting, which may be nil, is called once when
// somebody else holds it.
func Acquire(ctx context.Context, path string, waiting func()) (*Lock, error) {
	for first := true; ; first = false {
		l, err := Try(path)
		if !errors.Is(err, ErrHeld) {
			return l, err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(retryEvery):
		}
	}
}

// Release gives the lock back. The file stays: removing it would let a third process lock a
// new file beside one that still waits for the old.
func (l *Lock) Release() error { return l.file.Close() }
