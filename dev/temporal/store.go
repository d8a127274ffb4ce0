package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema/sqlite"
)

// store is the SQLite database, ready for the server: with schema and namespace.
type store struct {
	config *config.SQL
	file   string // empty: in memory
}

func openStore(opts options) (store, error) {
	s := store{file: opts.dbFile, config: &config.SQL{PluginName: sqliteplugin.PluginName}}
	if s.file == "" {
		// The server's driver sets the schema up by itself in this mode.
		s.config.DatabaseName = program
		s.config.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
		maps.Copy(s.config.ConnectAttributes, opts.pragmas)
		return s, createNamespace(opts, s.config)
	}

	path, err := filepath.Abs(s.file)
	if err != nil {
		return s, fmt.Errorf("find the database file: %w", err)
	}
	// The name becomes part of a URI, where a question mark would end it.
	s.config.DatabaseName = (&url.URL{Path: path}).EscapedPath()
	s.config.ConnectAttributes = map[string]string{
		"mode":         "rwc",
		"journal_mode": "wal",
		"synchronous":  opts.synchronous,
		// A second server on the same file would take the first one's work
		// away from it; the lock makes it fail instead. It waits this long,
		// for a predecessor that is still stopping.
		"locking_mode": "exclusive",
		"busy_timeout": "5000",
	}
	maps.Copy(s.config.ConnectAttributes, opts.pragmas)

	if err := s.prepare(opts); err != nil {
		if strings.Contains(err.Error(), "SQLITE_BUSY") || strings.Contains(err.Error(), "database is locked") {
			return s, fmt.Errorf("database %s is in use by another process", s.file)
		}
		return s, fmt.Errorf("database %s: %w", s.file, err)
	}
	return s, nil
}

// prepare sets up a new file, or makes sure that an old one is ours to open.
func (s store) prepare(opts options) error {
	info, err := os.Stat(s.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && info.Size() > 0 { // tests like to pass an empty temporary file
		if err := s.checkVersion(); err != nil {
			return err
		}
		return createNamespace(opts, s.config)
	}

	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return err
	}
	if err := sqlite.SetupSchema(s.config); err != nil {
		return fmt.Errorf("set up the schema: %w", err)
	}
	if err := createNamespace(opts, s.config); err != nil {
		return err
	}
	// Last, so that a file whose setup was killed half-way is recognised.
	if err := os.WriteFile(s.versionFile(), []byte(headers.ServerVersion+"\n"), 0o600); err != nil {
		return fmt.Errorf("note the server version: %w", err)
	}
	return nil
}

func (s store) versionFile() string { return s.file + ".version" }

// checkVersion compares the server that made the file with this one. Temporal
// has no migration for SQLite and does not look at the schema version either:
// it would start, and fail later in odd places.
func (s store) checkVersion() error {
	remedy := fmt.Sprintf("delete it with its companions (%s-wal, %[1]s-shm, %[1]s.version) or give another --db-filename", s.file)
	content, err := os.ReadFile(s.versionFile())
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no %s beside it, so it is of unknown origin or its setup was interrupted; %s", filepath.Base(s.versionFile()), remedy)
	}
	if err != nil {
		return err
	}
	if version := strings.TrimSpace(string(content)); version != headers.ServerVersion {
		return fmt.Errorf("made by Temporal server %s, this is %s, and SQLite files cannot be migrated; %s", version, headers.ServerVersion, remedy)
	}
	return nil
}

// checkpoint moves the write-ahead log into the database file after the server
// stopped, which does not do so itself; the file may then be copied alone.
func (s store) checkpoint() error {
	if s.file == "" {
		return nil
	}
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, s.config, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open the database for the checkpoint: %w", err)
	}
	if err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("checkpoint the database: %w", err)
	}
	return nil
}
