package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"countersign/activities"
	"countersign/internal/certificate"
	"countersign/internal/dispatch"
	"countersign/internal/ingress"
	"countersign/internal/process"
	"countersign/internal/tenants"
	"countersign/workflows"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"
)

// connectPause is the pause between two attempts to reach Temporal on start-up.
const connectPause = time.Second

// serve wires the worker and runs it until ctx ends.
func serve(ctx context.Context, stderr io.Writer) (err error) {
	p, err := process.Open(ctx, "worker", stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	ports, err := tenants.New(p)
	if err != nil {
		return err
	}
	drawer, err := certificate.NewDrawer()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		server := ingress.NewServer(p.Settings.MetricsListen, observe(p))
		return process.Serve(ctx, server, func() {}, p.Settings.DrainTimeout)
	})
	group.Go(func() error {
		return poll(ctx, p, activities.New(activities.Config{
			Journal: p.Journal, Runs: p.Journal, Targets: p.Journal, Tenant: ports.Find, Drawer: drawer, Log: p.Log,
			Inbox:   dispatch.NewInbox(p.Temporal, p.Settings.TaskQueue),
			Outages: dispatch.Outages{Temporal: p.Temporal, Namespace: p.Namespace, TaskQueue: p.Settings.TaskQueue},
		}))
	})
	return group.Wait()
}

// poll waits for Temporal and then works until ctx ends or the worker dies.
func poll(ctx context.Context, p *process.Process, a workflows.Activities) error {
	for {
		_, err := p.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		p.Log.Warn("worker waits for Temporal", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(connectPause):
		}
	}
	died := make(chan error, 1+len(p.Tenants.Tenants)) // each of several workers may die
	options := worker.Options{
		// Without it the activities under way are cut off at once, in the middle of a write.
		WorkerStopTimeout: p.Settings.DrainTimeout,
		// Heartbeats are held back for most of their timeout otherwise, and one hiccup of Temporal's
		// would cost an attempt.
		MaxHeartbeatThrottleInterval: workflows.HeartbeatEvery,
		OnFatalError:                 func(err error) { died <- err },
		// Autoscaling finds the few pollers a small machine needs and the many a large one does.
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
	}
	w := worker.New(p.Temporal, p.Settings.TaskQueue, options)
	workflows.Register(w, a)
	stopQueues, err := startQueues(p, a, options)
	if err != nil {
		return err
	}
	defer stopQueues()
	if err := w.Start(); err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	p.Log.Info("worker runs", "task_queue", p.Settings.TaskQueue, "namespace", p.Namespace)
	defer p.Log.Info("worker stopped")
	defer w.Stop()
	select {
	case <-ctx.Done():
		return nil
	case err := <-died:
		return fmt.Errorf("worker: %w", err)
	}
}

// observe serves health and metrics.
func observe(p *process.Process) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		_, err := p.Temporal.CheckHealth(r.Context(), &client.CheckHealthRequest{})
		if err = errors.Join(err, p.Journal.Ping(r.Context())); err != nil {
			p.Log.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Registry, promhttp.HandlerOpts{}))
	return mux
}
