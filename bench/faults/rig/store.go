package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"countersign/bench/faults/clock"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/wire"
	"countersign/internal/postgrestest"
	"countersign/internal/stack"
)

// store is the database under the journal.
type store struct {
	kind plan.Database
	// dir is where an SQLite journal lies; disk is the tmpfs that can be filled, "" without one.
	dir, disk string
	server    *postgrestest.Server
	// clock is the server's where it is set.
	clock clock.Preloaded
	// starter and worker are the ways of the two processes to PostgreSQL, nil with SQLite.
	starter, worker *wire.Link
}

const (
	database = "journal"
	kept     = "kept" // the copy
	// diskSize is that of the disk that can be filled, in bytes: PostgreSQL needs some for a start.
	diskSize = 400 << 20
)

// newStore makes the database: on a small disk of its own where that is to be filled, with a clock of its own where that is to be set.
func newStore(p plan.Plan, dir string) (_ *store, err error) {
	s := &store{kind: p.Database, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if p.Has("disk-full") {
		if err := s.mount(); err != nil {
			return nil, err
		}
		s.dir = s.disk
	}
	if s.kind == plan.SQLite {
		return s, nil
	}
	port, err := stack.FreePort()
	if err != nil {
		return nil, err
	}
	var environment []string
	if p.Sets(plan.PostgresClock) {
		if s.clock, err = clock.NewPreloaded(); err != nil {
			return nil, err
		}
		environment = s.clock.Environment()
	}
	if s.server, err = postgrestest.NewServer(postgrestest.Options{Dir: s.disk, Port: port, Environment: environment}); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.server.Exec("CREATE DATABASE " + database); err != nil {
		return nil, err
	}
	upstream := fmt.Sprintf("127.0.0.1:%d", port)
	if s.starter, err = wire.NewLink("starter-postgres", upstream, wire.Postgres); err != nil {
		return nil, err
	}
	s.worker, err = wire.NewLink("worker-postgres", upstream, wire.Postgres)
	return s, err
}

// mount makes the small disk.
func (s *store) mount() error {
	dir, err := os.MkdirTemp("", "cs") // a short name, as postgrestest wants it
	if err != nil {
		return fmt.Errorf("make a small disk: %w", err)
	}
	output, err := exec.CommandContext(context.Background(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=1777", diskSize), "countersign-faults", dir).CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("make a small disk (needs Linux and root): %w: %s", err, output), os.Remove(dir))
	}
	// PostgreSQL's own account has to get in.
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		return fmt.Errorf("make a small disk: %w", err)
	}
	s.disk = dir
	return nil
}

func (s *store) file() string { return filepath.Join(s.dir, "journal.db") }

// dsn is the journal as a process reaches it over its link.
func (s *store) dsn(link *wire.Link) string {
	if s.kind == plan.SQLite {
		return "sqlite:" + s.file()
	}
	return "postgres://postgres@" + link.Address() + "/" + database + "?sslmode=disable"
}

// direct is the journal as nothing stands in the way of.
func (s *store) direct() string {
	if s.kind == plan.SQLite {
		return "sqlite:" + s.file()
	}
	return s.server.DSN(database)
}

// setClock sets PostgreSQL's clock, and asks whether it is set.
func (s *store) setClock(by time.Duration) error {
	if err := s.clock.Set(by); err != nil {
		return err
	}
	return s.server.Exec(fmt.Sprintf(`DO $$ BEGIN
		IF abs(extract(epoch FROM clock_timestamp()) - %d) > 600 THEN RAISE 'the clock says %%', clock_timestamp(); END IF;
	END $$`, time.Now().Add(by).Unix()))
}

// links are the ways to the database; none with SQLite.
func (s *store) links() []*wire.Link {
	if s.kind == plan.SQLite {
		return nil
	}
	return []*wire.Link{s.starter, s.worker}
}

// copies: nobody has the journal open when it is copied or put back.

func (s *store) copy() error {
	if s.kind == plan.Postgres {
		return s.server.Exec(terminate, "CREATE DATABASE "+kept+" TEMPLATE "+database)
	}
	return s.eachFile(func(name string) error { return copyFile(name, name+".kept") })
}

func (s *store) restore() error {
	if s.kind == plan.Postgres {
		return s.server.Exec(terminate, "DROP DATABASE "+database, "ALTER DATABASE "+kept+" RENAME TO "+database)
	}
	return s.eachFile(func(name string) error {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return err
		}
		return copyFile(name+".kept", name)
	})
}

// eachFile is for SQLite's file and the companions that belong to it.
func (s *store) eachFile(do func(name string) error) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := do(s.file() + suffix); err != nil {
			return fmt.Errorf("copy the journal: %w", err)
		}
	}
	return nil
}

// copyFile copies from, or makes sure that there is no to when there is no from.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

const (
	terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "' AND pid <> pg_backend_pid()"
	readOnly  = "ALTER DATABASE " + database + " SET default_transaction_read_only = on"
	writable  = "ALTER DATABASE " + database + " RESET default_transaction_read_only"
)

func (s *store) filler() string { return filepath.Join(s.disk, "filler") }

// fill leaves nothing of the small disk.
func (s *store) fill() error {
	file, err := os.Create(s.filler())
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer file.Close()
	chunk := make([]byte, 1<<20)
	for size := len(chunk); size > 0; {
		_, err := file.Write(chunk[:size])
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2 // to the last byte
		case err != nil:
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

// empty gives the space back. PostgreSQL may have died of it; it is started again then.
func (s *store) empty() error {
	if err := os.Remove(s.filler()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("empty the disk: %w", err)
	}
	if s.kind == plan.SQLite {
		return nil
	}
	if err := s.server.Exec("SELECT 1"); err == nil {
		return nil
	}
	return s.server.Start()
}

func (s *store) close() error {
	var errs []error
	for _, l := range s.links() {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if s.server != nil {
		errs = append(errs, s.server.Close())
	}
	errs = append(errs, s.clock.Close())
	if s.disk != "" {
		if output, err := exec.CommandContext(context.Background(), "umount", s.disk).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("unmount the small disk: %w: %s", err, output))
		}
		errs = append(errs, os.Remove(s.disk))
	}
	return errors.Join(errs...)
}
