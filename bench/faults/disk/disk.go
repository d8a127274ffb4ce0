// Package disk ends a process by kill -9 at an exact place of what SQLite does to its files, as package wire does at one of a
// conversation: the places inside a commit. An SQLite journal has no wire to hold. So the processes are built with another libc, which
// looks into a file, before it writes, before it flushes and when it gives the write lock back, whether it is to fall there.
// `go build -modfile` takes it in the place of modernc.org/libc, and the product's own code knows nothing of it.
package disk

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Variable names the trap's file to a process that was built with the other libc.
const Variable = "FAULTS_DISK"

//go:embed fall.go.txt
var fall []byte

// insertions are what functions of libc do first.
func insertions() map[string]string {
	flush := "\tbeforeFlush(fd)\n\tdefer afterFlush(fd)\n"
	return map[string]string{
		"func Xwrite(tls *TLS, fd int32, buf uintptr, count Tsize_t) (r Tssize_t) {\n":             "\tbeforeWrite(fd, buf, uint64(count))\n",
		"func Xpwrite(tls *TLS, fd int32, buf uintptr, size Tsize_t, ofs Toff_t) (r Tssize_t) {\n": "\tbeforeWrite(fd, buf, uint64(size))\n",
		"func Xfsync(tls *TLS, fd int32) (r int32) {\n":                                            flush,
		"func Xfdatasync(tls *TLS, fd int32) (r int32) {\n":                                        flush,
		"func Xfcntl(tls *TLS, fd int32, cmd int32, va uintptr) (r int32) {\n":                     "\tbeforeFcntl(fd, cmd, va)\n",
	}
}

// libc is the module that writes and flushes for Go's SQLite.
const libc = "modernc.org/libc"

// Modfile writes what `go build -modfile` takes into dir, for builds of the module in root, and returns its name: in the place of libc
// it has a copy that falls, which stands in cache, and there for as long as it is the same, or everything over it would be compiled
// again. (`go build -overlay` refuses to change what is in the module cache.) A libc that writes and flushes otherwise than this package
// knows is an error: those of other systems than Linux do.
func Modfile(ctx context.Context, root, cache, dir string) (file string, err error) {
	copied, err := falling(ctx, root, cache)
	if err != nil {
		return "", fmt.Errorf("make a libc that falls: %w", err)
	}
	for name, end := range map[string]string{"go.mod": fmt.Sprintf("\nreplace %s => %q\n", libc, copied), "go.sum": ""} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", fmt.Errorf("make a libc that falls: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(content, end...), 0o600); err != nil {
			return "", fmt.Errorf("make a libc that falls: %w", err)
		}
	}
	return filepath.Join(dir, "go.mod"), nil
}

// falling returns the folder in cache with the copy of libc, which it makes when there is none.
func falling(ctx context.Context, root, cache string) (dir string, err error) {
	sources, err := read(ctx, root)
	if err != nil {
		return "", err
	}
	if err := change(sources); err != nil {
		return "", err
	}
	sum := fnv.New128a()
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(sources[name]), sources[name])
	}
	dir = filepath.Join(cache, fmt.Sprintf("libc-%x", sum.Sum(nil)))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	making, err := os.MkdirTemp(cache, "libc-")
	if err != nil {
		return "", err
	}
	for name, source := range sources {
		file := filepath.Join(making, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, source, 0o600)); err != nil {
			return "", errors.Join(err, os.RemoveAll(making))
		}
	}
	if err := os.Rename(making, dir); err != nil { // in one step, so that nobody builds with half of it
		if err := os.RemoveAll(making); err != nil {
			return "", err
		}
		_, err := os.Stat(dir) // somebody else was first
		return dir, err
	}
	return dir, nil
}

