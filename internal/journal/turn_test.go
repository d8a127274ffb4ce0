//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// processes are n that share a file, as the locks see them: flock tells open files apart.
func processes(t *testing.T, n int) []*turns {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	all := make([]*turns, n)
	for i := range all {
		var err error
		all[i], err = openTurns(path)
		require.NoError(t, err)
		all[i].patience = time.Minute
		t.Cleanup(func() { require.NoError(t, all[i].close()) })
	}
	return all
}

func take(t *testing.T, of *turns) (leave func()) {
	t.Helper()
	leave, err := of.take(t.Context())
	require.NoError(t, err)
	return leave
}

// waits returns when somebody stands in the queue, which only the one that waits for the desk does.
func waits(t *testing.T, observer *turns) {
	t.Helper()
	require.Eventually(t, func() bool {
		if tryLock(observer.queue) {
			unlock(observer.queue)
			return false
		}
		return true
	}, 10*time.Second, time.Millisecond)
}

// The one that leaves and comes back at once does not get in before the one that waits.
func TestWhoWaitsIsNext(t *testing.T) {
	p := processes(t, 3)
	leave := take(t, p[0])
	order := make(chan string, 2)
	left := make(chan struct{})
	go func() {
		defer close(left)
		leave, _ := p[1].take(context.Background())
		defer leave()
		order <- "waited"
	}()
	waits(t, p[2])
	leave()
	take(t, p[0])()
	order <- "came back"
	<-left
	require.Equal(t, "waited", <-order)
	require.Equal(t, "came back", <-order)
}

func TestGoroutinesOfOneProcessTakeTurnsToo(t *testing.T) {
	only := processes(t, 1)[0]
	n, done := 0, make(chan struct{})
	for range 50 {
		go func() {
			leave, _ := only.take(context.Background())
			n++ // the race detector sees it, were two inside
			leave()
			done <- struct{}{}
		}()
	}
	for range 50 {
		<-done
	}
	require.Equal(t, 50, n)
}

// A process that was stopped in the middle of its turn stops nobody: whoever has waited long enough
// writes without one, and those behind him do not wait at all, until the turn comes after all.
func TestNobodyWaitsForEver(t *testing.T) {
	p := processes(t, 2)
	leave := take(t, p[0])
	p[1].patience = time.Millisecond
	take(t, p[1])()
	require.True(t, p[1].late.Load())
	p[1].patience = time.Minute
	take(t, p[1])() // at once

	leave()
	require.Eventually(t, func() bool { return !p[1].late.Load() && len(p[1].mine) == 0 }, 10*time.Second, time.Millisecond)
	take(t, p[1])()
	take(t, p[0])() // what came late was given back
}

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	p := processes(t, 2)
	leave := take(t, p[0])
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := p[1].take(ctx)
		ended <- err
	}()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	leave()
	require.Eventually(t, func() bool { return len(p[1].mine) == 0 }, 10*time.Second, time.Millisecond)
	take(t, p[0])()
}

func TestTurnsAreEmptyFilesOfOurOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	opened, err := openTurns(path)
	require.NoError(t, err)
	require.NoError(t, opened.close())
	for _, suffix := range []string{"-queue", "-turn"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Zero(t, info.Size())
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	_, err = openTurns(filepath.Join(t.TempDir(), "none", "journal.db"))
	require.ErrorContains(t, err, "SQLite turns")
}

func TestPostgresKnowsNoTurns(t *testing.T) {
	var none *turns
	leave, err := none.take(t.Context())
	require.NoError(t, err)
	leave()
	require.NoError(t, none.close())
}
