package clock

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asked says what time it is, a line for every line it is given, and how long it has run by the monotonic clock.
const asked = `package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	begun := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(time.Now().Format(time.RFC3339Nano), time.Since(begun) < time.Minute)
	}
}
`

// A process that is built with the overlay lives by the clock, from the moment it is set; how long something takes it
// measures as before.
func TestAClockIsSteppedUnderAProcess(t *testing.T) {
	dir := t.TempDir()
	overlay, err := Overlay(t.Context(), filepath.Join(dir, "overlay"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(asked), 0o600))
	built, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "asked"), filepath.Join(dir, "main.go")).CombinedOutput()
	require.NoError(t, err, string(built))

	c, err := New(filepath.Join(dir, "clock"))
	require.NoError(t, err)
	process := exec.CommandContext(t.Context(), filepath.Join(dir, "asked"))
	process.Env = append(os.Environ(), Variable+"="+c.File())
	in, err := process.StdinPipe()
	require.NoError(t, err)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	lines := bufio.NewScanner(out)
	for _, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		require.NoError(t, c.Set(by))
		_, err := in.Write([]byte("\n"))
		require.NoError(t, err)
		require.True(t, lines.Scan())
		said, rest, _ := strings.Cut(lines.Text(), " ")
		now, err := time.Parse(time.RFC3339Nano, said)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(by), now, 10*time.Minute)
		require.Equal(t, "true", rest)
	}
	require.NoError(t, in.Close())
	require.NoError(t, process.Wait())
}

func TestAClockThatCannotBeKeptIsAnError(t *testing.T) {
	_, err := New(filepath.Join(t.TempDir(), "nowhere", "clock"))
	require.ErrorContains(t, err, "set the clock")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Overlay(t.Context(), file)
	require.ErrorContains(t, err, "overlay the clock")
}