// read reads what of libc is compiled into starter and worker on this system, by names relative to the module's folder.
func read(ctx context.Context, root string) (map[string][]byte, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if eq .Path \""+libc+"\"}}{{.Dir}}"+
		"{{range $.GoFiles}}\n{{$.Dir}}/{{.}}{{end}}{{range $.SFiles}}\n{{$.Dir}}/{{.}}{{end}}{{range $.HFiles}}\n{{$.Dir}}/{{.}}{{end}}\n{{end}}{{end}}",
		"./starter", "./worker")
	list.Dir = root
	list.Env = append(os.Environ(), "GOWORK=off") // as go build -modfile wants it
	var said bytes.Buffer
	list.Stderr = &said
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps: %w: %s", err, said.Bytes())
	}
	module, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	sources := map[string][]byte{}
	for file := range strings.Lines(string(output) + filepath.Join(module, "go.mod")) {
		if file = strings.TrimSpace(file); file == "" || file == module {
			continue // a package begins with the module's folder
		}
		name, err := filepath.Rel(module, file)
		if err != nil {
			return nil, err
		}
		if sources[name], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return sources, nil
}

// change inserts what libc does first, each where it belongs.
func change(sources map[string][]byte) error {
	for head, first := range insertions() {
		places := 0
		for name, source := range sources {
			if n := bytes.Count(source, []byte(head)); n > 0 {
				places += n
				sources[name] = bytes.Replace(source, []byte(head), []byte(head+first), 1)
			}
		}
		if places != 1 {
			return fmt.Errorf("%s has %d times %q", libc, places, head)
		}
	}
	sources["fall.go"] = fall
	return nil
}

// Place is when a process falls.
type Place string

// The places.
const (
	BeforeWrite Place = "write"
	// BeforeFlush is that of a file to which something was written that has the mark: another process that has the database open will
	// never see it, and write over it.
	BeforeFlush Place = "flush"
	// Committed is when that was flushed and others see it, and who wrote it does not know yet.
	Committed Place = "committed"
)

// Point is a place in what SQLite does to a file.
type Point struct {
	Place Place
	// File is how the file's name ends.
	File string
	// Mark is what has to be written: a part of it, in one piece. "" is anything.
	Mark string
	// Skip is how many times the place is passed first.
	Skip int
}

// watch is an armed point.
type watch struct {
	point Point
	reach func()
}

// Trap is where one process, or the next of its name, is to fall. It is safe for concurrent use.
type Trap struct {
	file string

	mu    sync.Mutex
	armed []watch // the first one stands in the file
}

// New makes a trap that is not armed. What has its file's name must not exist yet.
func New(file string) *Trap { return &Trap{file: file} }

// File is what Variable is to say.
func (t *Trap) File() string { return t.file }

// Arm has the process fall the next time it comes to the point, and Sprung call reach then. Points that are armed together are come to
// one after the other.
func (t *Trap) Arm(p Point, reach func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = append(t.armed, watch{p, reach})
	return t.order()
}

// Disarm forgets the points.
func (t *Trap) Disarm() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = nil
	return t.order()
}

// order says in the file where the process is to fall next.
func (t *Trap) order() error {
	if len(t.armed) == 0 {
		if err := os.Remove(t.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("disarm a trap: %w", err)
		}
		return nil
	}
	p, next := t.armed[0].point, t.file+".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%s\n%s\n%d\n%s", p.Place, p.File, p.Skip, p.Mark), 0o600); err != nil {
		return fmt.Errorf("arm a trap: %w", err)
	}
	if err := os.Rename(next, t.file); err != nil { // nobody reads half of it
		return fmt.Errorf("arm a trap: %w", err)
	}
	return nil
}

// Sprung reports whether the process, which has ended, fell at the point. It is to be asked once for each end.
func (t *Trap) Sprung() (bool, error) {
	err := os.Remove(t.file + obeyed)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at a trap: %w", err)
	}
	t.mu.Lock()
	var reach func()
	if len(t.armed) > 0 { // it could have been disarmed in that moment
		reach, t.armed = t.armed[0].reach, t.armed[1:]
	}
	err = t.order()
	t.mu.Unlock()
	if reach != nil {
		reach()
	}
	return true, err
}

// obeyed is what the process appends to the name of the file when it falls: of several threads and processes one can.
const obeyed = ".obeyed"
