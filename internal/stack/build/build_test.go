package build

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseVersion(t *testing.T) {
	tests := []struct {
		output string
		want   string
		ours   bool
	}{
		{"temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)\n", "1.29.1", false},
		{"temporal version v1.9.1 (Server v1.32.0, UI v2.54.1)", "1.32.0", false},
		{"countersign-temporald server 1.32.1 ui 2.55.0\n", "1.32.1", true},
		{"temporal version 2.0.0-rc.1 (Server 1.33.0-rc.2, UI 2.60.0)", "1.33.0", false},
	}
	for _, tt := range tests {
		v, ours, err := parseVersion(tt.output)
		require.NoError(t, err, tt.output)
		require.Equal(t, tt.want, v.String())
		require.Equal(t, tt.ours, ours)
	}
	for _, output := range []string{"", "server", "temporal version 1.5.1", "server x.y.z", "Server 1.29,"} {
		_, _, err := parseVersion(output)
		require.Error(t, err, output)
	}
}

func TestOldServersAreTooOld(t *testing.T) {
	require.True(t, Version{1, 28, 9}.Less(oldest()))
	require.True(t, Version{0, 99, 0}.Less(oldest()))
	require.False(t, Version{1, 29, 0}.Less(oldest()))
	require.False(t, Version{2, 0, 0}.Less(oldest()))
}

func TestRootIsFoundFromAnywhereInside(t *testing.T) {
	root, err := Root("")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "internal", "stack", "build", "build_test.go"))

	// The nested module is inside the checkout and has a go.mod of its own.
	nested, err := Root(filepath.Join(root, "dev", "temporal"))
	require.NoError(t, err)
	require.Equal(t, root, nested)

	_, err = Root(t.TempDir())
	require.ErrorContains(t, err, "not inside")
}

func TestContentKeyFollowsWhatIsCompiled(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	key := func() string {
		k, err := contentKey(dir)
		require.NoError(t, err)
		return k
	}
	_, err := contentKey(dir)
	require.Error(t, err, "no go.mod")
	write("go.mod", "module m")
	write("go.sum", "")
	write("main.go", "package main")
	first := key()
	require.Equal(t, first, key())

	write("main_test.go", "package main")
	require.Equal(t, first, key(), "tests are not compiled into it")
	write("main.go", "package main // changed")
	second := key()
	require.NotEqual(t, first, second)
	write("go.sum", "a newer dependency")
	require.NotEqual(t, second, key())
}

// A binary with an overlay is another one than without, and another one when what is read in place of the library's files has changed.
func TestABinaryWithAnOverlayHasItsOwnName(t *testing.T) {
	root, err := Root("")
	require.NoError(t, err)
	n := temporal()
	plain, err := n.binary(root)
	require.NoError(t, err)

	n.overlay = filepath.Join(t.TempDir(), "overlay.json")
	_, err = n.binary(root)
	require.ErrorContains(t, err, "read an overlay")
	file := filepath.Join(t.TempDir(), "time.go")
	require.NoError(t, os.WriteFile(n.overlay, fmt.Appendf(nil, `{"Replace": {"/lib/time.go": %q}}`, file), 0o600))
	_, err = n.binary(root)
	require.ErrorContains(t, err, "time.go")
	names := map[string]bool{plain: true}
	for _, content := range []string{"package time", "package time // later"} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		name, err := n.binary(root)
		require.NoError(t, err)
		names[name] = true
	}
	require.Len(t, names, 3)
}

func TestProgressReadsTheOutputOfGoBuild(t *testing.T) {
	p := &progress{what: "building x", total: 3, last: "m/main"}
	o := &goOutput{progress: p}
	say := func(text string) {
		_, err := o.Write([]byte(text))
		require.NoError(t, err)
	}
	at := func() string { return p.text(90 * time.Second) }

	require.Equal(t, "building x: starting, 1m30s (once; cached afterwards)", at())
	say("go: downloading github.com/a/b v1.2.3\ngo: down")
	require.Contains(t, at(), "downloading modules, 1 so far")
	say("loading github.com/c/d v0.1.0\n")
	require.Contains(t, at(), "downloading modules, 2 so far")
	say("internal/abi\ngithub.com/a/b\n")
	require.Contains(t, at(), "2 of at most 3 packages")
	say("one\ntwo\n")
	require.Contains(t, at(), "4 of at most 4 packages", "an estimate that was too low is not shown")
	say("m/main\n")
	require.Contains(t, at(), "linking")

	say("# m/main\nmain.go:3:1: syntax error\n")
	require.Equal(t, "# m/main\nmain.go:3:1: syntax error", o.said(), "the rest explains a failure")
}

func TestQuickBuildsSayNothing(t *testing.T) {
	var out bytes.Buffer
	start(&out, "building x", 1, "").end(nil)
	require.Empty(t, out.String())
}

func TestFailedBuildSaysWhy(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26.0\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {"), 0o600))
	var out bytes.Buffer
	err := goBuild(t.Context(), start(&out, "building m", 1, ""), dir, []string{"GOWORK=off", "GOFLAGS="}, "-o", os.DevNull, ".")
	require.ErrorContains(t, err, "main.go:3")
}

func TestPublishLeavesTheOldFileAlone(t *testing.T) {
	dir := t.TempDir()
	built, name := filepath.Join(dir, "built"), filepath.Join(dir, "starter")
	write := func(content string) {
		require.NoError(t, os.RemoveAll(built)) // as go does
		require.NoError(t, os.WriteFile(built, []byte(content), 0o600))
		require.NoError(t, publish(built, name))
	}
	write("first")
	running, err := os.Open(name)
	require.NoError(t, err)
	defer running.Close()
	require.NoError(t, publish(built, name), "nothing new")

	write("second")
	now, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "second", string(now))
	old, err := io.ReadAll(running)
	require.NoError(t, err)
	require.Equal(t, "first", string(old))
	require.NoFileExists(t, name+".new")
}
