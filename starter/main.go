// Command starter is the process that LMSs talk to: the ingress, which acknowledges what the
// journal has committed, and dispatch, which starts a workflow for it.
//
//	starter                               run until SIGTERM, then drain
//	starter check                         show what would run, secrets masked; report every mistake
//	starter healthcheck                   exit 0 if the starter on this machine is well
//	starter replay TENANT FINGERPRINT     start a completion again whose workflow was ended from outside
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"countersign/internal/process"
	"countersign/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) == 0:
		return serve(ctx, stderr)
	case args[0] == "check" && len(args) == 1:
		return check(stdout)
	case args[0] == "healthcheck" && len(args) == 1:
		own, err := settings.ProcessFromEnv()
		if err != nil {
			return err
		}
		return process.Healthcheck(ctx, own.Listen)
	case args[0] == "replay" && len(args) == 3:
		return replay(ctx, args[1], args[2], stdout, stderr)
	}
	return errors.New("usage: starter [check | healthcheck | replay TENANT FINGERPRINT]")
}

// check prints what would run. It opens nothing.
func check(stdout io.Writer) error {
	own, tenants, err := process.Load()
	if err != nil {
		return err
	}
	if _, err := newSources(tenants); err != nil {
		return err
	}
	if err := own.Describe(stdout); err != nil {
		return err
	}
	return tenants.Describe(stdout)
}
