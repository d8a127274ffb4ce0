// Package database makes the databases that are measured: SQLite files in one folder, and databases
// of one PostgreSQL server that is started when the first is asked for. Both with the settings
// with which the product runs; nothing is tuned.
package database

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"countersign/internal/postgrestest"
)

// Kind is what the journal stands on.
type Kind string

// The two that the journal knows.
const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// String is the name as people write it.
func (k Kind) String() string {
	if k == Postgres {
		return "PostgreSQL"
	}
	return "SQLite"
}

// Maker makes databases. Close ends its server.
type Maker struct {
	dir    string
	server *postgrestest.Server
	made   int
}

// NewMaker makes databases in dir.
func NewMaker(dir string) *Maker { return &Maker{dir: dir} }

// New makes an empty database and returns its DSN. It is not safe for concurrent use.
func (m *Maker) New(kind Kind) (dsn string, err error) {
	m.made++
	name := "bench" + strconv.Itoa(m.made)
	if kind == SQLite {
		return "sqlite:" + filepath.Join(m.dir, name+".db"), nil
	}
	if m.server == nil {
		if m.server, err = postgrestest.NewServer(postgrestest.Options{}); err != nil {
			return "", fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
	if err := m.server.Exec("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	return m.server.DSN(name), nil
}

// Processes are the ids of the database's own processes, each with its descendants: PostgreSQL's
// postmaster, and none for SQLite, which lives in those that use it.
func (m *Maker) Processes(kind Kind) ([]int, error) {
	if kind == SQLite || m.server == nil {
		return nil, nil
	}
	dsn, err := url.Parse(m.server.DSN("postgres"))
	if err != nil {
		return nil, errors.New("find the postmaster: the DSN cannot be read")
	}
	// The data lies beside the socket; the first line of this file is the process id (PostgreSQL
	// manual, "Database File Layout").
	content, err := os.ReadFile(filepath.Join(dsn.Query().Get("host"), "data", "postmaster.pid"))
	if err != nil {
		return nil, fmt.Errorf("find the postmaster: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	id, err := strconv.Atoi(first)
	if err != nil {
		return nil, fmt.Errorf("find the postmaster: %w", err)
	}
	return []int{id}, nil
}

// Close ends the server, if there is one, and removes its data.
func (m *Maker) Close() error {
	if m.server == nil {
		return nil
	}
	return m.server.Close()
}
