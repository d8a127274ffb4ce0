// Command dev brings up all of Countersign on this machine and keeps it up:
//
//	go run ./dev --demo
//
// It builds what is to run and hands over to dev/local. It imports next to nothing, so that it
// is compiled in seconds on a fresh machine and can report on the minutes that follow.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"countersign/dev/gorun"
	"countersign/dev/options"
	"countersign/internal/stack/build"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, options.ErrHelp) {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	o, err := options.Parse(args, os.Stdout)
	if err != nil {
		return err
	}
	root, err := build.Root("")
	if err != nil {
		return err
	}
	made, err := build.MadeBy(options.TemporalDatabase(o.DataIn(root)))
	if err != nil {
		return fmt.Errorf("which Temporal server made the data: %w", err)
	}
	local, err := prepare(root, made)
	if err != nil {
		return err
	}
	return become(local, args)
}

// prepare builds, which ^C ends, for data that this version of Temporal has made. It returns the binary to hand over to.
func prepare(root, made string) (string, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	go func() {
		select {
		case <-gorun.Gone():
			stop()
		case <-ctx.Done():
		}
	}()
	started := time.Now()
	server, found, err := build.FindTemporal(ctx, root, made, os.Stderr)
	if err != nil {
		return "", interrupted(err)
	}
	downloaded := make(chan struct{})
	go func() {
		defer close(downloaded)
		if !found {
			// What fails here fails again in the build, and is told there.
			_ = build.DownloadTemporal(ctx, root)
		}
	}()
	// Compiled one after the other: side by side both would compile what they share.
	bin, err := build.Product(ctx, root, build.Lean, os.Stderr, "dev/local", "starter", "worker")
	if err != nil {
		return "", interrupted(err)
	}
	if !found {
		<-downloaded
		if server, err = build.MakeTemporal(ctx, root, build.Lean, os.Stderr); err != nil {
			return "", interrupted(err)
		}
	}
	if took := time.Since(started); took > 10*time.Second {
		fmt.Fprintf(os.Stderr, "built in %s; the next start takes seconds\n", took.Round(time.Second))
	}
	// What was chosen or built here is what the installation runs.
	if err := os.Setenv(build.TemporalVariable, server.Path); err != nil {
		return "", fmt.Errorf("hand over: %w", err)
	}
	return filepath.Join(bin, build.Executable("local")), nil
}

func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}
