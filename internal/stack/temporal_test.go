//go:build unix

package stack_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"countersign/internal/stack"
	"countersign/internal/stack/build"
)

// fakeServer is a script in the place of our Temporal server; the real one is started by the
// end-to-end tests.
func fakeServer(t *testing.T, script string) stack.TemporalOptions {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "temporald")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho \"$@\"\n"+script), 0o700))
	return stack.TemporalOptions{
		Server:  build.TemporalServer{Path: path, Ours: true},
		LogFile: filepath.Join(dir, "log"), DBFile: filepath.Join(dir, "temporal.db"),
		SearchAttributes: map[string]enumspb.IndexedValueType{"Tenant": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	}
}

const obedient = "trap 'exit 0' TERM\necho 'ready frontend=x ui=off'\nwhile :; do sleep 0.01; done"

func TestTemporalStartsAgainOnItsPortAndFile(t *testing.T) {
	options := fakeServer(t, obedient)
	server, err := stack.StartTemporal(t.Context(), options)
	require.NoError(t, err)
	address := server.Address()
	require.NoError(t, server.Kill())
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, server.Stop(t.Context()))

	require.Equal(t, address, server.Address())
	require.Empty(t, server.UIURL())
	log, err := os.ReadFile(options.LogFile)
	require.NoError(t, err)
	port := strings.TrimPrefix(address, "127.0.0.1:")
	line := "server start-dev --ip 127.0.0.1 --port " + port + " --namespace default --headless --db-filename " + options.DBFile +
		" --search-attribute Tenant=Keyword --retention 2160h0m0s --log-level error\nready frontend=x ui=off\n"
	require.True(t, strings.HasPrefix(string(log), line+line), string(log))
}

func TestTemporalThatCannotStartSaysWhy(t *testing.T) {
	_, err := stack.StartTemporal(t.Context(), fakeServer(t, "echo the port is taken >&2; exit 1"))
	require.ErrorContains(t, err, "the port is taken")

	_, err = stack.StartTemporal(t.Context(), fakeServer(t, "exit 0"))
	require.ErrorContains(t, err, "stopped by itself")

	options := fakeServer(t, "echo still reading; sleep 1000")
	options.StartLimit = 50 * time.Millisecond
	_, err = stack.StartTemporal(t.Context(), options)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestDatabaseOfAnotherServerVersionIsRefused(t *testing.T) {
	options := fakeServer(t, obedient)
	options.Server.Ours = false
	options.Server.Version = build.Version{Major: 1, Minor: 30, Patch: 0}
	require.NoError(t, os.WriteFile(options.DBFile+".version", []byte("1.32.1\n"), 0o600))
	_, err := stack.StartTemporal(t.Context(), options)
	require.ErrorContains(t, err, "made by server 1.32.1")
	require.ErrorContains(t, err, build.TemporalVariable)
}
