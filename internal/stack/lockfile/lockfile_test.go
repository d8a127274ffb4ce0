//go:build unix

package lockfile_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/stack/lockfile"
)

func TestOneHolderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "lock")
	held, err := lockfile.Try(path)
	require.NoError(t, err)

	_, err = lockfile.Try(path)
	require.ErrorIs(t, err, lockfile.ErrHeld)

	// Released by the callback, so that this ends only if Acquire really waits and asks again.
	again, err := lockfile.Acquire(t.Context(), path, func() { require.NoError(t, held.Release()) })
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := lockfile.Try(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, held.Release()) }()

	ctx, cancel := context.WithCancel(t.Context())
	_, err = lockfile.Acquire(ctx, path, cancel)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, lockfile.ErrHeld)
}
