package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/traffic"
	"countersign/bench/faults/verdict"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func TestARowHasTheColumnsOfTheHeader(t *testing.T) {
	p, err := plan.New(plan.Random, plan.Postgres, 7, 200)
	require.NoError(t, err)
	var latencies []time.Duration
	for i := range 1000 {
		latencies = append(latencies, time.Duration(1000-i)*time.Millisecond)
	}
	sums := ledger.Summary{Sent: 1, Acked: 2, Indeterminate: 3, Rejected: 7, Latencies: latencies}
	count := verdict.Count{Keys: 4, Completed: 5, Review: 6, Lost: 8, Doubled: 9, Phantom: 10, Silent: 11}
	fields := strings.Split(line(p, sums, count, 1500*time.Millisecond), ",")
	require.Len(t, fields, len(strings.Split(header, ",")))
	require.Equal(t, "7", fields[0])
	require.Equal(t, "postgres/random:"+p.Faults(), fields[1])
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "501.0", "991.0", "1000.0", "1.5"}, fields[2:])
	require.Zero(t, percentile(nil, 0.99))
}

func TestTheReplayCommandMakesTheSameRun(t *testing.T) {
	s := spec{plan: "points", database: plan.Postgres, seed: 42, n: 77}
	args := strings.Fields(strings.TrimPrefix(s.replay(), "go run ./bench/faults "))
	o, err := parse(args, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []spec{s}, o.specs())
	require.True(t, o.keep)
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-plan", "kills,lrs", "-runs", "2", "-seed", "5"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []spec{
		{"kills", plan.SQLite, 5, 300}, {"kills", plan.SQLite, 6, 300}, {"lrs", plan.SQLite, 5, 300}, {"lrs", plan.SQLite, 6, 300},
	}, o.specs())

	o, err = parse([]string{"-short"}, io.Discard)
	require.NoError(t, err)
	require.Len(t, o.specs(), len(plan.Short()))

	o, err = parse([]string{"-plan", "all", "-database", "sqlite"}, io.Discard)
	require.NoError(t, err)
	require.NotContains(t, o.plans, "pg-restarted")
	require.Contains(t, o.plans, "kill-worker")

	for _, wrong := range [][]string{{"-database", "oracle"}, {"-n", "3"}, {"-runs", "0"}, {"kills"}, {"-nonsense"}} {
		_, err := parse(wrong, io.Discard)
		require.Error(t, err, wrong)
	}
}

// What is answered with an untruth is found, and what is answered rightly is not.
func TestMisjudgedDeliveriesAreFound(t *testing.T) {
	key := traffic.Key{Number: 0, Fingerprint: "f-0"}
	treated := &treatment{traffic: traffic.Traffic{Keys: []traffic.Key{key}, Deliveries: []traffic.Delivery{
		{Number: 0}, {Number: 1, Poison: traffic.Forged}, {Number: 2, Key: -1, Poison: traffic.Broken},
	}}}
	entry := func(f ...training.Fingerprint) ledger.Entry { return ledger.Entry{Status: 200, Fingerprints: f} }
	require.Empty(t, treated.misjudged(ledger.Summary{
		Delivered: map[int]ledger.Entry{0: entry("f-0"), 2: entry()}, Turned: map[int]int{1: 401},
	}))
	for says, sums := range map[string]ledger.Summary{
		"delivery 0 is authentic and was answered 400":  {Turned: map[int]int{0: 400}},
		"delivery 2 is authentic and was answered 422":  {Turned: map[int]int{2: 422}},
		"delivery 1 is forged and was acknowledged":     {Delivered: map[int]ledger.Entry{1: entry("f-0")}},
		"delivery 0 was acknowledged as something else": {Delivered: map[int]ledger.Entry{0: entry("f-1")}},
	} {
		require.Equal(t, []string{says}, treated.misjudged(sums))
	}
}

// The page for people names every fault and every column.
func TestThePageNamesEverything(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reliability.md"))
	require.NoError(t, err)
	var names, unnamed []string
	for _, f := range plan.Catalogue() {
		names = append(names, f.Name)
	}
	for _, name := range append(names, strings.Split(header, ",")...) {
		if !strings.Contains(string(page), "`"+name+"`") {
			unnamed = append(unnamed, name)
		}
	}
	require.Empty(t, unnamed)
}

func TestSentAreTheKeysThatLeft(t *testing.T) {
	require.Equal(t, map[int]bool{3: true}, sent([]ledger.Entry{{Key: 3}, {Key: -1}, {Key: 3}}))
}
