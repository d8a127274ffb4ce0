package build

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"countersign/internal/stack/lockfile"
)

// nested is a module of its own inside the checkout, whose one command is built once for what is in
// it: all its code is in one folder.
type nested struct {
	// dir is its folder in the checkout, with slashes.
	dir string
	// name is what the binary's name begins with, what it is for people.
	name, what string
	// packages is how many packages a first build compiles, about.
	packages int
	// overlay is what `go build -overlay` takes, "" for none.
	overlay string
}

func (n nested) source(root string) string { return filepath.Join(root, filepath.FromSlash(n.dir)) }

// binary is where the command of the present source is, once it is built. The mode is not in its
// name: whoever comes first builds the binary that all use.
func (n nested) binary(root string) (string, error) {
	key, err := contentKey(n.source(root))
	if err != nil {
		return "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	if n.overlay != "" {
		overlaid, err := overlayKey(n.overlay)
		if err != nil {
			return "", err
		}
		key += "-" + overlaid
	}
	return filepath.Join(cache, Executable(n.name+"-"+key)), nil
}

// noWorkspace keeps a workspace of the developer's from choosing other versions of the modules.
const noWorkspace = "GOWORK=off"

// build builds the command, unless usable says that it was done before. Two processes that want it
// at once build it once.
func (n nested) build(ctx context.Context, root string, mode Mode, out io.Writer, usable func(binary string) bool) (_ string, err error) {
	binary, err := n.binary(root)
	if err != nil {
		return "", err
	}
	held, err := lockfile.Acquire(ctx, binary+".lock", func() {
		printf(out, "waiting: another process is building %s\n", n.what)
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if usable(binary) {
		return binary, nil // the other process has built it
	}

	printf(out, "building %s; the first time this takes a few minutes\n", n.what)
	temporary := binary + ".building"
	p := start(out, "building "+n.what, n.packages, "countersign/"+n.dir)
	args := mode.flags()
	if n.overlay != "" {
		args = append(args, "-overlay="+n.overlay)
	}
	args = append(args, "-o", temporary, ".")
	if err := goBuild(ctx, p, n.source(root), []string{noWorkspace}, args...); err != nil {
		return "", err
	}
	// In one step, so that nobody starts half of it.
	if err := os.Rename(temporary, binary); err != nil {
		return "", fmt.Errorf("install %s: %w", n.what, err)
	}
	return binary, nil
}

// contentKey names a version of a nested module: a hash of what is compiled from it. It tells
// changes apart, not attackers, and fnv brings thirty packages less than crypto/sha256.
func contentKey(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", fmt.Errorf("read a nested module: %w", err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	sum, err := sumOf(files)
	if err != nil {
		return "", fmt.Errorf("read a nested module: %w", err)
	}
	return runtime.GOOS + "-" + runtime.GOARCH + "-" + sum, nil
}

// overlayKey names a version of an overlay: a hash of the files that it has read in place of others.
func overlayKey(overlay string) (string, error) {
	content, err := os.ReadFile(overlay)
	if err != nil {
		return "", fmt.Errorf("read an overlay: %w", err)
	}
	var replaced struct{ Replace map[string]string }
	if err := json.Unmarshal(content, &replaced); err != nil {
		return "", fmt.Errorf("read overlay %s: %w", overlay, err)
	}
	sum, err := sumOf(slices.Sorted(maps.Values(replaced.Replace)))
	if err != nil {
		return "", fmt.Errorf("read overlay %s: %w", overlay, err)
	}
	return sum, nil
}

// sumOf is a hash of files in their order.
func sumOf(files []string) (string, error) {
	sum := fnv.New128a()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		// Name and length first, so that nothing can move between files unnoticed.
		printf(sum, "%s %d\n", filepath.Base(file), len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
