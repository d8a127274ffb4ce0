package journal

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// A migration is never edited once released: the next change is the next number, in both folders.
// 3 was never given; it stays free, because a database that is at 6 would refuse it.
//
//go:embed migrations
var migrationFiles embed.FS

func applyMigrations(ctx context.Context, db *sql.DB, name goose.Dialect, folder string, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrationFiles, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(name, db, files, options...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
