package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countersign/bench/database"
	"countersign/bench/figure"
	"countersign/bench/load"
	"countersign/bench/site"
	"countersign/bench/table"
	"countersign/bench/usage"
	"countersign/internal/training"
)

// waiting measures what it costs that very many completions wait for a person, and how long it
// takes when one batch signal releases them all. It is done once: it takes long, and compares
// with nothing.
func (b *bench) waiting(ctx context.Context, kind database.Kind) (_ []table.Row, err error) {
	n := b.size.waiting
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*time.Second/slowest+time.Minute)
	defer cancel()
	s, err := b.open(ctx, "waiting", kind)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	installation, err := s.Install(ctx, "waiting")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(installation.StartStarter(ctx), installation.StartWorker(ctx)); err != nil {
		return nil, err
	}
	before, err := usage.MemoryOf(installation.WorkerProcess())
	if err != nil {
		return nil, err
	}
	filled, err := fill(ctx, installation, n)
	if err != nil {
		return nil, err
	}
	with, err := usage.MemoryOf(installation.WorkerProcess())
	if err != nil {
		return nil, err
	}
	b.say("%d wait after %s", n, filled.Round(time.Second))
	begun := time.Now()
	if err := s.ApproveAll(ctx, n); err != nil {
		return nil, err
	}
	if err := installation.Await(ctx, n, training.StateCompleted); err != nil {
		return nil, err
	}
	released := time.Since(begun)
	after, err := usage.MemoryOf(installation.WorkerProcess())
	if err != nil {
		return nil, err
	}
	memory, err := figure.Over([]float64{mebibytes(with.Resident)})
	if err != nil {
		return nil, err
	}
	seconds, err := figure.Over([]float64{released.Seconds()})
	return []table.Row{{
		Name: rowWaiting, Database: kind.String(), Figure: memory,
		Measure: fmt.Sprintf("worker's resident memory with %d completions waiting for approval, MiB", n),
		Record: fmt.Sprintf("%.0f MiB when started, %.0f at the most, %.0f when all were released; all waited after %.0f s",
			mebibytes(before.Resident), mebibytes(after.Peak), mebibytes(after.Resident), filled.Seconds()),
	}, {
		Name: rowWaiting, Database: kind.String(), Figure: seconds,
		Measure: fmt.Sprintf("time from one batch signal until all %d are COMPLETED, s", n),
		Record:  fmt.Sprintf("%.1f/s; Temporal signals at most 50/s in a batch (worker.batcherRPS)", float64(n)/released.Seconds()),
	}}, err
}

// fill sends n completions that ask for an approval and waits until all of them wait.
func fill(ctx context.Context, i *site.Installation, n int) (time.Duration, error) {
	client := load.NewClient()
	defer client.Close()
	begun := time.Now()
	if _, err := client.Burst(ctx, i.URL(), load.Deliveries(0, n, load.ApprovalCourse)); err != nil {
		return 0, err
	}
	err := i.Await(ctx, n, training.StateWaitingApproval)
	return time.Since(begun), err
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
