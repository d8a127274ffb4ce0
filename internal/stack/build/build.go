// Package build provides the binaries of a local installation: the product's own, and a
// Temporal server, which is found on PATH or built once from the nested module dev/temporal. For the
// benchmark it builds bench/engines in the same way.
//
// It imports the standard library only: `go run ./dev` starts with this package, and on a
// fresh machine everything it imports has to be compiled before it can say a word.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// CacheVariable names the directory for built binaries instead of the user's cache.
	CacheVariable = "COUNTERSIGN_CACHE"
	// stopLimit is how long a cancelled `go build` may take to clean up.
	stopLimit = 10 * time.Second
)

// Root finds the checkout that dir, or the working directory when dir is "", lies in.
func Root(dir string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for at := from; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && isModule(content, "countersign") {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find the checkout: %s is not inside one of module countersign", from)
		}
	}
}

func isModule(content []byte, name string) bool {
	for line := range bytes.Lines(content) {
		if fields := strings.Fields(string(line)); len(fields) >= 2 && fields[0] == "module" {
			return fields[1] == name
		}
	}
	return false
}

// CacheDir is where built binaries are kept.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache, which %s can replace: %w", CacheVariable, err)
	}
	return filepath.Join(dir, "countersign"), nil
}

// goBuild runs `go build` with the arguments in dir and reports to p, which it ends.
func goBuild(ctx context.Context, p *progress, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-v"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(append([]string{roomToCompile}, os.Environ()...), env...)
	// Interrupted rather than killed: go then stops its compilers and removes its work.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopLimit
	output := &goOutput{progress: p}
	cmd.Stdout, cmd.Stderr = output, output
	err := cmd.Run()
	p.end(err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w (Go is needed: https://go.dev/dl)", err)
	case err != nil:
		return fmt.Errorf("go build in %s: %w\n%s", dir, err, output.said())
	}
	return nil
}

// Mode is how a build is made fast. Packages compiled in one mode are not used in the other.
type Mode bool

const (
	// Lean leaves debug information and inlining out, which halves the time to compile. It is for
	// whoever starts with nothing compiled, and not for measuring how fast the result is. The
	// product and the Temporal server share some 500 packages.
	Lean Mode = true
	// Shared compiles as `go test` does, which has compiled most of it already.
	Shared Mode = false
)

func (m Mode) flags() []string {
	// -s -w, as the Dockerfile has it: without debug information linking takes half the time.
	flags := []string{"-ldflags=-s -w"}
	if m == Lean {
		flags = append(flags, "-gcflags=all=-l -dwarf=false")
	}
	return flags
}

// roomToCompile has the compiler collect its garbage less often, unless the caller's environment
// says otherwise: a quarter less time for more memory.
const roomToCompile = "GOGC=400"

// goOutput sorts what `go build -v` prints: package names and downloads go to the progress,
// everything else is an explanation if the build fails.
type goOutput struct {
	progress *progress
	rest     []byte // the line that is not finished yet
	other    []string
}

// mostSaid is how many lines of explanation are kept.
const mostSaid = 40

// Write implements io.Writer.
func (o *goOutput) Write(data []byte) (int, error) {
	o.rest = append(o.rest, data...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte("\n"))
		if !found {
			return len(data), nil
		}
		o.rest = rest
		if text := strings.TrimRight(string(line), "\r"); !o.progress.take(text) && len(o.other) < mostSaid {
			o.other = append(o.other, text)
		}
	}
}

func (o *goOutput) said() string {
	return strings.TrimSpace(strings.Join(append(o.other, string(o.rest)), "\n"))
}

// printf writes a line about what is done. What cannot be written is lost: a closed terminal
// must not fail a build.
func printf(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format, args...)
}
