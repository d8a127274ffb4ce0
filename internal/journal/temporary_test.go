package journal

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// An index over ten million completions is sorted in two gigabytes: a migration that ran out of memory would do so
// at every start.
func TestMigrationsSortInFiles(t *testing.T) {
	j, err := Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	store := func() int {
		n, err := one(t.Context(), j, j.write, scanInt, `PRAGMA temp_store`)
		require.NoError(t, err)
		return n
	}
	const file, memory = 1, 2
	require.Equal(t, memory, store(), "after the migrations of Open")
	failed := errors.New("migration failed")
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, inOneTransaction(ctx, j.write, func() error {
		require.Equal(t, file, store())
		cancel()
		return failed
	}), failed)
	require.Equal(t, memory, store(), "after one that failed")
	require.NoError(t, j.Ping(t.Context()), "nothing is left open")
}
