package main

import (
	"fmt"

	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/workflows"

	"go.temporal.io/sdk/worker"
)

// callsPerStep is what a step that reaches the QMS costs on average: a completion without trouble makes six
// calls in three steps (employee; record or search; read, write, read back) and now and then one for a token.
// The limiter of each process counts the calls themselves; this keeps the rate over all workers.
const callsPerStep = 2

// startQueues polls the task queue of each tenant whose QMS has a budget. Temporal hands out its tasks no
// faster than the budget, whatever the number of workers. A budget without a rate has the queue polled too,
// for completions that were started when it had one.
func startQueues(p *process.Process, a workflows.Activities, options worker.Options) (stop func(), err error) {
	var started []worker.Worker
	stop = func() {
		for _, w := range started {
			w.Stop()
		}
	}
	options.DisableWorkflowWorker = true
	for _, t := range p.Tenants.Tenants {
		if t.QMS.Budget == (settings.Budget{}) {
			continue
		}
		own, queue := options, workflows.QMSQueue(p.Settings.TaskQueue, t.ID)
		own.TaskQueueActivitiesPerSecond = t.QMS.Budget.PerSecond / callsPerStep // 0 is any
		w := worker.New(p.Temporal, queue, own)
		workflows.RegisterActivities(w, a)
		if err := w.Start(); err != nil {
			stop()
			return nil, fmt.Errorf("start worker of queue %s: %w", queue, err)
		}
		started = append(started, w)
		p.Log.Info("queue is polled within its budget", "task_queue", queue, "steps_per_second", own.TaskQueueActivitiesPerSecond)
	}
	return stop, nil
}
