package build

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"countersign/internal/stack/lockfile"
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

// ourTemporal is where the present dev/temporal's binary is, once it is built.
func ourTemporal(root string) (string, error) {
	key, err := contentKey(temporalSource(root))
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, Executable("temporald-"+key)), nil
}

func temporalSource(root string) string { return filepath.Join(root, "dev", "temporal") }

// noWorkspace keeps a workspace of the developer's from choosing other versions of the modules.
const noWorkspace = "GOWORK=off"

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
func MakeTemporal(ctx context.Context, root string, mode Mode, out io.Writer) (_ TemporalServer, err error) {
	binary, err := ourTemporal(root)
	if err != nil {
		return TemporalServer{}, err
	}
	held, err := lockfile.Acquire(ctx, binary+".lock", func() {
		printf(out, "waiting: another process is building the local Temporal server\n")
	})
	if err != nil {
		return TemporalServer{}, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if server, err := inspect(ctx, binary); err == nil {
		return server, nil // the other process has built it
	}

	printf(out, "building the local Temporal server; the first time this takes a few minutes\n")
	temporary := binary + ".building"
	p := start(out, "building the local Temporal server", temporalPackages, "countersign/dev/temporal")
	args := append(mode.flags(), "-o", temporary, ".")
	if err := goBuild(ctx, p, temporalSource(root), []string{noWorkspace}, args...); err != nil {
		return TemporalServer{}, err
	}
	// In one step, so that nobody starts half of it.
	if err := os.Rename(temporary, binary); err != nil {
		return TemporalServer{}, fmt.Errorf("install the local Temporal server: %w", err)
	}
	return inspect(ctx, binary)
}

// contentKey names a version of the nested module: a hash of what is compiled from it. It tells
// changes apart, not attackers, and fnv brings thirty packages less than crypto/sha256.
func contentKey(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", fmt.Errorf("read dev/temporal: %w", err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	sum := fnv.New128a()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read dev/temporal: %w", err)
		}
		// Name and length first, so that nothing can move between files unnoticed.
		printf(sum, "%s %d\n", filepath.Base(file), len(content))
		sum.Write(content)
	}
	return runtime.GOOS + "-" + runtime.GOARCH + "-" + hex.EncodeToString(sum.Sum(nil)), nil
}
