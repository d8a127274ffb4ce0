// Package rig is a whole installation to be ill-treated: the real starter, worker, Temporal
// server and database as child processes, the other side as simulators in this process, and a
// link on every way between them. It does what a plan says (Begin, End), heals everything
// (Heal), waits until nothing moves any more (Drain) and collects what stands where (Evidence).
package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"countersign/bench/faults/clock"
	"countersign/bench/faults/disk"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/wire"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// Options are what New needs.
type Options struct {
	// Dir takes logs, ledger and databases.
	Dir string
	// Product is the folder of the built starter and worker; for a plan that sets plan.OurClock they have the overlay of package clock,
	// for one that kills them inside an SQLite commit the libc of package disk.
	Product string
	// Temporal has the overlay for one that sets plan.TemporalClock.
	Temporal build.TemporalServer
	Plan     plan.Plan
	Traffic  traffic.Traffic
	// LMSSecret is what the traffic is signed with.
	LMSSecret string
	// Refused counts the requests that were not acknowledged and are to come again.
	Refused func() int
	// Say takes what happens, line by line; it must be safe for concurrent use.
	Say func(format string, args ...any)
}

// secrets are made for one run.
type secrets struct{ lms, qms, lrs string }

// Rig is a running installation. Begin, End and Heal are called one at a time.
type Rig struct {
	options Options
	secrets secrets
	world   *world
	store   *store
	begun   time.Time
	// clock is that of starter and workers, temporalClock Temporal's, if they were built for it.
	clock, temporalClock clock.Clock

	// The links, named after both ends: the sender's to the starter, and so on.
	ingress, starterTemporal, workerTemporal, qms, lrs *wire.Link

	// temporalMu guards temporal, whose methods are not safe for concurrent use.
	temporalMu sync.Mutex
	temporal   *stack.Temporal
	client     client.Client
	starter    *member
	workers    []*member

	mu sync.Mutex
	// expected are the faults that have begun, and whether they were felt.
	expected []*expectation
	// certificates are the documents that were stored before a restore, by fingerprint.
	certificates map[training.Fingerprint]map[string]bool
}

// StartLimit is how long an installation may take to come up.
const StartLimit = 2 * time.Minute

// New brings an installation up; Close takes it down, also after an error.
func New(ctx context.Context, options Options) (_ *Rig, err error) {
	ctx, cancel := context.WithTimeout(ctx, StartLimit)
	defer cancel()
	r := &Rig{
		options: options, begun: time.Now(), secrets: secrets{lms: options.LMSSecret, qms: rand.Text(), lrs: rand.Text()},
		certificates: map[training.Fingerprint]map[string]bool{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.world, err = newWorld(ctx, options.Traffic.Keys, r.secrets); err != nil {
		return nil, err
	}
	if r.store, err = newStore(options.Plan, options.Dir); err != nil {
		return nil, err
	}
	if r.clock, err = clock.New(filepath.Join(options.Dir, "clock")); err != nil {
		return nil, err
	}
	if r.temporalClock, err = clock.New(filepath.Join(options.Dir, "temporal-clock")); err != nil {
		return nil, err
	}
	if err := r.startTemporal(ctx); err != nil {
		return nil, err
	}
	if err := r.openLinks(); err != nil {
		return nil, err
	}
	workers := 1
	if options.Plan.Has("freeze-worker") {
		workers = 2
	}
	return r, r.startMembers(ctx, workers)
}

func (r *Rig) startTemporal(ctx context.Context) (err error) {
	r.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{
		Server: r.options.Temporal, DBFile: r.temporalFile(), SearchAttributes: workflows.SearchAttributes(),
		Env: map[string]string{clock.Variable: r.temporalClock.File()}, LogFile: logFile(r.options.Dir, "temporal"),
	})
	if err != nil {
		return err
	}
	r.client, err = client.NewLazyClient(client.Options{
		HostPort: r.temporal.Address(), Namespace: r.temporal.Namespace(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	return err
}

func (r *Rig) temporalFile() string { return filepath.Join(r.options.Dir, "temporal.db") }

func (r *Rig) openLinks() error {
	var errs []error
	open := func(name, upstream string, protocol wire.Protocol) *wire.Link {
		link, err := wire.NewLink(name, upstream, protocol)
		errs = append(errs, err)
		return link
	}
	port, err := stack.FreePort()
	errs = append(errs, err)
	r.ingress = open("sender-starter", fmt.Sprintf("127.0.0.1:%d", port), wire.HTTP)
	r.starterTemporal = open("starter-temporal", r.temporal.Address(), wire.GRPC)
	r.workerTemporal = open("worker-temporal", r.temporal.Address(), wire.GRPC)
	r.qms = open("worker-qms", r.world.qmsAddr, wire.HTTP)
	r.lrs = open("worker-lrs", r.world.lrsAddr, wire.HTTP)
	return errors.Join(errs...)
}

// links are all of them, those that are open.
func (r *Rig) links() []*wire.Link {
	var open []*wire.Link
	all := []*wire.Link{r.ingress, r.starterTemporal, r.workerTemporal, r.qms, r.lrs}
	if r.store != nil {
		all = append(all, r.store.links()...)
	}
	for _, l := range all {
		if l != nil {
			open = append(open, l)
		}
	}
	return open
}

func (r *Rig) startMembers(ctx context.Context, workers int) error {
	file, err := r.writeTenants()
	if err != nil {
		return err
	}
	for i := range workers {
		port, err := stack.FreePort()
		if err != nil {
			return err
		}
		listen := fmt.Sprintf("127.0.0.1:%d", port)
		w, err := r.startMember(ctx, fmt.Sprintf("worker-%d", i+1), "worker", listen, r.environment(file, r.store.worker, r.workerTemporal,
			map[string]string{"COUNTERSIGN_METRICS_LISTEN": listen}))
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	listen := r.ingress.Upstream()
	r.starter, err = r.startMember(ctx, "starter", "starter", listen, r.environment(file, r.store.starter, r.starterTemporal,
		map[string]string{"COUNTERSIGN_LISTEN": listen}))
	return err
}

func (r *Rig) startMember(ctx context.Context, name, binary, listen string, env map[string]string) (*member, error) {
	trap := disk.New(filepath.Join(r.options.Dir, name+"-falls"))
	env[disk.Variable] = trap.File()
	return startMember(ctx, name, stack.Command{
		Name: name, Path: filepath.Join(r.options.Product, build.Executable(binary)),
		Env: stack.Environment(env), LogFile: logFile(r.options.Dir, name),
	}, "http://"+listen+"/healthz", trap, r.options.Say)
}

// URL is where the sender posts to.
func (r *Rig) URL() string {
	return "http://" + r.ingress.Address() + "/webhooks/lms/" + traffic.Tenant + "/" + traffic.Source
}

// members are our processes.
func (r *Rig) members() []*member {
	all := append([]*member{}, r.workers...)
	if r.starter != nil {
		all = append(all, r.starter)
	}
	return all
}

// Close takes everything down.
func (r *Rig) Close() error {
	var errs []error
	for _, m := range r.members() {
		errs = append(errs, m.close())
	}
	if r.client != nil {
		r.client.Close()
	}
	if r.temporal != nil {
		errs = append(errs, r.temporal.Kill())
	}
	for _, l := range r.links() {
		if r.store != nil && slices.Contains(r.store.links(), l) {
			continue // the store's own
		}
		errs = append(errs, l.Close())
	}
	if r.store != nil {
		errs = append(errs, r.store.close())
	}
	if r.world != nil {
		errs = append(errs, r.world.close())
	}
	return errors.Join(errs...)
}
