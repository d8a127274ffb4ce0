package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// TemporalVariable chooses the Temporal server: "build" for ours whatever stands on PATH, or the
// path of a binary; without it a recent `temporal` on PATH is taken, else ours.
const TemporalVariable = "COUNTERSIGN_TEMPORAL"

// temporalPackages is how many packages a first build of the server compiles, about.
const temporalPackages = 1800

// TemporalServer is a binary that understands `server start-dev`.
type TemporalServer struct {
	Path string
	// Version is that of the Temporal server in it.
	Version Version
	// Ours says that it was built from dev/temporal; else it is the official command.
	Ours bool
}

// String is one line for a person.
func (s TemporalServer) String() string {
	if s.Ours {
		return "server " + s.Version.String() + ", built from dev/temporal"
	}
	return "server " + s.Version.String() + ", " + s.Path
}

// Temporal finds a Temporal server or builds ours, which takes minutes the first time. What it
// does is told to out.
func Temporal(ctx context.Context, root string, mode Mode, out io.Writer) (TemporalServer, error) {
	server, found, err := FindTemporal(ctx, root, "", out)
	if found || err != nil {
		return server, err
	}
	return MakeTemporal(ctx, root, mode, out)
}

// FindTemporal looks for a Temporal server that need not be built: the one that TemporalVariable
// asks for, a recent one on PATH, or ours from an earlier build. made is the version of the server that made the
// data it is to go on with, "" for none: where that was ours, a `temporal` that was put on PATH since does not take
// its place, because it could not read them.
func FindTemporal(ctx context.Context, root, made string, out io.Writer) (server TemporalServer, found bool, err error) {
	choice := os.Getenv(TemporalVariable)
	if choice != "" && choice != "build" {
		if server, err = inspect(ctx, choice); err != nil {
			return TemporalServer{}, false, fmt.Errorf("%s: %w", TemporalVariable, err)
		}
		return server, true, nil
	}
	binary, err := ourTemporal(root)
	if err != nil {
		return TemporalServer{}, false, err
	}
	ours, err := inspect(ctx, binary)
	built := err == nil // else it is not there, or cannot run
	if path, err := exec.LookPath("temporal"); err == nil && choice == "" {
		server, err := inspect(ctx, path)
		switch {
		case err != nil:
			printf(out, "not used: %v\n", err)
		case built && made == ours.Version.String() && server.Version != ours.Version:
			printf(out, "not used: %s is Temporal server %s, the data are of server %s\n", path, server.Version, made)
		default:
			return server, true, nil
		}
	}
	return ours, built, nil
}

// MadeBy is the version of the server that made a database, "" where nobody has noted it.
func MadeBy(dbFile string) (string, error) {
	content, err := os.ReadFile(VersionFile(dbFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}

// VersionFile notes which server made a database, in the form dev/temporal has for it.
func VersionFile(dbFile string) string { return dbFile + ".version" }

// inspect asks a binary what it is, and refuses one that is too old.
func inspect(ctx context.Context, path string) (TemporalServer, error) {
	output, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return TemporalServer{}, fmt.Errorf("%s --version: %w", path, err)
	}
	version, ours, err := parseVersion(string(output))
	if err != nil {
		return TemporalServer{}, fmt.Errorf("%s --version: %w", path, err)
	}
	if version.Less(oldest()) {
		return TemporalServer{}, fmt.Errorf("%s is Temporal server %s, at least %s is needed", path, version, oldest())
	}
	return TemporalServer{Path: path, Version: version, Ours: ours}, nil
}

// temporal is our server.
func temporal() nested {
	return nested{dir: "dev/temporal", name: "temporald", what: "the local Temporal server", packages: temporalPackages}
}

// ourTemporal is where the present dev/temporal's binary is, once it is built.
func ourTemporal(root string) (string, error) { return temporal().binary(root) }

func temporalSource(root string) string { return temporal().source(root) }

// DownloadTemporal downloads the modules that MakeTemporal needs, for a time in which the
// processors are busy with something else.
func DownloadTemporal(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", ".")
	cmd.Dir, cmd.Env = temporalSource(root), append(os.Environ(), noWorkspace)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("download the modules of dev/temporal: %w", err)
	}
	return nil
}

// MakeTemporal builds ours from dev/temporal, unless that was done before. Two processes that want it at once build it once.
func MakeTemporal(ctx context.Context, root string, mode Mode, out io.Writer) (TemporalServer, error) {
	return makeTemporal(ctx, temporal(), root, mode, out)
}

// OverlaidTemporal builds ours with some files read from elsewhere: overlay is what `go build -overlay` takes. It stands
// beside the one of MakeTemporal.
func OverlaidTemporal(ctx context.Context, root, overlay string, out io.Writer) (TemporalServer, error) {
	n := temporal()
	n.overlay, n.what = overlay, n.what+" with files of other places"
	return makeTemporal(ctx, n, root, Shared, out)
}

func makeTemporal(ctx context.Context, n nested, root string, mode Mode, out io.Writer) (TemporalServer, error) {
	binary, err := n.build(ctx, root, mode, out, func(binary string) bool {
		_, err := inspect(ctx, binary)
		return err == nil
	})
	if err != nil {
		return TemporalServer{}, err
	}
	return inspect(ctx, binary)
}
