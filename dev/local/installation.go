package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"countersign/dev/options"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/workflows"
)

// installation is everything that runs, in the order of starting.
type installation struct {
	data   *data
	ports  ports
	server build.TemporalServer

	simulators *simulators
	temporal   *stack.Temporal
	worker     *stack.Process
	starter    *stack.Process
}

const (
	// startLimit is generous: the first start competes with nothing, but machines differ.
	startLimit = time.Minute
	// drain is how long starter and worker may take to finish; the product's default is longer.
	drain     = 10 * time.Second
	stopLimit = drain + 5*time.Second
)

func newInstallation(d *data, wanted options.Ports, server build.TemporalServer) (*installation, error) {
	chosen, notes, err := choosePorts(wanted)
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		say("%s", note)
	}
	return &installation{data: d, ports: chosen, server: server}, nil
}

// up starts everything and returns when a delivery would be taken and carried through.
func (i *installation) up(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	say("starting the simulated Arena, LRS and mail server")
	if i.simulators, err = startSimulators(i.data, i.ports.simulators, i.ports.smtp); err != nil {
		return err
	}
	changed, err := i.data.writeTenants(i.url(i.ports.simulators))
	if err != nil {
		return err
	}
	if changed {
		say("%s: the simulators' address is now %s", i.data.file("countersign.yml"), i.url(i.ports.simulators))
	}

	say("starting Temporal (%s)", i.server)
	i.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{
		Server: i.server, DBFile: options.TemporalDatabase(i.data.dir), Port: i.ports.temporal, UIPort: i.ports.temporalUI,
		SearchAttributes: workflows.SearchAttributes(), LogFile: i.data.file("logs", "temporal.log"),
	})
	if err != nil {
		return err
	}

	if err := i.data.writeEnvironment(i.settings()); err != nil {
		return err
	}
	say("starting worker and starter")
	if i.worker, err = i.start("worker"); err != nil {
		return err
	}
	if i.starter, err = i.start("starter"); err != nil {
		return err
	}
	if err := stack.WaitHTTP(ctx, i.url(i.ports.metrics)+"/readyz", i.worker); err != nil {
		return err
	}
	return stack.WaitHTTP(ctx, i.url(i.ports.ingress)+"/readyz", i.starter)
}

// start starts one of the product's commands, which stand beside this one.
func (i *installation) start(name string) (*stack.Process, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	return stack.Start(stack.Command{
		Name: name, Path: filepath.Join(filepath.Dir(own), build.Executable(name)), Dir: i.data.dir,
		Env: stack.Environment(i.settings()), LogFile: i.data.file("logs", name+".log"), Watch: newWarnings(name, os.Stdout),
		Yields: name == "worker",
	})
}

// settings are the same for starter and worker; each reads what concerns it.
func (i *installation) settings() map[string]string {
	settings := map[string]string{
		"COUNTERSIGN_LISTEN":           local(i.ports.ingress),
		"COUNTERSIGN_METRICS_LISTEN":   local(i.ports.metrics),
		"COUNTERSIGN_JOURNAL":          "sqlite:" + i.data.file("journal.db"),
		"COUNTERSIGN_TENANTS":          i.data.file("countersign.yml"),
		"COUNTERSIGN_LOG_FORMAT":       "text",
		"COUNTERSIGN_DRAIN_TIMEOUT":    drain.String(),
		"COUNTERSIGN_PUBLIC_URL":       i.url(i.ports.ingress),
		"COUNTERSIGN_TEMPORAL_WEB_URL": i.temporal.UIURL(),
		"COUNTERSIGN_SMTP_HOST":        "127.0.0.1",
		"COUNTERSIGN_SMTP_PORT":        strconv.Itoa(i.ports.smtp),
		"COUNTERSIGN_SMTP_FROM":        "countersign@acme.example",
		"COUNTERSIGN_SMTP_TLS":         "none",
		"TEMPORAL_ADDRESS":             i.temporal.Address(),
		"TEMPORAL_NAMESPACE":           i.temporal.Namespace(),
		// A profile of the developer's for another server must not be mixed in.
		"TEMPORAL_CONFIG_FILE": os.DevNull,
	}
	for name, value := range i.data.secrets {
		settings[name] = value
	}
	return settings
}

// run streams the demo, if wanted, until ^C (no error) or until something ends by itself.
func (i *installation) run(ctx context.Context, o options.Options) error {
	ctx, cancel := context.WithCancel(ctx)
	streamed := make(chan error, 1)
	go func() { streamed <- i.stream(ctx, o) }()
	var err error
	select {
	case <-ctx.Done():
		say("\nstopping; once more ^C kills")
	case <-i.starter.Done():
		err = ended("starter", i.starter.Err())
	case <-i.worker.Done():
		err = ended("worker", i.worker.Err())
	case <-i.temporal.Done():
		err = ended("Temporal", i.temporal.Err())
	case err = <-i.simulators.served:
		err = ended("simulators", err)
	}
	if err != nil {
		say("\n%s", firstLine(err)+"; stopping everything")
	}
	cancel()
	return errors.Join(err, <-streamed)
}

func ended(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s has ended by itself", name)
	}
	return fmt.Errorf("%s has ended by itself: %w", name, err)
}

// down stops what runs, in the order in which work flows; what is under way is finished. When
// hurry ends the rest is killed.
func (i *installation) down(hurry context.Context) error {
	var errs []error
	stop := func(name string, p *stack.Process) {
		select {
		case <-p.Done():
			return // how it ended has been told
		default:
		}
		say("stopping %s", name)
		ctx, cancel := context.WithTimeout(hurry, stopLimit)
		defer cancel()
		errs = append(errs, p.Stop(ctx))
	}
	if i.starter != nil {
		stop("starter: no new deliveries, those under way are answered", i.starter)
	}
	if i.worker != nil {
		stop("worker: activities under way are finished", i.worker)
	}
	if i.simulators != nil {
		say("stopping the simulated Arena, LRS and mail server")
		errs = append(errs, i.simulators.close())
	}
	if i.temporal != nil {
		stop("Temporal", i.temporal.Process)
	}
	say("stopped; the next start goes on with %s", display(i.data.dir))
	return errors.Join(errs...)
}

func (i *installation) url(port int) string { return "http://" + local(port) }

// ingress is the address that the seeded tenant's LMS posts to.
func (i *installation) ingress() string { return i.url(i.ports.ingress) + "/webhooks/lms/acme/lms" }
