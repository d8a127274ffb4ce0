package clock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrNoLibrary is that libfaketime is not installed.
var ErrNoLibrary = errors.New("libfaketime is not installed (Debian, Ubuntu: apt-get install libfaketime)")

// libraries are where distributions put it.
func libraries() []string {
	return []string{"/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib64/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1"}
}

// Preloaded is the clock of processes that ask the C library for the time, as PostgreSQL does: libfaketime stands before it. A
// process of any account may look at it.
type Preloaded struct{ library, dir string }

// NewPreloaded makes a clock that is right, in a folder of its own; Close removes it. It is ErrNoLibrary where there is none.
func NewPreloaded() (_ Preloaded, err error) {
	library := ""
	for _, pattern := range libraries() {
		if found, _ := filepath.Glob(pattern); len(found) > 0 { // the patterns are well formed
			library = found[0]
			break
		}
	}
	if library == "" {
		return Preloaded{}, fmt.Errorf("make a clock: %w", ErrNoLibrary)
	}
	dir, err := os.MkdirTemp("", "clock")
	if err != nil {
		return Preloaded{}, fmt.Errorf("make a clock: %w", err)
	}
	p := Preloaded{library, dir}
	if err := errors.Join(os.Chmod(dir, 0o755), p.Set(0)); err != nil { //nolint:gosec // PostgreSQL has an account of its own
		return Preloaded{}, errors.Join(fmt.Errorf("make a clock: %w", err), p.Close())
	}
	return p, nil
}

func (p Preloaded) file() string { return filepath.Join(p.dir, "offset") }

// Environment is what the processes are to have in theirs. How long something takes they measure as before.
func (p Preloaded) Environment() []string {
	return []string{
		"LD_PRELOAD=" + p.library, "FAKETIME_TIMESTAMP_FILE=" + p.file(),
		"FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DISABLE_SHM=1",
	}
}

// Set steps the clock so that it is off by so much, to whole seconds; whoever asks next sees it.
func (p Preloaded) Set(by time.Duration) error {
	next := p.file() + ".next"
	//nolint:gosec // PostgreSQL has an account of its own
	if err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int64(by/time.Second)), 0o644); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	if err := os.Rename(next, p.file()); err != nil { // nobody reads half of it
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}

// Close removes the clock's folder, if there is one; nobody may ask it any more.
func (p Preloaded) Close() error { return os.RemoveAll(p.dir) }
