// Command worker is the process that carries completions into the quality system: a Temporal
// worker with the workflows and the activities.
//
//	worker               run until SIGTERM, then finish the activities under way
//	worker healthcheck   exit 0 if the worker on this machine is well
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
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	switch {
	case len(args) == 0:
		return serve(ctx, stderr)
	case args[0] == "healthcheck" && len(args) == 1:
		own, err := settings.ProcessFromEnv()
		if err != nil {
			return err
		}
		return process.Healthcheck(ctx, own.MetricsListen)
	}
	return errors.New("usage: worker [healthcheck]")
}
