package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"countersign/internal/dispatch"
	"countersign/internal/ingress"
	"countersign/internal/process"
	"countersign/internal/training"

	"golang.org/x/sync/errgroup"
)

// serve wires ingress and dispatch, and runs them until ctx ends. Deliveries under way are
// answered before dispatch stops, and the journal closes last.
func serve(ctx context.Context, stderr io.Writer) (err error) {
	p, err := process.Open(ctx, "starter", stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	sources, err := newSources(p.Tenants)
	if err != nil {
		return err
	}
	in, err := ingress.New(ingress.Config{
		Journal: p.Journal, Sources: sources, Log: p.Log, Registry: p.Registry,
		MaxBody: p.Settings.MaxBody, TrustedProxies: p.Settings.TrustedProxies,
	})
	if err != nil {
		return err
	}
	if err := p.Registry.Register(newStateCollector(p.Journal, p.Log)); err != nil {
		return fmt.Errorf("register state metrics: %w", err)
	}

	p.Log.Info("starter runs", "listen", p.Settings.Listen, "tenants", len(p.Tenants.Tenants))
	dispatching, stopDispatch := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error { return newDispatcher(p).Run(dispatching) })
	g.Go(func() error {
		defer stopDispatch()
		return process.Serve(ctx, ingress.NewServer(p.Settings.Listen, in.Handler()), in.Drain, p.Settings.DrainTimeout)
	})
	err = g.Wait()
	p.Log.Info("starter stopped")
	return err
}

func newDispatcher(p *process.Process) *dispatch.Dispatcher {
	return dispatch.New(dispatch.Config{
		Journal: p.Journal, Temporal: p.Temporal, Namespace: p.Namespace,
		TaskQueue: p.Settings.TaskQueue, InFlight: p.Settings.InFlight, Lease: p.Settings.ClaimLease,
		Policy: func(tenant string) training.Policy {
			if t, ok := p.Tenants.Tenant(tenant); ok {
				return t.Policy
			}
			return training.DefaultPolicy()
		},
		Log: p.Log,
	})
}

// replay starts one completion again.
func replay(ctx context.Context, tenant, fingerprint string, stdout, stderr io.Writer) (err error) {
	f, err := training.ParseFingerprint(fingerprint)
	if err != nil {
		return err
	}
	p, err := process.Open(ctx, "starter", stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	stored, err := p.Journal.Completion(ctx, tenant, f)
	if err != nil {
		return err
	}
	if err := newDispatcher(p).Replay(ctx, tenant, stored); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "started again:", f)
	return err
}
