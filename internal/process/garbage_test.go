package process

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// What is alive decides, also when it changes while the process runs.
func TestGarbageIsLetGrowWhileLittleIsAlive(t *testing.T) {
	before := debug.SetGCPercent(usual)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	now := func() int {
		percent := debug.SetGCPercent(usual)
		debug.SetGCPercent(percent)
		return percent
	}
	runtime.GC()
	require.Less(t, alive(), uint64(littleAlive))

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); watchGarbage(ctx) }()
		synctest.Wait()
		require.Equal(t, patient, now())
		cancel()
		<-done
	})

	much := make([]byte, littleAlive+1)
	runtime.GC()
	require.Equal(t, usual, garbagePercent(alive()))
	runtime.KeepAlive(much)
}
