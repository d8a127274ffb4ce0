// Package site is what is measured as a whole: a Temporal server, the simulated QMS and LRS, and
// installations of Countersign beside each other, each with its starter, its worker and a journal
// of its own. The simulators run in this process; everything else is a child, the same binary as in
// production.
//
// Temporal's own database is SQLite with WAL whatever the journal stands on: the local server knows
// no other.
package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"countersign/bench/database"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/workflows"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// Options are what Open needs.
type Options struct {
	// Dir takes logs, settings and Temporal's database.
	Dir string
	// Product is the folder of the built starter and worker.
	Product   string
	Temporal  build.TemporalServer
	Databases *database.Maker
	// Database is what the journals stand on.
	Database database.Kind
}

// Site is a running site.
type Site struct {
	options  Options
	temporal *stack.Temporal
	// Client reaches Temporal.
	Client client.Client
	// World is the other side.
	World *World

	installations []*Installation
}

// Open starts Temporal and the other side. Close ends everything, also after an error.
func Open(ctx context.Context, options Options) (_ *Site, err error) {
	s := &Site{options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.World, err = newWorld(ctx); err != nil {
		return nil, err
	}
	s.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{
		Server: options.Temporal, DBFile: filepath.Join(options.Dir, "temporal.db"),
		SearchAttributes: workflows.SearchAttributes(), LogFile: filepath.Join(options.Dir, "temporal.log"),
	})
	if err != nil {
		return nil, err
	}
	s.Client, err = client.NewLazyClient(client.Options{
		HostPort: s.temporal.Address(), Namespace: s.temporal.Namespace(),
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	return s, err
}

// Namespace is Temporal's.
func (s *Site) Namespace() string { return s.temporal.Namespace() }

// TemporalProcess is the id of the Temporal server.
func (s *Site) TemporalProcess() int { return s.temporal.PID() }

// Install adds an installation with an empty journal. Nothing of it runs yet.
func (s *Site) Install(ctx context.Context, name string) (*Installation, error) {
	dsn, err := s.options.Databases.New(s.options.Database)
	if err != nil {
		return nil, err
	}
	i, err := newInstallation(ctx, s, name, dsn)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", name, err)
	}
	s.installations = append(s.installations, i)
	return i, nil
}

// Close ends all processes, in the order in which work flows.
func (s *Site) Close() error {
	var errs []error
	for _, i := range s.installations {
		errs = append(errs, i.close())
	}
	if s.Client != nil {
		s.Client.Close()
	}
	if s.temporal != nil {
		errs = append(errs, s.temporal.Kill())
	}
	if s.World != nil {
		errs = append(errs, s.World.close())
	}
	return errors.Join(errs...)
}

// sampled is how many histories are looked at.
const sampled = 20

// Events is the average number of history events of the completions that ended last.
func (s *Site) Events(ctx context.Context) (float64, error) {
	page, err := s.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: s.Namespace(), PageSize: sampled,
		Query: "WorkflowType = '" + workflows.CompletionWorkflow + "' AND ExecutionStatus = 'Completed'",
	})
	if err != nil {
		return 0, fmt.Errorf("count history events: %w", err)
	}
	var sum int64
	for _, execution := range page.GetExecutions() {
		sum += execution.GetHistoryLength()
	}
	if sum == 0 {
		return 0, errors.New("count history events: no completion has ended")
	}
	return float64(sum) / float64(len(page.GetExecutions())), nil
}
