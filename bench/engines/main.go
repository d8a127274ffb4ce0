package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	engine, database string
	round, n         int
	inFlight         int
}

// The engines.
const (
	engineRiver = "river"
	engineDBOS  = "dbos"
)

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("engines", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.engine, "engine", "", engineRiver+" or "+engineDBOS)
	flags.StringVar(&o.database, "database", "", "URL of a PostgreSQL database of the engine's own, best an empty one")
	flags.IntVar(&o.round, "round", 0, "number of the round; not twice on one database")
	flags.IntVar(&o.n, "n", 300, "how many pipelines are timed")
	flags.IntVar(&o.inFlight, "in-flight", 32, "how many of them run at once")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("what is %q?", flags.Arg(0))
	case o.engine != engineRiver && o.engine != engineDBOS:
		return o, fmt.Errorf("-engine %q is neither %s nor %s", o.engine, engineRiver, engineDBOS)
	case o.database == "":
		return o, errors.New("-database is missing")
	case o.n < 1 || o.inFlight < 1:
		return o, errors.New("-n and -in-flight must be at least 1")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	counts := newTally()
	e, err := open(ctx, o, counts.step)
	if err != nil {
		return err
	}
	// What was interrupted is still to be closed.
	defer func() { err = errors.Join(err, e.close(context.WithoutCancel(ctx))) }()
	r, err := measure(ctx, e, o, counts)
	if err != nil {
		return fmt.Errorf("%s: %w", o.engine, err)
	}
	if err := json.NewEncoder(stdout).Encode(r); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func open(ctx context.Context, o options, do stepFunc) (engine, error) {
	if o.engine == engineDBOS {
		return openDBOS(ctx, o.database, o.inFlight, do)
	}
	return openRiver(ctx, o.database, o.inFlight, do)
}
