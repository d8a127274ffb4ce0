package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"countersign/bench/faults/clock"
	"countersign/bench/faults/disk"
	"countersign/bench/faults/plan"
	"countersign/internal/stack/build"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	database plan.Database
	plans    []string
	seed     uint64
	runs     int
	n        int
	short    bool
	csv      string
	keep     bool
}

// shortN is how many completions a run of the short selection has.
const shortN = 120

func parse(args []string, out io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(out)
	database := flags.String("database", string(plan.SQLite), "what the journal stands on: sqlite or postgres")
	name := flags.String("plan", plan.Random, "comma-separated: all, or of "+strings.Join(plan.Names(), ", "))
	flags.Uint64Var(&o.seed, "seed", 1, "what traffic and faults follow from; the next run has the next one")
	flags.IntVar(&o.runs, "runs", 1, "how many runs of each plan")
	flags.IntVar(&o.n, "n", 300, "completions per run")
	flags.BoolVar(&o.short, "short", false, "the selection that every change has to pass, at most five minutes; other flags than -csv and -keep do not count")
	flags.StringVar(&o.csv, "csv", "", "append the lines to this file too")
	flags.BoolVar(&o.keep, "keep", false, "keep logs, ledger and databases of runs in which nothing is wrong, too")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("what is %q?", flags.Arg(0))
	}
	o.database = plan.Database(*database)
	if o.database != plan.SQLite && o.database != plan.Postgres {
		return o, fmt.Errorf("-database %q is neither sqlite nor postgres", *database)
	}
	if o.n < 10 || o.runs < 1 {
		return o, errors.New("at least -n 10 and -runs 1")
	}
	if o.plans = strings.Split(*name, ","); *name == "all" {
		o.plans = nil
		for _, name := range plan.Names() {
			if plan.Runs(name, o.database) {
				o.plans = append(o.plans, name)
			}
		}
	}
	return o, nil
}

// spec is one run that is to be made.
type spec struct {
	plan     string
	database plan.Database
	seed     uint64
	n        int
}

// replay is the command that makes this run again.
func (s spec) replay() string {
	return fmt.Sprintf("go run ./bench/faults -database %s -plan %s -seed %d -n %d -keep", s.database, s.plan, s.seed, s.n)
}

func (o options) specs() []spec {
	var specs []spec
	if o.short {
		for _, s := range plan.Short() {
			specs = append(specs, spec{s.Name, s.Database, s.Seed, shortN})
		}
		return specs
	}
	for _, name := range o.plans {
		for i := range o.runs {
			specs = append(specs, spec{name, o.database, o.seed + uint64(i), o.n})
		}
	}
	return specs
}

// errWrong is that some run has something wrong.
var errWrong = errors.New("something is wrong")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	root, err := build.Root("")
	if err != nil {
		return err
	}
	binaries := binaries{
		product: func(ctx context.Context, p plan.Plan) (string, error) { return product(ctx, root, p, stderr) },
		temporal: func(ctx context.Context, p plan.Plan) (build.TemporalServer, error) {
			return temporal(ctx, root, p, stderr)
		},
	}
	if o.csv != "" {
		file, err := os.OpenFile(o.csv, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open the CSV file: %w", err)
		}
		defer file.Close()
		stdout = io.MultiWriter(stdout, file)
	}
	fmt.Fprintln(stdout, header)
	wrong := 0
	for _, s := range o.specs() {
		row, err := once(ctx, binaries, s, o.keep, stderr)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if row != "" {
			fmt.Fprintln(stdout, row)
		}
		if err != nil {
			wrong++
			fmt.Fprintf(stderr, "WRONG: %v\n  again: %s\n", err, s.replay())
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%w in %d of %d runs", errWrong, wrong, len(o.specs()))
	}
	return nil
}

// product builds starter and worker: as they are, or with what the plan needs, a clock that can be set or a libc that falls. When nothing
// changed it takes a second.
func product(ctx context.Context, root string, p plan.Plan, stderr io.Writer) (dir string, err error) {
	commands := []string{"starter", "worker"}
	if !p.Sets(plan.OurClock) && !p.InsideSQLite() {
		return build.Product(ctx, root, build.Shared, stderr, commands...)
	}
	err = withFolder(func(files string) error {
		name, flags := "", []string{}
		if p.Sets(plan.OurClock) {
			overlay, err := clock.Overlay(ctx, files)
			if err != nil {
				return err
			}
			name, flags = name+"-clock", append(flags, "-overlay="+overlay)
		}
		if p.InsideSQLite() {
			cache, err := build.CacheDir()
			if err != nil {
				return err
			}
			modfile, err := disk.Modfile(ctx, root, cache, files)
			if err != nil {
				return err
			}
			name, flags = name+"-disk", append(flags, "-modfile="+modfile)
		}
		dir, err = build.Altered(ctx, root, name, flags, stderr, commands...)
		return err
	})
	return dir, err
}

// temporal finds or builds the Temporal server, and builds ours with a clock that can be set where the plan needs it: minutes, the first time.
func temporal(ctx context.Context, root string, p plan.Plan, stderr io.Writer) (server build.TemporalServer, err error) {
	if !p.Sets(plan.TemporalClock) {
		return build.Temporal(ctx, root, build.Shared, stderr)
	}
	err = withFolder(func(files string) error {
		overlay, err := clock.Overlay(ctx, files)
		if err != nil {
			return err
		}
		server, err = build.OverlaidTemporal(ctx, root, overlay, stderr)
		return err
	})
	return server, err
}

// withFolder makes a folder for what something is built with, and removes it.
func withFolder(do func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", "faults-build-")
	if err != nil {
		return fmt.Errorf("make a folder for a build: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return do(dir)
}
