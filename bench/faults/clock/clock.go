// Package clock steps the clock of processes, as somebody who sets a machine's does, and of nobody else. The kernel has nothing
// for that (a time namespace shifts the monotonic clocks, which nobody sets), and Go asks it without the C library. So the
// processes are built with a time.Now that adds what stands in a file: `go build -overlay` replaces it in the
// standard library, and the product's own code knows nothing of it.
package clock

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Variable names the clock's file to a process that was built with the overlay.
const Variable = "FAULTS_CLOCK"

//go:embed step.go.txt
var step []byte

// asks is where time.Now has asked the runtime, and answers what is done with the answer.
const (
	asks    = "\tsec, nsec, mono := runtimeNow()\n"
	answers = asks + "\tsec += step()\n"
)

// Overlay writes what `go build -overlay` takes into dir, which it makes, and returns its name. A Go whose time.Now
// reads otherwise than this package knows is an error.
func Overlay(ctx context.Context, dir string) (file string, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("overlay the clock: go env GOROOT: %w", err)
	}
	library := filepath.Join(string(bytes.TrimSpace(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return "", fmt.Errorf("overlay the clock: %w", err)
	}
	if n := bytes.Count(source, []byte(asks)); n != 1 {
		return "", fmt.Errorf("overlay the clock: %s asks for the time in %d places, and one is known", library, n)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("overlay the clock: %w", err)
	}
	replaced := map[string]string{}
	for name, content := range map[string][]byte{
		"time.go": bytes.Replace(source, []byte(asks), []byte(answers), 1), "step.go": step,
	} {
		replaced[filepath.Join(library, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return "", fmt.Errorf("overlay the clock: %w", err)
		}
	}
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", fmt.Errorf("overlay the clock: %w", err)
	}
	file = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return "", fmt.Errorf("overlay the clock: %w", err)
	}
	return file, nil
}

// Clock is that of the processes whose environment names its file.
type Clock struct{ file string }

// New makes a clock that is right.
func New(file string) (Clock, error) {
	c := Clock{file: file}
	return c, c.Set(0)
}

// File is what Variable is to say.
func (c Clock) File() string { return c.file }

// Set steps the clock so that it is off by so much, to whole seconds; a process that has the file open sees it at once.
func (c Clock) Set(by time.Duration) error {
	file, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	var seconds [8]byte
	binary.NativeEndian.PutUint64(seconds[:], uint64(by/time.Second))
	_, err = file.WriteAt(seconds[:], 0) // one write of one word: nobody reads half of it
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}
