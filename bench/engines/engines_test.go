package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"countersign/internal/postgrestest"
)

const (
	// pipelines is more than inFlight, so that some have to wait.
	pipelines = 12
	inFlight  = 4
)

// recorded is the SQL that says which steps of a pipeline ($1) its engine would not do again after
// a crash: River keeps the last one, DBOS all.
func recorded(name string) string {
	if name == engineDBOS {
		return `SELECT coalesce(array_agg(function_name ORDER BY function_id), '{}') FROM dbos.operation_outputs WHERE workflow_uuid = $1`
	}
	return `SELECT array_remove(array_agg(metadata->>'river:resumable_step'), NULL) FROM river_job WHERE args->>'name' = $1`
}

// completed is the SQL that counts the pipelines that have ended well.
func completed(name string) string {
	if name == engineDBOS {
		return `SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'`
	}
	return `SELECT count(*) FROM river_job WHERE state = 'completed'`
}

// observer looks into the database, over connections of its own, whenever a step is done.
type observer struct {
	engine string
	pool   *pgxpool.Pool

	mu      sync.Mutex
	order   map[string][]string // the steps done, by pipeline
	running int
	most    int
	wrong   []string
}

func (o *observer) step(pipeline, step string) {
	var durable []string
	err := o.pool.QueryRow(context.Background(), recorded(o.engine), pipeline).Scan(&durable)
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.order[pipeline]
	want := before
	if o.engine == engineRiver {
		want = before[max(0, len(before)-1):]
	}
	if err != nil || !slices.Equal(want, durable) {
		o.wrong = append(o.wrong, fmt.Sprintf("%s, when it does %s: %v is durable, not %v (%v)", pipeline, step, durable, want, err))
	}
	if len(before) == 0 {
		o.running++
		o.most = max(o.most, o.running)
	}
	if o.order[pipeline] = append(before, step); step == stepNames()[len(stepNames())-1] {
		o.running--
	}
}

// Every step is done once, in order, when the one before it is durable; no more than agreed are in
// flight; and what drive takes for ended is, in a database that is looked at when the engine is gone.
func TestEachStepIsDoneOnceAndDurable(t *testing.T) {
	for _, name := range []string{engineRiver, engineDBOS} {
		t.Run(name, func(t *testing.T) {
			dsn := postgrestest.Start(t)
			pool, err := pgxpool.New(t.Context(), dsn)
			require.NoError(t, err)
			defer pool.Close()
			o := &observer{engine: name, pool: pool, order: map[string][]string{}}
			e, err := open(t.Context(), options{engine: name, database: dsn, inFlight: inFlight}, o.step)
			require.NoError(t, err)
			took, err := drive(t.Context(), e, "test", pipelines)
			require.NoError(t, err)
			require.Positive(t, took)
			var ended int
			require.NoError(t, pool.QueryRow(t.Context(), completed(name)).Scan(&ended))
			require.Equal(t, pipelines, ended, "when drive returns")
			require.NoError(t, e.close(t.Context()))

			require.Empty(t, o.wrong)
			require.Len(t, o.order, pipelines)
			for pipeline, steps := range o.order {
				require.Equal(t, stepNames(), steps, pipeline)
			}
			require.LessOrEqual(t, o.most, inFlight)
			require.NoError(t, pool.QueryRow(t.Context(), completed(name)).Scan(&ended))
			require.Equal(t, pipelines, ended)
		})
	}
}

// What the command writes is what bench reads; the database of one round does for the next.
func TestTheCommandWritesALineForARound(t *testing.T) {
	for _, name := range []string{engineRiver, engineDBOS} {
		t.Run(name, func(t *testing.T) {
			dsn := postgrestest.Start(t)
			for round := range 2 {
				var out bytes.Buffer
				args := []string{"-engine", name, "-database", dsn, "-round", fmt.Sprint(round), "-n", "8", "-in-flight", "3"}
				require.NoError(t, run(t.Context(), args, &out, io.Discard))
				require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")))
				decoder := json.NewDecoder(&out)
				decoder.DisallowUnknownFields()
				var r result
				require.NoError(t, decoder.Decode(&r))
				require.Positive(t, r.Seconds)
				r.Seconds = 0
				want := result{Engine: name, Round: round, N: 8, Steps: map[string]int{}}
				for _, step := range stepNames() {
					want.Steps[step] = 8 // those that warm up are not counted
				}
				require.Equal(t, want, r)
			}
		})
	}
}

// forgetful is an engine that leaves a step out.
type forgetful struct{ counts *tally }

func (f forgetful) pipeline(_ context.Context, name string) error {
	for _, step := range stepNames()[1:] {
		f.counts.step(name, step)
	}
	return nil
}
func (forgetful) atOnce(n int) int            { return n }
func (forgetful) close(context.Context) error { return nil }

func TestARoundWithAStepLeftOutIsNone(t *testing.T) {
	counts := newTally()
	_, err := measure(t.Context(), forgetful{counts}, options{n: 3, inFlight: 2}, counts)
	require.ErrorContains(t, err, "3 pipelines did step resolve 0 times")
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-engine", "dbos", "-database", "postgres://"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{engine: engineDBOS, database: "postgres://", n: 300, inFlight: 32}, o)
	for _, args := range [][]string{
		nil, {"-engine", "temporal", "-database", "x"}, {"-engine", "river"}, {"-engine", "river", "-database", "x", "-n", "0"},
		{"-engine", "river", "-database", "x", "-in-flight", "0"}, {"-engine", "river", "-database", "x", "more"}, {"-no-such-flag"},
	} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
}

func TestAnEngineWithoutADatabaseSaysSo(t *testing.T) {
	for name, called := range map[string]string{engineRiver: "River", engineDBOS: "DBOS"} {
		args := []string{"-engine", name, "-database", "postgres://nobody@/none?host=" + t.TempDir()}
		require.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), called)
	}
}
