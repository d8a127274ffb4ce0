package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"countersign/bench/database"
	"countersign/bench/table"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	only      []string // rows
	databases []database.Kind
	rounds    int
	short     bool
	json      bool
	dir       string
	profile   string
	// backlog and waiting are the sizes of those rows, 0 for the usual ones.
	backlog, waiting int
}

const (
	usualRounds = 5
	shortRounds = 2
)

func parse(args []string, out io.Writer) (options, error) {
	o := options{databases: []database.Kind{database.SQLite, database.Postgres}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	only := flags.String("only", "", "comma-separated rows: "+strings.Join(rowNames(), ", "))
	kind := flags.String("database", "", "what the journal stands on: sqlite or postgres; both without it")
	flags.IntVar(&o.rounds, "rounds", 0, fmt.Sprintf("how often each measure is repeated (%d, with -short %d)", usualRounds, shortRounds))
	flags.BoolVar(&o.short, "short", false, "small sizes: the figures show that everything is measured, not how fast it is")
	flags.BoolVar(&o.json, "json", false, "JSON with every round instead of the Markdown table")
	flags.IntVar(&o.backlog, "backlog", 0, fmt.Sprintf("how many are in the journal for backlog and meanwhile (%d)", sizesOf(options{}).backlog))
	flags.IntVar(&o.waiting, "waiting", 0, fmt.Sprintf("how many wait for an approval for waiting (%d)", sizesOf(options{}).waiting))
	flags.StringVar(&o.dir, "dir", "", "folder for databases and logs, on the disk that is to be measured (the system's temporary one)")
	flags.StringVar(&o.profile, "cpuprofile", "", "write a processor profile of this process to the file: ingress, stubs and sender")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("what is %q?", flags.Arg(0))
	}
	o.only = rowNames()
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(rowNames(), name) {
			return o, fmt.Errorf("-only %q is none of %s", name, strings.Join(rowNames(), ", "))
		}
	}
	switch k := database.Kind(*kind); k {
	case "":
	case database.SQLite, database.Postgres:
		o.databases = []database.Kind{k}
	default:
		return o, fmt.Errorf("-database %q is neither sqlite nor postgres", *kind)
	}
	if o.rounds == 0 {
		o.rounds = usualRounds
		if o.short {
			o.rounds = shortRounds
		}
	}
	if o.rounds < 0 {
		return o, errors.New("-rounds must be at least 1")
	}
	if o.backlog < 0 || o.waiting < 0 {
		return o, errors.New("-backlog and -waiting must be at least 1")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := usualCollector(); err != nil {
		return err
	}
	stopProfile, err := profile(o.profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	dir, err := os.MkdirTemp(o.dir, "bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	b := &bench{options: o, size: sizesOf(o), dir: dir, databases: database.NewMaker(dir), err: stderr, begun: time.Now(), said: nowOn()}
	defer func() {
		err = errors.Join(err, b.databases.Close())
		if err == nil {
			err = os.RemoveAll(dir)
			return
		}
		b.say("kept: %s", dir)
	}()
	report := table.Run{Date: time.Now(), Commit: commit(ctx), Machine: machine(dir), Rounds: o.rounds, Short: o.short}
	begun := nowOn()
	for _, kind := range o.databases {
		rows, err := b.measure(ctx, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		report.Rows = append(report.Rows, rows...)
	}
	report.Machine += begun.stolen()
	report.Rows = slices.DeleteFunc(report.Rows, func(r table.Row) bool { return !b.wants(r.Name) })
	// As the rows are listed, and the databases of each side by side.
	slices.SortStableFunc(report.Rows, func(p, q table.Row) int {
		return slices.Index(rowNames(), p.Name) - slices.Index(rowNames(), q.Name)
	})
	if o.json {
		return report.JSON(stdout)
	}
	return report.Markdown(stdout)
}

// usualCollector makes this process and its children collect garbage as an installation does: a
// developer's environment may say otherwise.
func usualCollector() error {
	const percent = 100 // the runtime's default
	debug.SetGCPercent(percent)
	if err := os.Unsetenv("GOGC"); err != nil {
		return fmt.Errorf("reset GOGC: %w", err)
	}
	return nil
}

// profile profiles this process until stop is called; "" profiles nothing.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	out, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), out.Close())
	}
	return func() error { pprof.StopCPUProfile(); return out.Close() }, nil
}
