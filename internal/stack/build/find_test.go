//go:build unix

package build

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	recent  = "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"
	tooOld  = "temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)"
	ourText = "countersign-temporald server 1.32.1 ui 2.55.0"
)

// fake is an executable that prints text, whatever it is asked.
func fake(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho '"+text+"'\n"), 0o700))
	return path
}

// find looks with this PATH, an empty cache and this choice.
func find(t *testing.T, path, choice string) (server TemporalServer, found bool, said string, err error) {
	t.Helper()
	root, err := Root("")
	require.NoError(t, err)
	t.Setenv("PATH", path)
	t.Setenv(CacheVariable, t.TempDir())
	t.Setenv(TemporalVariable, choice)
	var out bytes.Buffer
	server, found, err = FindTemporal(t.Context(), root, "", &out)
	return server, found, out.String(), err
}

func TestRecentTemporalOnPathIsUsed(t *testing.T) {
	path := t.TempDir()
	binary := fake(t, filepath.Join(path, "temporal"), recent)
	server, found, said, err := find(t, path, "")
	require.NoError(t, err)
	require.True(t, found)
	require.Empty(t, said)
	require.Equal(t, TemporalServer{Path: binary, Version: Version{1, 29, 1}}, server)

	_, found, _, err = find(t, path, "build")
	require.NoError(t, err)
	require.False(t, found, "ours is asked for, and not built yet")
}

func TestOldTemporalOnPathIsToldAndNotUsed(t *testing.T) {
	path := t.TempDir()
	fake(t, filepath.Join(path, "temporal"), tooOld)
	_, found, said, err := find(t, path, "")
	require.NoError(t, err)
	require.False(t, found)
	require.Contains(t, said, "server 1.25.0, at least 1.29.0 is needed")
}

// Whoever installs the command line to operate what is running must find it running after the next start too.
func TestTemporalOnPathLeavesDataOfOursToOurs(t *testing.T) {
	root, err := Root("")
	require.NoError(t, err)
	path := t.TempDir()
	official := fake(t, filepath.Join(path, "temporal"), recent)
	t.Setenv("PATH", path)
	t.Setenv(CacheVariable, t.TempDir())
	t.Setenv(TemporalVariable, "")
	binary, err := ourTemporal(root)
	require.NoError(t, err)
	fake(t, binary, ourText)
	for made, want := range map[string]string{"": official, "1.29.1": official, "1.28.0": official, "1.32.1": binary} {
		var out bytes.Buffer
		server, found, err := FindTemporal(t.Context(), root, made, &out)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, want, server.Path, "data of %q", made)
		require.Equal(t, want == binary, out.Len() > 0, "it is said where the one on PATH is left out")
	}
}

func TestChosenTemporalIsUsedOrRefused(t *testing.T) {
	dir := t.TempDir()
	server, found, _, err := find(t, "", fake(t, filepath.Join(dir, "mine"), ourText))
	require.NoError(t, err)
	require.True(t, found)
	require.True(t, server.Ours)

	_, _, _, err = find(t, "", fake(t, filepath.Join(dir, "old"), tooOld))
	require.ErrorContains(t, err, TemporalVariable)
	_, _, _, err = find(t, "", filepath.Join(dir, "missing"))
	require.ErrorContains(t, err, TemporalVariable)
}

func TestTemporalIsBuiltOnce(t *testing.T) {
	root, err := Root("")
	require.NoError(t, err)
	t.Setenv("PATH", "") // nothing can be built here
	t.Setenv(CacheVariable, t.TempDir())
	t.Setenv(TemporalVariable, "build")
	binary, err := ourTemporal(root)
	require.NoError(t, err)
	_, err = Temporal(t.Context(), root, Lean, &bytes.Buffer{})
	require.ErrorContains(t, err, "Go is needed")

	fake(t, binary, ourText)
	server, err := Temporal(t.Context(), root, Lean, &bytes.Buffer{})
	require.NoError(t, err)
	require.Equal(t, binary, server.Path)
}
