package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// options is the parsed command line of "server start-dev".
type options struct {
	ip               netip.Addr
	port             int // 0: any free port
	namespace        string
	retention        time.Duration
	searchAttributes map[string]enumspb.IndexedValueType

	headless        bool
	uiIP            netip.Addr
	uiPort          int // 0: any free port
	uiCodecEndpoint string

	dbFile      string // empty: in memory
	synchronous string
	pragmas     map[string]string

	dynamicConfig  dynamicconfig.ConfigValueMap
	logLevel       string
	logFormat      string
	exitWithParent bool
}

// command is what the command line asks for.
type command int

const (
	commandServe command = iota
	commandHelp
	commandVersion
)

// usageError marks a command line that cannot be understood; it ends the
// process with exit code 2, anything else with 1.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// rawFlags are the flags before they are checked against each other.
type rawFlags struct {
	ip, uiIP          string
	uiPort            int
	attributes        []string
	dynamic           []string
	pragmas           []string
	version, versionV bool
}

// parseArgs reads a command line without the program's name. Doubtful but
// usable values are reported to warnings.
func parseArgs(args []string, warnings io.Writer) (command, options, error) {
	var opts options
	var raw rawFlags
	words := 0
	for words < len(args) && !strings.HasPrefix(args[words], "-") {
		words++
	}
	fs := newFlagSet(&opts, &raw)
	if err := fs.Parse(args[words:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return commandHelp, opts, nil
		}
		return commandServe, opts, usagef("%w (see --help)", err)
	}
	if raw.version || raw.versionV {
		return commandVersion, opts, nil
	}
	if !slices.Equal(args[:words], []string{"server", "start-dev"}) {
		return commandServe, opts, usagef(`the only command is "server start-dev" (see --help)`)
	}
	if fs.NArg() > 0 {
		return commandServe, opts, usagef("unexpected argument %q (see --help)", fs.Arg(0))
	}
	if err := opts.complete(raw, warnings); err != nil {
		return commandServe, opts, err
	}
	return commandServe, opts, nil
}

func newFlagSet(o *options, raw *rawFlags) *flag.FlagSet {
	fs := flag.NewFlagSet(program, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are returned, and printed in one place
	fs.StringVar(&raw.ip, "ip", "127.0.0.1", "`address` of the frontend; there is no authentication, so keep it on loopback")
	fs.IntVar(&o.port, "port", 7233, "frontend port, 0 for any free one")
	fs.StringVar(&o.namespace, "namespace", "default", "namespace to create if it is missing")
	fs.DurationVar(&o.retention, "retention", 90*24*time.Hour, "how long the namespace keeps closed runs")
	fs.Func("search-attribute", "`Name=Type` to have in the namespace, repeatable", appendTo(&raw.attributes))
	fs.BoolVar(&o.headless, "headless", false, "no Web UI")
	fs.StringVar(&raw.uiIP, "ui-ip", "", "`address` of the Web UI (default: the frontend's)")
	fs.IntVar(&raw.uiPort, "ui-port", -1, "Web UI port, 0 for any free one (default: frontend port + 1000)")
	fs.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "`URL` of the codec server the Web UI decrypts payloads with")
	fs.StringVar(&o.dbFile, "db-filename", "", "SQLite `file`, created if missing (default: in memory)")
	fs.StringVar(&o.synchronous, "sqlite-synchronous", "normal", "normal survives a killed process, full a power cut as well")
	fs.Func("sqlite-pragma", "`name=value` to set on the database, repeatable", appendTo(&raw.pragmas))
	fs.Func("dynamic-config-value", "`key=value`, value in JSON, repeatable", appendTo(&raw.dynamic))
	fs.StringVar(&o.logLevel, "log-level", "never", "debug, info, warn, error or never")
	fs.StringVar(&o.logFormat, "log-format", "text", "text (also: pretty) or json, to stderr")
	fs.BoolVar(&o.exitWithParent, "exit-with-parent", false, "stop when the parent process is gone")
	fs.BoolVar(&raw.version, "version", false, "print the versions of server and UI")
	fs.BoolVar(&raw.versionV, "v", false, "same as -version")
	return fs
}

func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

func usageText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A local Temporal server with its Web UI, on SQLite.\n\nUsage: %s server start-dev [flags]\n\n", program)
	fs := newFlagSet(&options{}, &rawFlags{})
	fs.SetOutput(&b)
	fs.PrintDefaults()
	return b.String()
}
