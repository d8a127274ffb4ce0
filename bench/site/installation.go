package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"countersign/bench/load"
	"countersign/internal/journal"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/internal/training"
)

const (
	// startLimit is how long a process may take to answer.
	startLimit = 30 * time.Second
	// drain is how long a process may take to finish what it has begun.
	drain = 10 * time.Second
)

// Installation is a starter, a worker and a journal.
type Installation struct {
	site *Site
	name string
	dir  string
	env  map[string]string
	// Journal is the one of the processes, opened here too.
	Journal *journal.Journal
	starter *stack.Process
	worker  *stack.Process
	url     string
}

// settings differ from the defaults in what would bound the sender, and nothing else.
const settings = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms:
      url: %s
      client_id: svc-countersign
      client_secret: env:BENCH_QMS_SECRET
      scopes: [training.records.write, training.status.update, user.read, training.records.approve]
    lrs: {url: "%s/xapi", username: countersign, password: env:BENCH_LRS_SECRET, home_page: "https://%[3]s"}
    employee_id: external_id
    courses: [{code: %s, training: %s}, {code: %s, training: %s}]
    sources:
      - id: lms
        platform: canonical
        domains: [%[3]s]
        auth: {hmac_sha256: {secrets: [env:BENCH_LMS_SECRET]}}
        rate: {per_second: 100000, burst: 100000}
`

func newInstallation(ctx context.Context, s *Site, name, dsn string) (_ *Installation, err error) {
	i := &Installation{site: s, name: name, dir: filepath.Join(s.options.Dir, name)}
	if err := os.Mkdir(i.dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(i.dir, "countersign.yml")
	content := fmt.Appendf(nil, settings, s.World.qmsURL, s.World.lrsURL, load.Domain,
		load.Course, trainingID, load.ApprovalCourse, approvalTrainingID)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, err
	}
	i.env = map[string]string{
		"COUNTERSIGN_JOURNAL": dsn, "COUNTERSIGN_TENANTS": file, "COUNTERSIGN_TASK_QUEUE": "countersign-" + name,
		"COUNTERSIGN_DRAIN_TIMEOUT": drain.String(),
		"TEMPORAL_ADDRESS":          s.temporal.Address(), "TEMPORAL_NAMESPACE": s.temporal.Namespace(),
		// A profile of the developer's for another server must not be mixed in.
		"TEMPORAL_CONFIG_FILE": os.DevNull,
		"BENCH_LMS_SECRET":     load.Secret, "BENCH_QMS_SECRET": qmsSecret, "BENCH_LRS_SECRET": lrsSecret,
	}
	i.Journal, err = journal.Open(ctx, dsn, journal.Options{})
	return i, err
}

// URL takes the deliveries of package load while the starter runs.
func (i *Installation) URL() string { return i.url + "/webhooks/lms/acme/lms" }

// StartStarter starts the starter and returns when it would take a delivery.
func (i *Installation) StartStarter(ctx context.Context) (err error) {
	i.starter, i.url, err = i.start(ctx, "starter", "COUNTERSIGN_LISTEN")
	return err
}

// StartWorker starts the worker and returns when it works.
func (i *Installation) StartWorker(ctx context.Context) (err error) {
	i.worker, _, err = i.start(ctx, "worker", "COUNTERSIGN_METRICS_LISTEN")
	return err
}

func (i *Installation) start(ctx context.Context, name, listen string) (*stack.Process, string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	port, err := stack.FreePort()
	if err != nil {
		return nil, "", err
	}
	i.env[listen] = fmt.Sprintf("127.0.0.1:%d", port)
	p, err := stack.Start(stack.Command{
		Name: name, Path: filepath.Join(i.site.options.Product, build.Executable(name)),
		Env: stack.Environment(i.env), LogFile: filepath.Join(i.dir, name+".log"),
		Yields: name == "worker",
	})
	if err != nil {
		return nil, "", err
	}
	url := "http://" + i.env[listen]
	if err := stack.WaitHTTP(ctx, url+"/readyz", p); err != nil {
		return nil, "", errors.Join(err, p.Kill())
	}
	return p, url, nil
}

// StopWorker stops the worker as a deployment does: what is under way is finished.
func (i *Installation) StopWorker(ctx context.Context) error {
	p := i.worker
	i.worker = nil
	return stop(ctx, p)
}

func stop(ctx context.Context, p *stack.Process) error {
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*drain)
	defer cancel()
	return p.Stop(ctx)
}

// WorkerProcess is the id of the worker, 0 while there is none.
func (i *Installation) WorkerProcess() int { return processOf(i.worker) }

// StarterProcess is the id of the starter, 0 while there is none.
func (i *Installation) StarterProcess() int { return processOf(i.starter) }

func processOf(p *stack.Process) int {
	if p == nil {
		return 0
	}
	return p.PID()
}

// settleEvery is the pause between two looks into the journal, which cost it something.
const settleEvery = 200 * time.Millisecond

// Await waits until so many completions stand in one of the states.
func (i *Installation) Await(ctx context.Context, n int, states ...training.State) error {
	for {
		counts, err := i.Journal.Counts(ctx)
		if err != nil {
			return err
		}
		have := 0
		for state, count := range counts {
			if slices.Contains(states, state) {
				have += count
			}
		}
		if have >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %d of %d are %v: %w", i.name, have, n, states, ctx.Err())
		case <-i.ended():
			return fmt.Errorf("%s: a process has ended by itself, see %s", i.name, i.dir)
		case <-time.After(settleEvery):
		}
	}
}

// ended is closed when the worker, or without one the starter, has ended.
func (i *Installation) ended() <-chan struct{} {
	switch {
	case i.worker != nil:
		return i.worker.Done()
	case i.starter != nil:
		return i.starter.Done()
	default:
		return nil
	}
}

func (i *Installation) close() error {
	ctx := context.Background()
	return errors.Join(stop(ctx, i.starter), stop(ctx, i.worker), i.Journal.Close())
}
