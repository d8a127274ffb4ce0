// Package options is the command line of the local installation. The command `go run ./dev` checks
// it before it builds anything, and the installation it then starts reads it again.
package options

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// Options is a parsed command line.
type Options struct {
	// Data is the data directory, "" for the default inside the checkout.
	Data string
	// Demo streams deliveries, one every Every.
	Demo  bool
	Every time.Duration
	Ports Ports
}

// Ports are all ports of the installation.
type Ports struct {
	Ingress, Metrics, Simulators, Temporal, TemporalUI, SMTP Port
}

// DataIn is the data directory of an installation of the checkout at root.
func (o Options) DataIn(root string) string {
	return cmp.Or(o.Data, filepath.Join(root, ".countersign"))
}

// TemporalDatabase is Temporal's file in a data directory.
func TemporalDatabase(data string) string { return filepath.Join(data, "temporal.db") }

// Port is a port to listen on. One that was asked for is taken or refused; a default one may be
// replaced by the next free one.
type Port struct {
	Number int
	Given  bool
}

// ErrHelp says that the usage was asked for, and printed.
var ErrHelp = flag.ErrHelp

// Parse reads a command line without the program's name. Usage goes to out.
func Parse(args []string, out io.Writer) (Options, error) {
	var o Options
	fs := flag.NewFlagSet("go run ./dev", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are returned
	fs.StringVar(&o.Data, "data", "", "data `directory` (default: .countersign in the checkout)")
	fs.BoolVar(&o.Demo, "demo", false, "stream signed deliveries, as an LMS would send them")
	fs.DurationVar(&o.Every, "every", time.Second, "pause between two deliveries of the demo")
	ports := []struct {
		name  string
		port  *Port
		value int
		usage string
	}{
		{"port", &o.Ports.Ingress, 8080, "port of the ingress"},
		{"metrics-port", &o.Ports.Metrics, 8081, "port of the worker's health and metrics"},
		{"simulator-port", &o.Ports.Simulators, 8090, "port of the simulated Arena, LRS and their page"},
		{"temporal-port", &o.Ports.Temporal, 7233, "port of the Temporal server"},
		{"ui-port", &o.Ports.TemporalUI, 8233, "port of the Temporal Web UI"},
		{"smtp-port", &o.Ports.SMTP, 1025, "port of the mail sink"},
	}
	for _, p := range ports {
		fs.IntVar(&p.port.Number, p.name, p.value, p.usage)
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(fs, out)
		}
		return Options{}, err
	}
	if fs.NArg() > 0 {
		return Options{}, fmt.Errorf("unexpected argument %q (see --help)", fs.Arg(0))
	}
	if o.Every <= 0 {
		return Options{}, errors.New("--every must be longer than nothing")
	}
	fs.Visit(func(f *flag.Flag) {
		for _, p := range ports {
			p.port.Given = p.port.Given || p.name == f.Name
		}
	})
	for _, p := range ports {
		if p.port.Number < 1 || p.port.Number > 65535 {
			return Options{}, fmt.Errorf("--%s %d is not a port number", p.name, p.port.Number)
		}
	}
	return o, nil
}

func usage(fs *flag.FlagSet, out io.Writer) {
	_, _ = fmt.Fprint(out, "Countersign on this machine: starter, worker, Temporal with its Web UI, a simulated Arena, LRS and mail server.\n\n"+
		"Usage: go run ./dev [flags]\n\nDefault ports give way to the next free ones; the ones you name do not.\n\n")
	fs.SetOutput(out)
	fs.PrintDefaults()
	_, _ = fmt.Fprint(out, "\nEnvironment:\n"+
		"  COUNTERSIGN_TEMPORAL   build, or the path of a temporal binary (default: temporal on PATH if recent, else built)\n"+
		"  COUNTERSIGN_CACHE      directory for built binaries (default: countersign in the user's cache)\n")
}
