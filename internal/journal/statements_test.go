package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The same query inside of its own rows, a query that fails, one that is left in the middle, and more queries
// than are kept: a kept statement never carries anything from one use into the next.
func TestKeptStatementsAreAsNew(t *testing.T) {
	ctx := context.Background()
	db, err := openKeeping(sqliteURI(filepath.Join(t.TempDir(), "kept.db")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (1), (2), (3)`)
	require.NoError(t, err)

	const above = `SELECT n FROM t WHERE n > ? ORDER BY n`
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	numbers := func(query string, arg int, each func(n int)) {
		rows, err := tx.QueryContext(ctx, query, arg)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var n int
			require.NoError(t, rows.Scan(&n))
			each(n)
		}
		require.NoError(t, rows.Err())
	}
	var pairs []string
	numbers(above, 0, func(a int) {
		numbers(above, a, func(b int) { pairs = append(pairs, fmt.Sprint(a, b)) })
	})
	require.Equal(t, []string{"1 2", "1 3", "2 3"}, pairs)
	require.NoError(t, tx.Commit())

	for range 3 {
		var first int
		require.NoError(t, db.QueryRowContext(ctx, above, 1).Scan(&first), "the rest is not read")
		require.Equal(t, 2, first)
		_, err = db.ExecContext(ctx, `INSERT INTO t VALUES (?)`, 1)
		require.ErrorContains(t, err, "UNIQUE")
	}
	for n := range 2 * keptStatements {
		var got int
		require.NoError(t, db.QueryRowContext(ctx, fmt.Sprintf(`SELECT ? + %d`, n), 1).Scan(&got))
		require.Equal(t, n+1, got)
	}
	_, err = db.ExecContext(ctx, `ALTER TABLE t ADD COLUMN text TEXT NOT NULL DEFAULT ''`)
	require.NoError(t, err)
	var first int
	require.NoError(t, db.QueryRowContext(ctx, above, 2).Scan(&first), "compiled anew after a migration")
	require.Equal(t, 3, first)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = db.ExecContext(ended, `INSERT INTO t (n) VALUES (?)`, 9)
	require.ErrorIs(t, err, context.Canceled)
	_, err = db.ExecContext(ctx, `INSERT INTO t (n) VALUES (?)`, 9)
	require.NoError(t, err)
}

// A statement that breaks on a later row goes, as one that breaks on its first does: the driver leaves it with
// parameters that are no longer there.
func TestStatementThatBreaksOnALaterRowIsNotKept(t *testing.T) {
	ctx := context.Background()
	db, err := openKeeping(sqliteURI(filepath.Join(t.TempDir(), "kept.db")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `CREATE TABLE t (n INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 1), (2, -9223372036854775808)`)
	require.NoError(t, err)

	const broken, whole = `SELECT abs(v) FROM t WHERE n > ? ORDER BY n`, `SELECT v FROM t WHERE n > ? ORDER BY n`
	read := func(query string) error {
		rows, err := db.QueryContext(ctx, query, 0)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var v int64
			require.NoError(t, rows.Scan(&v))
		}
		return rows.Err()
	}
	require.ErrorContains(t, read(broken), "overflow")
	require.NoError(t, read(whole))
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(driver any) error {
		kept := driver.(*keepingConn).kept
		require.NotContains(t, kept, broken)
		require.Contains(t, kept, whole)
		return nil
	}))
}
