// Package steps holds what completions are compared with: three workflows of the shape of a
// completion whose six steps do nothing, and the driver that keeps a number of them in flight.
package steps

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Kind is a way to run six steps.
type Kind struct {
	// Name is part of workflow ids and task queue.
	Name    string
	options worker.Options
	run     func(ctx workflow.Context, name string) error
}

// Plain is what the first page of a tutorial yields: six activities one after another, a worker
// with default options.
func Plain() Kind { return Kind{Name: "plain", run: plain} }

// Best is the best that is known for this shape: the three steps that change nothing outside our
// journal are local activities, certificate and statement run side by side, activities are
// handed out eagerly (the SDK's default), and pollers scale by themselves.
func Best() Kind { return Kind{Name: "best", run: best, options: autoscaled()} }

// Alike is Best in the order of steps of workflows.Completion: certificate and statement are local activities too. What
// a completion takes longer is its work.
func Alike() Kind { return Kind{Name: "alike", run: alike, options: autoscaled()} }

func autoscaled() worker.Options {
	return worker.Options{
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
	}
}

// The six steps.
const (
	resolve     = "BenchResolve"
	check       = "BenchCheck"
	write       = "BenchWrite"
	certificate = "BenchCertificate"
	statement   = "BenchStatement"
	outcome     = "BenchOutcome"
)

// stepTimeout is generous: nothing here takes any time.
const stepTimeout = time.Minute

// once: a stub that failed would be an error of the measurement.
func once() *temporal.RetryPolicy { return &temporal.RetryPolicy{MaximumAttempts: 1} }

func plain(ctx workflow.Context, name string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: stepTimeout, RetryPolicy: once()})
	for _, step := range []string{resolve, check, write, certificate, statement, outcome} {
		if err := workflow.ExecuteActivity(ctx, step, name).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func best(ctx workflow.Context, name string) error {
	return short(ctx, name, func(ctx workflow.Context, step string) workflow.Future {
		return workflow.ExecuteActivity(ctx, step, name)
	})
}

func alike(ctx workflow.Context, name string) error {
	return short(ctx, name, func(ctx workflow.Context, step string) workflow.Future {
		return workflow.ExecuteLocalActivity(ctx, step, name)
	})
}

// short is what best and alike have in common: all but how a document is made.
func short(ctx workflow.Context, name string, document func(ctx workflow.Context, step string) workflow.Future) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: stepTimeout, RetryPolicy: once()})
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: stepTimeout, RetryPolicy: once()})
	for _, step := range []string{resolve, check} {
		if err := workflow.ExecuteLocalActivity(ctx, step, name).Get(ctx, nil); err != nil {
			return err
		}
	}
	if err := workflow.ExecuteActivity(ctx, write, name).Get(ctx, nil); err != nil {
		return err
	}
	drawn, posted := document(ctx, certificate), document(ctx, statement)
	for _, made := range []workflow.Future{drawn, posted} {
		if err := made.Get(ctx, nil); err != nil {
			return err
		}
	}
	return workflow.ExecuteLocalActivity(ctx, outcome, name).Get(ctx, nil)
}

// register registers the workflow and its steps; ended is called in the last one.
func (k Kind) register(w worker.Worker, ended func()) {
	w.RegisterWorkflowWithOptions(k.run, workflow.RegisterOptions{Name: k.workflow()})
	nothing := func(context.Context, string) error { return nil }
	for _, step := range []string{resolve, check, write, certificate, statement} {
		w.RegisterActivityWithOptions(nothing, activity.RegisterOptions{Name: step})
	}
	last := func(context.Context, string) error { ended(); return nil }
	w.RegisterActivityWithOptions(last, activity.RegisterOptions{Name: outcome})
}

func (k Kind) workflow() string { return "Bench-" + k.Name }

func (k Kind) taskQueue() string { return "bench-" + k.Name }
