package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// inTx runs steps in one write transaction.
func (j *Journal) inTx(ctx context.Context, steps func(tx *sql.Tx) error) error {
	leave, err := j.turns.take(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer leave()
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := steps(tx); err != nil {
		// A failed rollback changes nothing: without a commit the database keeps nothing.
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// exec runs one writing statement as a transaction of its own and returns how many rows it changed.
func (j *Journal) exec(ctx context.Context, query string, args ...any) (int64, error) {
	leave, err := j.turns.take(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	result, err := j.write.ExecContext(ctx, j.dialect.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// querier is *sql.DB or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is *sql.Row or *sql.Rows.
type scanner interface{ Scan(into ...any) error }

// list runs a query and scans every row with scan.
func list[T any](ctx context.Context, j *Journal, from querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := from.QueryContext(ctx, j.dialect.rebind(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one runs a query for one row; no row is ErrNotFound.
func one[T any](ctx context.Context, j *Journal, from querier, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	found, err := scan(from.QueryRowContext(ctx, j.dialect.rebind(query), args...))
	if errors.Is(err, sql.ErrNoRows) {
		return found, ErrNotFound
	}
	return found, err
}
