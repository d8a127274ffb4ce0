// Package process is what the starter and the worker have in common as processes: settings,
// log, metrics, journal, the Temporal connection, an HTTP server that drains, and a health
// check for containers without a shell.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"countersign/internal/journal"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/platform"
	"countersign/internal/settings"
	"countersign/internal/telemetry"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"
)

// Process is a running Countersign process. Close undoes all of it.
type Process struct {
	Settings settings.Process
	Tenants  *settings.Settings
	Log      *slog.Logger
	Registry *prometheus.Registry
	Journal  *journal.Journal
	// Temporal connects when it is first used, so that the starter takes deliveries while
	// Temporal is away (law 1).
	Temporal  client.Client
	Namespace string

	stop context.CancelFunc
}

// ArenaQMS is the QMS adapter that settings name "arena".
const ArenaQMS = "arena"

// Load reads and checks the settings and touches nothing else. Every mistake is in the error.
func Load() (settings.Process, *settings.Settings, error) {
	p, err := settings.ProcessFromEnv()
	if err != nil {
		return p, nil, err
	}
	tenants, err := settings.Load(p.Tenants, settings.Known{
		Platforms: platform.Names(), QMS: []string{ArenaQMS, settings.QMSArenaV1}, Mapping: checkMapping, APIs: knownAPIs(),
	})
	return p, tenants, err
}

// checkMapping puts a tenant's mapping over the platform's own and says what is wrong with it.
func checkMapping(name string, own mapping.Definition) error {
	from, ok := platform.Find(name)
	if !ok {
		return nil // an unknown platform is a mistake of its own
	}
	_, err := from.Mapping(&own)
	return err
}

// Open loads the settings and opens what they name.
func Open(ctx context.Context, name string, logTo io.Writer) (*Process, error) {
	own, tenants, err := Load()
	if err != nil {
		return nil, fmt.Errorf("settings:\n%w", err)
	}
	log, err := telemetry.Logger(own.LogLevel, own.LogFormat, logTo)
	if err != nil {
		return nil, err
	}
	log = log.With("process", name)
	for _, warning := range append(own.Warnings, tenants.Warnings...) {
		log.Warn("settings", "warning", warning)
	}
	p := &Process{Settings: own, Tenants: tenants, Log: log, Registry: prometheus.NewRegistry()}
	p.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	if p.Journal, err = journal.Open(ctx, own.Journal.Reveal(), journal.Options{Log: log}); err != nil {
		return nil, err
	}
	if err := p.dialTemporal(); err != nil {
		return nil, errors.Join(err, p.Journal.Close())
	}
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	if os.Getenv("GOGC") == "" {
		go watchGarbage(ctx)
	}
	return p, nil
}

func (p *Process) dialTemporal() (err error) {
	p.Temporal, p.Namespace, err = DialTemporal(p.Registry, p.Log)
	return err
}

// DialTemporal makes a client from the variables that every Temporal tool reads, and names the namespace. It
// connects when it is first used; its metrics go to the registry.
func DialTemporal(registry *prometheus.Registry, log *slog.Logger) (c client.Client, namespace string, err error) {
	metrics, err := telemetry.Metrics(registry, log)
	if err != nil {
		return nil, "", err
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, "", fmt.Errorf("Temporal settings: %w", err)
	}
	options.Logger = sdklog.NewStructuredLogger(log)
	options.MetricsHandler = metrics
	// What travels to Temporal are references and names (law 7), a few hundred bytes: to compress them, as is
	// the SDK's default, costs both sides more than to send them.
	options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	if namespace = options.Namespace; namespace == "" {
		namespace = client.DefaultNamespace
	}
	if c, err = client.NewLazyClient(options); err != nil {
		return nil, "", fmt.Errorf("Temporal client: %w", err)
	}
	return c, namespace, nil
}

// Close closes the Temporal connection and then the journal, which commits what it was given.
func (p *Process) Close() error {
	p.stop()
	p.Temporal.Close()
	return p.Journal.Close()
}
