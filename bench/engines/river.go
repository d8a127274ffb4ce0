package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverEngine runs a pipeline as one resumable job. A chain of six jobs, each inserted in the
// transaction that completes the one before, was tried and is less than half as fast.
type riverEngine struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	worker *completionWorker
}

const (
	// connections are as many as DBOS has by default. With pgx's default, one per processor and at
	// least four, River is about a third slower.
	connections = 20
	// These two are those of River's own benchmark (riverbench). The defaults fetch ten times a second
	// at most: 320 jobs with 32 in flight.
	fetchCooldown, fetchPollInterval = 2 * time.Millisecond, 20 * time.Millisecond
)

// completionArgs are a job's arguments: a reference, as the product's workflows get one.
type completionArgs struct {
	Name string `json:"name"`
}

// Kind implements river.JobArgs.
func (completionArgs) Kind() string { return "completion" }

func openRiver(ctx context.Context, dsn string, inFlight int, do stepFunc) (_ *riverEngine, err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database of River: %w", err)
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database of River: %w", err)
	}
	defer func() {
		if err != nil {
			pool.Close()
		}
	}()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("migrate for River: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate for River: %w", err)
	}
	e := &riverEngine{pool: pool, worker: &completionWorker{pool: pool, do: do, ended: map[string]chan struct{}{}}}
	workers := river.NewWorkers()
	river.AddWorker(workers, e.worker)
	e.client, err = river.NewClient(driver, &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: inFlight}},
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPollInterval,
	})
	if err != nil {
		return nil, fmt.Errorf("open River: %w", err)
	}
	// close ends it; with ctx it would end before what is under way can be given back.
	if err := e.client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start River: %w", err)
	}
	return e, nil
}

func (e *riverEngine) pipeline(ctx context.Context, name string) error {
	ended := e.worker.await(name)
	if _, err := e.client.Insert(ctx, completionArgs{Name: name}, nil); err != nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// atOnce: what waits is in River's queue, and MaxWorkers bounds what is in flight.
func (*riverEngine) atOnce(n int) int { return n }

func (e *riverEngine) close(ctx context.Context) error {
	defer e.pool.Close()
	if err := e.client.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("stop River: %w", err)
	}
	return nil
}

// completionWorker does the six steps of a job.
type completionWorker struct {
	river.WorkerDefaults[completionArgs]
	pool *pgxpool.Pool
	do   stepFunc

	mu    sync.Mutex
	ended map[string]chan struct{}
}

// Work implements river.Worker. Each step is committed before the next begins, the last one together
// with the job's completion. River calls no step after one that failed.
func (w *completionWorker) Work(ctx context.Context, job *river.Job[completionArgs]) error {
	steps := stepNames()
	for _, step := range steps[:len(steps)-1] {
		river.ResumableStep(ctx, step, nil, func(ctx context.Context) error {
			w.do(job.Args.Name, step)
			return w.commit(ctx, func(tx pgx.Tx) error {
				_, err := river.ResumableSetStepTx[*riverpgxv5.Driver](ctx, tx, job)
				return err
			})
		})
	}
	last := steps[len(steps)-1]
	river.ResumableStep(ctx, last, nil, func(ctx context.Context) error {
		w.do(job.Args.Name, last)
		err := w.commit(ctx, func(tx pgx.Tx) error {
			_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
			return err
		})
		if err == nil {
			w.end(job.Args.Name)
		}
		return err
	})
	return nil
}

// commit does something and commits it.
func (w *completionWorker) commit(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, w.pool, do)
}

// await returns what is closed when the named pipeline's end is committed.
func (w *completionWorker) await(name string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[name] = make(chan struct{})
	return w.ended[name]
}

// end tells who awaits the pipeline; what an interrupted run left behind is awaited by nobody.
func (w *completionWorker) end(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ended, ok := w.ended[name]; ok {
		close(ended)
		delete(w.ended, name)
	}
}
