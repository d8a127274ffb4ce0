// Command local runs all of Countersign on this machine until ^C: the production's starter and
// worker as child processes, Temporal with its Web UI, and in this process the other side, a
// simulated Arena, an LRS and a mail server. `go run ./dev` builds and starts it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"countersign/dev/gorun"
	"countersign/dev/options"
	"countersign/internal/stack/build"
	"countersign/internal/stack/lockfile"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, options.ErrHelp) {
		fmt.Fprintln(os.Stderr, "\ndev:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	started := time.Now()
	o, err := options.Parse(args, os.Stdout)
	if err != nil {
		return err
	}
	root, err := build.Root("")
	if err != nil {
		return err
	}
	o.Data = o.DataIn(root)
	data, err := openData(o.Data)
	if err != nil {
		return err
	}
	held, err := lockfile.Try(data.file("lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return fmt.Errorf("another installation runs on %s; stop it, or give this one another --data", data.dir)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()

	stop, hurry := signals()
	server, err := build.Temporal(stop, root, build.Lean, os.Stderr)
	if err != nil {
		return err
	}
	i, err := newInstallation(data, o.Ports, server)
	if err != nil {
		return err
	}
	err = i.up(stop)
	if err == nil {
		i.introduce(os.Stdout, time.Since(started))
		err = i.run(stop, o)
	}
	return errors.Join(err, i.down(hurry))
}

// signals returns two contexts: the first ^C, or a kill, ends stop; the second ends hurry as
// well. stop also ends when `go run` is gone.
func signals() (stop, hurry context.Context) {
	stop, cancelStop := context.WithCancel(context.Background())
	hurry, cancelHurry := context.WithCancel(context.Background())
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-received:
		case <-gorun.Gone():
		}
		cancelStop()
		<-received
		cancelHurry()
	}()
	return stop, hurry
}
