package build

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
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
}

func (n nested) source(root string) string { return filepath.Join(root, filepath.FromSlash(n.dir)) }

// binary is where the command of the present source is, once it is built. The mode is not in its
// name: whoever comes first builds the binary that all use.
func (n nested) binary(root string) (string, error) {
	key, err := contentKey(n.source(root))
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
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
	args := append(mode.flags(), "-o", temporary, ".")
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
	sum := fnv.New128a()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read a nested module: %w", err)
		}
		// Name and length first, so that nothing can move between files unnoticed.
		printf(sum, "%s %d\n", filepath.Base(file), len(content))
		sum.Write(content)
	}
	return runtime.GOOS + "-" + runtime.GOARCH + "-" + hex.EncodeToString(sum.Sum(nil)), nil
}
