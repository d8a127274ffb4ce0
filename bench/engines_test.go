package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/bench/database"
)

// fakeEngines is a bench/engines that runs a shell script instead.
func fakeEngines(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "engines")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o700))
	return file
}

const sixSteps = `"steps":{"resolve":300,"check":300,"write":300,"certificate":300,"statement":300,"outcome":300}`

func TestARoundOnAnotherEngine(t *testing.T) {
	river := otherEngines()[0]
	binary := fakeEngines(t, `
[ "$*" = "-engine river -database postgres://x -round 3 -n 300 -in-flight 32" ] || { echo "asked for $*" >&2; exit 1; }
echo '{"engine":"river","round":3,"n":300,"seconds":0.5,`+sixSteps+`}'`)
	rate, err := river.run(t.Context(), binary, "postgres://x", 3, 300)
	require.NoError(t, err)
	require.InDelta(t, 600, rate, 1e-9)

	for name, script := range map[string]string{
		"it fails":           `echo "no such database" >&2; exit 1`,
		"it says nothing":    `true`,
		"another engine":     `echo '{"engine":"dbos","round":3,"n":300,"seconds":0.5,` + sixSteps + `}'`,
		"another round":      `echo '{"engine":"river","round":2,"n":300,"seconds":0.5,` + sixSteps + `}'`,
		"another number":     `echo '{"engine":"river","round":3,"n":30,"seconds":0.5,` + sixSteps + `}'`,
		"no time":            `echo '{"engine":"river","round":3,"n":300,"seconds":0,` + sixSteps + `}'`,
		"another pipeline":   `echo '{"engine":"river","round":3,"n":300,"seconds":0.5,"steps":{"resolve":300}}'`,
		"two rounds at once": `for i in 1 2; do echo '{"engine":"river","round":3,"n":300,"seconds":0.5,` + sixSteps + `}'; done`,
	} {
		_, err := river.run(t.Context(), fakeEngines(t, script), "postgres://x", 3, 300)
		require.ErrorContains(t, err, "run the pipeline on River", name)
	}
	_, err = river.run(t.Context(), fakeEngines(t, `echo "no such database" >&2; exit 1`), "postgres://x", 3, 300)
	require.ErrorContains(t, err, "no such database")
}

// The engines are compared on PostgreSQL; on SQLite the table says so, and nothing is started for it.
func TestEnginesAreComparedOnPostgres(t *testing.T) {
	require.Contains(t, carriedRows(database.Postgres), rowEngines)
	require.NotContains(t, carriedRows(database.SQLite), rowEngines)
	rows := notOnEngines(database.SQLite)
	require.Len(t, rows, 2)
	for i, name := range []string{"River", "DBOS"} {
		require.Equal(t, rowEngines, rows[i].Name)
		require.Contains(t, rows[i].Measure, name)
		require.Equal(t, "-", rows[i].Held())
	}
}
