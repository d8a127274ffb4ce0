// Command starter is the process that LMSs talk to: the ingress, which acknowledges what the
// journal has committed, and dispatch, which starts a workflow for it.
//
//	starter                               run until SIGTERM, then drain
//	starter check                         show what would run, secrets masked; report every mistake
//	starter healthcheck                   exit 0 if the starter on this machine is well
//	starter replay …                      do again what came to nothing: a completion, or unmapped deliveries
//	starter explain …                     show field by field how a delivery is read
//	starter pause …, starter resume …     ask nothing of a tenant's QMS, ask it again
//	starter targets                       show what is held or paused, and since when
//	starter doctor …                      check every tenant end to end, writing nothing
//	starter reconcile …                   compare LMS, journal, QMS and LRS now, and show what runs have found
//	starter csv …                         export and import links, and mappings of courses and employees
//	starter send …                        post a platform's sample delivery, signed with a source's own secret
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/training"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) { // help was asked for, and printed
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode is 1 unless the error has one of its own.
func exitCode(err error) int {
	var own interface{ ExitCode() int }
	if errors.As(err, &own) {
		return own.ExitCode()
	}
	return 1
}

const usage = "usage: starter [check | healthcheck | doctor … | replay … | csv … | explain … | pause … | resume … | targets | reconcile … | send …]"

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	switch {
	case len(args) == 0:
		return serve(ctx, stderr)
	case len(args) == 1 && slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]):
		_, err := fmt.Fprintln(stdout, usage)
		return err
	case args[0] == "check" && len(args) == 1:
		return check(stdout)
	case args[0] == "healthcheck" && len(args) == 1:
		own, err := settings.ProcessFromEnv()
		if err != nil {
			return err
		}
		return process.Healthcheck(ctx, own.Listen)
	case args[0] == "replay":
		return replay(ctx, args[1:], stdout, stderr)
	case args[0] == "csv":
		return csvTables(ctx, args[1:], stdout, stderr)
	case args[0] == "explain":
		return explain(ctx, args[1:], stdin, stdout, stderr)
	case args[0] == "doctor":
		return examine(ctx, args[1:], stdout, stderr)
	case args[0] == "pause", args[0] == "resume":
		return changeTarget(ctx, training.Action(args[0]), args[1:], stdout, stderr)
	case args[0] == "targets" && len(args) == 1:
		return showTargets(ctx, stdout, stderr)
	case args[0] == "reconcile":
		return reconciled(ctx, args[1:], stdout, stderr)
	case args[0] == "send":
		return send(ctx, args[1:], stdout, stderr)
	}
	return errors.New(usage + "")
}

// check prints what would run. It opens nothing.
func check(stdout io.Writer) error {
	own, tenants, err := process.Load()
	if err != nil {
		return err
	}
	if _, err := newSources(tenants, verifiers{}); err != nil {
		return err
	}
	if err := own.Describe(stdout); err != nil {
		return err
	}
	return tenants.Describe(stdout)
}
