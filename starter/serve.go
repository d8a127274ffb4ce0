package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"countersign/internal/clientcert"
	"countersign/internal/dispatch"
	"countersign/internal/ingress"
	"countersign/internal/process"
	"countersign/internal/training"
	"countersign/workflows"

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

	sources, err := newSources(p.Tenants, verifiers{keyCache: p.Settings.JWKSCache, log: p.Log})
	if err != nil {
		return err
	}
	rehearse, err := rehearsal(p)
	if err != nil {
		return err
	}
	routes, err := newRoutes(p)
	if err != nil {
		return err
	}
	in, err := ingress.New(ingress.Config{
		Journal: p.Journal, Sources: sources, Log: p.Log, Registry: p.Registry,
		MaxBody: p.Settings.MaxBody, TrustedProxies: p.Settings.TrustedProxies,
		Rehearse: rehearse, Routes: routes,
		MaxConnections: p.Settings.MaxConnections, MaxConnectionsPerAddress: p.Settings.MaxConnectionsPerAddress,
		ClientCertificate: clientcert.FromRequest(p.Settings.ClientCertHeader, p.Settings.ProxyNetworks()),
	})
	if err != nil {
		return err
	}
	if err := p.Registry.Register(newStateCollector(p.Journal, p.Log)); err != nil {
		return fmt.Errorf("register state metrics: %w", err)
	}
	if err := p.Registry.Register(newEnrollmentCollector(p.Journal, p.Log)); err != nil {
		return fmt.Errorf("register enrollment metrics: %w", err)
	}
	if err := p.Registry.Register(newTargetCollector(p.Journal, p.Tenants, p.Log)); err != nil {
		return fmt.Errorf("register target metrics: %w", err)
	}

	servers, err := listeners(p, in)
	if err != nil {
		return err
	}
	p.Log.Info("starter runs", "listen", p.Settings.Listen, "tenants", len(p.Tenants.Tenants))
	dispatching, stopDispatch := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error { return newDispatcher(p).Run(dispatching) })
	g.Go(func() error { return reconciliations(p).Keep(dispatching, daily(p)) })
	g.Go(func() error {
		defer stopDispatch()
		serving, stop := context.WithCancel(ctx)
		defer stop()
		var all errgroup.Group
		for _, server := range servers {
			all.Go(func() error {
				defer stop() // one that cannot listen takes the others along
				return process.Serve(serving, server, in.Drain, p.Settings.DrainTimeout)
			})
		}
		return all.Wait()
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
		QMSQueue: func(tenant string) string {
			if t, ok := p.Tenants.Tenant(tenant); ok && t.QMS.Budget.PerSecond > 0 {
				return workflows.QMSQueue(p.Settings.TaskQueue, tenant)
			}
			return ""
		},
		LooksUp: p.Tenants.LooksUp,
		Log:     p.Log,
	})
}

// listeners are where the starter serves: HTTP behind a proxy or for this machine, and TLS of its own
// where settings say so (R2, R40).
func listeners(p *process.Process, in *ingress.Ingress) ([]*http.Server, error) {
	all := []*http.Server{in.Server(p.Settings.Listen)}
	if p.Settings.TLSListen == "" {
		return all, nil
	}
	config, err := clientcert.TLSConfig(p.Settings.TLSCert, p.Settings.TLSKey, p.Log, time.Now)
	if err != nil {
		return nil, err
	}
	secure := in.Server(p.Settings.TLSListen)
	secure.TLSConfig = config
	return append(all, secure), nil
}
