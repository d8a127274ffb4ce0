package postgrestest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Server is a running PostgreSQL with its own data directory.
type Server struct {
	bin        string
	dir        string
	as         account
	port       int // of the loopback interface; 0 means that only the socket is open
	env        []string
	supervisor *exec.Cmd
	lifeline   io.Closer
}

// supervisor waits until its standard input is closed, then stops the server and removes its
// data. The test process holds the other end, so this happens however that process ends:
// after the last test, by a panic, by a time-out or by kill -9.
const supervisor = `cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1; rm -rf "$2"`

func newServer() (*Server, error) { return NewServer(Options{}) }

// Options are where a server of NewServer lives.
type Options struct {
	// Dir is the folder in which it makes its own, "" for the system's temporary one. Its path is
	// to be short: a socket's path has at most 107 bytes.
	Dir string
	// Port is where it listens on the loopback interface too; 0 means nowhere. Whoever reaches
	// it is its superuser.
	Port int
	// Environment is added to the server's and its tools'.
	Environment []string
}

// NewServer starts a server for a program that is no test; Close ends it. It is ErrNotInstalled
// where there is none.
func NewServer(options Options) (_ *Server, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(options.Dir, "pg") // a short name: a socket's path has at most 107 bytes
	if err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	s := &Server{bin: bin, dir: dir, as: as, port: options.Port, env: options.Environment}
	if err := as.own(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("hand over data directory: %w", err), os.RemoveAll(dir))
	}
	if err := s.supervise(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	// C is the one locale every machine has; --no-sync only skips flushing the empty cluster.
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// Start starts the server after Stop and returns when it takes connections.
func (s *Server) Start() error {
	listen := "-c listen_addresses="
	if s.port != 0 {
		listen = fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d", s.port)
	}
	return s.run("pg_ctl", "-D", s.data(), "-w", "-l", filepath.Join(s.dir, "log"),
		"-o", listen+" -c max_connections=200 -k "+s.dir, "start")
}

// Stop ends the server the hard way ("immediate": no checkpoint, as in a crash).
func (s *Server) Stop() error {
	return s.run("pg_ctl", "-D", s.data(), "-w", "-m", "immediate", "stop")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// DSN is how a database of the server is reached over its socket.
func (s *Server) DSN(database string) string { return s.dsn(database) }

func (s *Server) dsn(database string) string {
	dsn := "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
	if s.port != 0 {
		dsn += fmt.Sprintf("&port=%d", s.port) // it is part of the socket's name
	}
	return dsn
}

func (s *Server) supervise() error {
	cmd := exec.Command("/bin/sh", "-c", supervisor, "postgrestest", s.bin, s.dir)
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.as.attributes()
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	s.supervisor, s.lifeline = cmd, lifeline
	return nil
}

// Close stops the server, removes its data and returns when that is done.
func (s *Server) Close() error {
	if err := s.lifeline.Close(); err != nil {
		return err
	}
	return s.supervisor.Wait()
}

// run runs one of PostgreSQL's tools. Its output goes through a file, because a server started by
// pg_ctl keeps the descriptors it inherits and a pipe would stay open as long as it lives.
func (s *Server) run(tool string, args ...string) error {
	output, err := os.CreateTemp(s.dir, tool)
	if err != nil {
		return fmt.Errorf("%s: %w", tool, err)
	}
	cmd := exec.Command(filepath.Join(s.bin, tool), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.as.attributes()
	cmd.Stdout, cmd.Stderr = output, output
	// LC_ALL: messages in one language; no PG*: the caller's settings must not lead elsewhere.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, s.env...)
	err = errors.Join(cmd.Run(), output.Close())
	if err == nil {
		return nil
	}
	text, _ := os.ReadFile(output.Name()) // best effort: it only explains err
	return fmt.Errorf("%s: %w: %s", tool, err, bytes.TrimSpace(text))
}

// binaries finds the directory of the newest installed server.
func binaries() (string, error) {
	directories, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Reverse(directories)
	directories = append(filepath.SplitList(os.Getenv("PATH")), directories...)
	for _, directory := range directories {
		if executable(filepath.Join(directory, "initdb")) && executable(filepath.Join(directory, "pg_ctl")) {
			return directory, nil
		}
	}
	return "", ErrNotInstalled
}

func executable(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil
}
