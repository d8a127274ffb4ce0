package build

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"countersign/internal/stack/lockfile"
)

// Product builds the checkout's commands, given by their folders ("starter", "dev/local"), and
// returns the directory that holds them, each named as its folder is. `go build` decides what
// there is to do; when nothing changed that takes a second.
func Product(ctx context.Context, root string, mode Mode, out io.Writer, commands ...string) (dir string, err error) {
	suffix := ""
	if mode == Lean {
		suffix = "-lean"
	}
	return product(ctx, root, suffix, nil, mode.flags(), out, commands)
}

// Altered builds as Product does in the mode Shared, with further flags of `go build` that have some files read from elsewhere. Its binaries
// stand beside those of Product and of other names.
func Altered(ctx context.Context, root, name string, flags []string, out io.Writer, commands ...string) (dir string, err error) {
	// A workspace of the developer's and -modfile exclude each other.
	return product(ctx, root, "-altered"+name, []string{noWorkspace}, slices.Concat(Shared.flags(), flags), out, commands)
}

func product(ctx context.Context, root, suffix string, env, flags []string, out io.Writer, commands []string) (dir string, err error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	// Two checkouts do not share binaries, and each way to build would overwrite the other's.
	sum := fnv.New64a()
	printf(sum, "%s", root)
	dir = filepath.Join(cache, fmt.Sprintf("product-%x%s", sum.Sum(nil), suffix))
	held, err := lockfile.Acquire(ctx, dir+".lock", func() { printf(out, "waiting for another build of the product\n") })
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, held.Release()) }()

	// What was built stays in a folder of its own, for go links again whatever it does not find
	// where it would write it.
	built := filepath.Join(dir, "built")
	if err := os.MkdirAll(built, 0o755); err != nil {
		return "", fmt.Errorf("build the product: %w", err)
	}
	args := slices.Concat(flags, []string{"-o", built + string(filepath.Separator)})
	for _, command := range commands {
		args = append(args, "./"+command)
	}
	if err := goBuild(ctx, start(out, "building Countersign", productPackages, ""), root, env, args...); err != nil {
		return "", err
	}
	for _, command := range commands {
		name := Executable(path.Base(command))
		if err := publish(filepath.Join(built, name), filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("install %s: %w", name, err)
		}
	}
	return dir, nil
}

// publish gives the built file a second name in one step, so that nobody starts half of it. go
// removes a file before it writes it anew: what runs under the second name is left alone.
func publish(built, name string) error {
	is, err := os.Stat(built)
	if err != nil {
		return err
	}
	if was, err := os.Stat(name); err == nil && os.SameFile(is, was) {
		return nil // go found nothing to do
	}
	linked := name + ".new"
	if err := os.Remove(linked); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(built, linked); err != nil {
		return err
	}
	return os.Rename(linked, name)
}

// productPackages is how many packages a first build compiles, about.
const productPackages = 690

// Executable is the file name of a command on this system.
func Executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
