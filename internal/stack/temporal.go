package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"countersign/internal/stack/build"
)

// DefaultRetention is how long closed runs are kept: duplicates are recognised by them.
const DefaultRetention = 90 * 24 * time.Hour

// TemporalOptions configure a local Temporal server.
type TemporalOptions struct {
	Server build.TemporalServer
	// DBFile is the SQLite file; "" keeps everything in memory until the server stops.
	DBFile string
	// Port is the frontend's; 0 takes a free one, and keeps it over a restart.
	Port int
	// UIPort is the Web UI's; 0 means none.
	UIPort int
	// Namespace is "default" when empty.
	Namespace string
	// Retention is DefaultRetention when 0.
	Retention time.Duration
	// SearchAttributes are to be usable from the first start of a workflow on.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Env is added to the environment.
	Env map[string]string
	// LogFile is what the server's own messages are appended to.
	LogFile string
	// StartLimit bounds the start; 0 means one minute.
	StartLimit time.Duration
}

// Temporal is a local Temporal server. It listens on the loopback interface only, for it has no
// authentication. It is not safe for concurrent use: a restart replaces the process.
type Temporal struct {
	*Process
	options TemporalOptions
}

// StartTemporal starts a server and returns when the namespace and its search attributes are
// usable.
func StartTemporal(ctx context.Context, options TemporalOptions) (*Temporal, error) {
	if options.Namespace == "" {
		options.Namespace = "default"
	}
	if options.Retention == 0 {
		options.Retention = DefaultRetention
	}
	if options.StartLimit == 0 {
		options.StartLimit = time.Minute
	}
	if options.Port == 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		options.Port = port
	}
	t := &Temporal{options: options}
	if err := t.Start(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// Start starts the server again after Stop or Kill, on the same port and file.
func (t *Temporal) Start(ctx context.Context) error {
	if err := t.options.checkFile(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.options.StartLimit)
	defer cancel()
	ready := newReadiness()
	command := Command{Name: "Temporal", Path: t.options.Server.Path, Args: t.options.args(), Env: Environment(t.options.Env), LogFile: t.options.LogFile, Yields: true}
	if t.options.Server.Ours {
		command.Watch = ready
	}
	process, err := Start(command)
	if err != nil {
		return err
	}
	t.Process = process
	if t.options.Server.Ours {
		// It speaks when all is as the arguments say.
		err = t.wait(ctx, ready.seen)
	} else {
		err = t.prepareOfficial(ctx)
	}
	if err != nil {
		return errors.Join(err, t.Kill())
	}
	return nil
}

// Address is the frontend's, host:port, as TEMPORAL_ADDRESS takes it.
func (t *Temporal) Address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.options.Port))
}

// UIURL is the Web UI's address, "" when there is none.
func (t *Temporal) UIURL() string {
	if t.options.UIPort == 0 {
		return ""
	}
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(t.options.UIPort))
}

// Namespace is the namespace's name.
func (t *Temporal) Namespace() string { return t.options.Namespace }

func (t *Temporal) wait(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-t.Done():
		return cmp.Or(t.Err(), errors.New("start Temporal: it stopped by itself"))
	case <-ctx.Done():
		return fmt.Errorf("start Temporal: not ready in time: %w%s", ctx.Err(), t.lastLines())
	}
}

// args is the command line, of flags that ours and the official command both have, except for
// the last ones.
func (o TemporalOptions) args() []string {
	args := []string{"server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(o.Port), "--namespace", o.Namespace}
	if o.UIPort == 0 {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(o.UIPort))
	}
	if o.DBFile != "" {
		args = append(args, "--db-filename", o.DBFile)
	}
	for _, name := range slices.Sorted(maps.Keys(o.SearchAttributes)) {
		args = append(args, "--search-attribute", name+"="+o.SearchAttributes[name].String())
	}
	if o.Server.Ours {
		return append(args, "--retention", o.Retention.String(), "--log-level", "error")
	}
	return append(args, o.officialArgs()...)
}

// checkFile refuses a database of another server version before that one damages it: Temporal
// has no migrations for SQLite. Ours looks by itself.
func (o TemporalOptions) checkFile() error {
	if o.DBFile == "" || o.Server.Ours {
		return nil
	}
	made, err := build.MadeBy(o.DBFile)
	if err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	if made != "" && made != o.Server.Version.String() {
		return fmt.Errorf("start Temporal: %s was made by server %s, %s is server %s, and SQLite files cannot be migrated; "+
			"set %s=build, or delete the file with its companions (-wal, -shm, .version)",
			o.DBFile, made, o.Server.Path, o.Server.Version, build.TemporalVariable)
	}
	return nil
}
