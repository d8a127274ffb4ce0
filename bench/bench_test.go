package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/bench/database"
	"countersign/bench/load"
	"countersign/bench/table"
)

// The smallest run there is: everything about acknowledgements is measured, on a real SQLite
// over real HTTP, and the table has the rows asked for, in their order.
func TestShortRunOfTheAcks(t *testing.T) {
	var out, progress strings.Builder
	args := []string{"-short", "-rounds", "2", "-database", "sqlite", "-only", "spike,acks,flushes", "-dir", t.TempDir()}
	require.NoError(t, run(t.Context(), args, &out, &progress), progress.String())
	var rows []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "| ") {
			rows = append(rows, line)
		}
	}
	require.Len(t, rows, 4, out.String())
	for i, start := range []string{"| Measure |", "| acks/s, 64 connections", "| flushes per ack |", "| p99 of a spike of 500 events"} {
		require.True(t, strings.HasPrefix(rows[i], start), rows[i])
	}
	for _, row := range rows[1:] {
		require.Contains(t, row, "| SQLite |")
		require.Contains(t, row, "..", "it has a spread")
	}
	require.Contains(t, out.String(), "**A short run")
}

func TestJSONHasEveryRound(t *testing.T) {
	var out strings.Builder
	dir := t.TempDir()
	args := []string{"-short", "-rounds", "3", "-database", "sqlite", "-only", "commits,engines", "-json", "-dir", dir,
		"-cpuprofile", filepath.Join(dir, "profile")}
	require.NoError(t, run(t.Context(), args, &out, io.Discard))
	var r table.Run
	require.NoError(t, json.Unmarshal([]byte(out.String()), &r))
	require.Equal(t, 3, r.Rounds)
	require.Len(t, r.Rows, 3)
	require.Len(t, r.Rows[0].Figure.Rounds, 3)
	require.Positive(t, r.Rows[0].Figure.Min)
	for _, row := range r.Rows[1:] {
		require.Equal(t, rowEngines, row.Name)
		require.Equal(t, "SQLite", row.Database)
		require.Contains(t, row.NotMeasured, "compared on PostgreSQL")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "profile")}, left, "nothing else is left behind")
}

func TestFlags(t *testing.T) {
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{only: rowNames(), databases: []database.Kind{database.SQLite, database.Postgres}, rounds: usualRounds}, o)
	require.Equal(t, 20_000, sizesOf(o).backlog)
	require.Equal(t, 10_000, sizesOf(o).waiting)

	o, err = parse([]string{"-short", "-backlog", "100000", "-waiting", "3000"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 100_000, sizesOf(o).backlog)
	require.Equal(t, 3000, sizesOf(o).waiting)
	require.Equal(t, sizesOf(options{short: true}).window, sizesOf(o).window)

	o, err = parse([]string{"-short", "-only", "acks,waiting", "-database", "postgres"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{only: []string{"acks", "waiting"}, databases: []database.Kind{database.Postgres}, rounds: shortRounds, short: true}, o)

	for _, args := range [][]string{
		{"-only", "nothing"}, {"-only", "acks,"}, {"-database", "oracle"}, {"-rounds", "-1"}, {"-backlog", "-1"}, {"more"}, {"-no-such-flag"},
	} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
}

func TestProcessorTimePerAckAndPerCompletion(t *testing.T) {
	took := taken{Result: load.Result{Latencies: make([]time.Duration, 4)}, cpu: time.Millisecond}
	require.InDelta(t, 250, took.perAck(), 1e-9)
	before := times{temporal: 10, starter: 20, worker: 30, database: 40, ours: 50}
	after := times{temporal: 20, starter: 40, worker: 60, database: 80, ours: 100}
	require.Equal(t, times{temporal: 1, starter: 2, worker: 3, database: 4, ours: 5}, after.since(before, 10))
}

func TestSeries(t *testing.T) {
	var ours, theirs series
	require.Equal(t, "?", ours.show("%.1f"), "nothing was measured")
	for _, v := range []float64{10, 20, 30} {
		ours.add(v)
		theirs.add(v * v)
	}
	require.Equal(t, "20.0", ours.show("%.1f"))
	ratio, err := theirs.over(&ours)
	require.NoError(t, err)
	require.Equal(t, []float64{10, 20, 30}, ratio.Rounds)
}

func TestMachineAndCommitAreNamed(t *testing.T) {
	require.Contains(t, machine(t.TempDir()), "processors")
	require.Empty(t, field("/proc/cpuinfo", "no such name"))
	require.Empty(t, field(filepath.Join(t.TempDir(), "none"), "x"))
	require.NotEmpty(t, commit(t.Context()))
}

// A developer's GOGC is not the product's.
func TestTheCollectorIsTheUsualOne(t *testing.T) {
	t.Setenv("GOGC", "400")
	require.NoError(t, usualCollector())
	_, set := os.LookupEnv("GOGC")
	require.False(t, set)
	shown, err := exec.Command("sh", "-c", `echo "${GOGC-unset}"`).Output()
	require.NoError(t, err)
	require.Equal(t, "unset\n", string(shown))
}
