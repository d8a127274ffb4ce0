package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// dbosEngine runs a pipeline as a workflow of six steps, which is started as DBOS's documentation
// has it for webhooks: directly, under the id of the event. A queue of DBOS would be polled.
type dbosEngine struct {
	root     dbos.Context
	do       stepFunc
	inFlight int
}

// shutdownLimit is how long DBOS may take to finish what is under way.
const shutdownLimit = 10 * time.Second

func openDBOS(ctx context.Context, dsn string, inFlight int, do stepFunc) (*dbosEngine, error) {
	root, err := dbos.NewContext(ctx, dbos.Config{
		AppName: "countersign-bench", DatabaseURL: dsn, Logger: slog.New(slog.DiscardHandler),
		ApplicationVersion: "bench", // else it is a hash of the binary
	})
	if err != nil {
		return nil, fmt.Errorf("open DBOS: %w", err)
	}
	e := &dbosEngine{root: root, do: do, inFlight: inFlight}
	dbos.RegisterWorkflow(root, e.completion, dbos.WithWorkflowName("completion"))
	if err := dbos.Launch(root); err != nil {
		return nil, errors.Join(fmt.Errorf("start DBOS: %w", err), e.close(ctx))
	}
	return e, nil
}

// completion is the workflow. RunAsStep commits what a step returns before it returns itself.
func (e *dbosEngine) completion(ctx dbos.Context, name string) (string, error) {
	for _, step := range stepNames() {
		_, err := dbos.RunAsStep(ctx, func(context.Context) (string, error) {
			e.do(name, step)
			return step, nil
		}, dbos.WithStepName(step))
		if err != nil {
			return "", err
		}
	}
	return name, nil
}

func (e *dbosEngine) pipeline(_ context.Context, name string) error {
	handle, err := dbos.RunWorkflow(e.root, e.completion, name, dbos.WithWorkflowID(name))
	if err != nil {
		return err
	}
	_, err = handle.GetResult()
	return err
}

// atOnce: what is started runs, so no more are started than may be in flight.
func (e *dbosEngine) atOnce(int) int { return e.inFlight }

func (e *dbosEngine) close(context.Context) error {
	if err := dbos.Shutdown(e.root, shutdownLimit); err != nil {
		return fmt.Errorf("stop DBOS: %w", err)
	}
	return nil
}
