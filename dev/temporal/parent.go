package main

import (
	"context"
	"os"
	"time"
)

// watchParent ends the process in an orderly way once its parent is gone, so
// that a killed test run or product leaves no server behind.
//
// It asks every half second instead of having Linux send a signal: that signal
// is tied to the parent's thread, which a Go program may end at any time, and
// exists nowhere else. A parent that is gone before the first look is not
// noticed. On Windows the parent's id never changes, and this does nothing.
func watchParent(ctx context.Context, stop func()) {
	parent := os.Getppid()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if os.Getppid() != parent {
				stop()
				return
			}
		}
	}
}
