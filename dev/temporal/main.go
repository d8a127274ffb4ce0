// Command countersign-temporald is the Temporal server and Web UI for
// development and integration tests, in one process, on SQLite.
//
// It understands the part of "temporal server start-dev" which the Go SDK's
// testsuite.StartDevServer sends, so tests can name this binary as
// ExistingPath and need no download. It differs from the official development
// server where a local Countersign needs it: a write-ahead log instead of the
// rollback journal, closed runs kept for 90 days instead of one (duplicates are
// recognised by the id of a closed run), fair task queues, quiet logs, and a
// database file that refuses to be opened by another server version.
//
// It is a module of its own because the server compiles some 1,800 packages and
// raises its go line with nearly every patch release; neither belongs into the
// product. Production uses the official server images or Temporal Cloud.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	uiversion "github.com/temporalio/ui-server/v2/server/version"
	"go.temporal.io/server/common/headers"
)

const (
	program = "countersign-temporald"
	// startLimit is generous: on an idle machine a start takes under a second,
	// but the first start after a build competes with the build.
	startLimit = 60 * time.Second
	// stopLimit bounds an orderly stop, which takes about a second. Nothing is
	// lost beyond it: SQLite recovers from its log.
	stopLimit = 15 * time.Second
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
	if _, ok := errors.AsType[usageError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}

// run parses the command line and does what it asks for.
func run(args []string, stdout, stderr io.Writer) error {
	command, opts, err := parseArgs(args, stderr)
	if err != nil {
		return err
	}
	switch command {
	case commandHelp:
		_, err = fmt.Fprint(stdout, usageText())
		return err
	case commandVersion:
		_, err = fmt.Fprintf(stdout, "%s server %s ui %s\n", program, headers.ServerVersion, uiversion.UIVersion)
		return err
	}

	// The signals stay caught until the process ends: a terminal's ^C reaches
	// the parent and us, the parent then asks us to stop once more, and that
	// second signal must not cut the orderly stop short.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if opts.exitWithParent {
		go watchParent(ctx, cancel)
	}
	return serve(ctx, opts, stdout)
}

// serve runs server and UI until ctx ends, which is the normal way to stop.
func serve(ctx context.Context, opts options, stdout io.Writer) (err error) {
	addrs, err := claimAddresses(opts)
	if err != nil {
		return err
	}
	db, err := openStore(opts)
	if err != nil {
		return err
	}
	server, err := newServer(opts, addrs, db.config)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	defer func() {
		err = errors.Join(err, within(stopLimit, func() error {
			if err := server.Stop(); err != nil {
				return fmt.Errorf("stop the server: %w", err)
			}
			return db.checkpoint()
		}))
	}()

	startCtx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	err = prepareNamespace(startCtx, opts, addrs.frontend)
	uiURL := "off"
	if err == nil && !opts.headless {
		ui := newUI(opts, addrs)
		defer ui.Stop()
		go ui.Start() //nolint:errcheck // it answers a failure by ending the process
		uiURL = addrs.uiURL()
		err = waitForUI(startCtx, uiURL)
	}
	if ctx.Err() != nil {
		return nil // asked to stop while starting: not a failure
	}
	if err != nil {
		return err
	}

	if _, err := fmt.Fprintf(stdout, "ready frontend=%s ui=%s\n", addrs.frontend, uiURL); err != nil {
		return fmt.Errorf("report readiness: %w", err)
	}
	<-ctx.Done()
	return nil
}

// within gives up waiting for f after the limit; the caller is about to exit.
func within(limit time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("not stopped after %s, leaving anyway", limit)
	}
}
