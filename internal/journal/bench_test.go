package journal_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

func eachBenchmark(b *testing.B, run func(b *testing.B, dsn string)) {
	b.Run("sqlite", func(b *testing.B) { run(b, sqliteDSN(b)) })
	b.Run("postgres", func(b *testing.B) { run(b, postgrestest.Start(b)) })
}

// BenchmarkAppend is 64 senders at once; flushes/op is what group commit saves.
func BenchmarkAppend(b *testing.B) {
	eachBenchmark(b, func(b *testing.B, dsn string) {
		j := open(b, dsn, journal.Options{})
		body := make([]byte, 2<<10)
		var n atomic.Int64
		b.SetParallelism(64) // times GOMAXPROCS; set -cpu 1 for exactly 64
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				d := delivery("acme")
				d.Body = body
				if _, err := j.Append(context.Background(), d, []training.Completion{completion("acme", int(n.Add(1)))}); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.StopTimer()
		stats := j.Stats()
		b.ReportMetric(float64(stats.Commits)/float64(stats.Appends), "flushes/op")
		b.ReportMetric(float64(stats.Appends)/b.Elapsed().Seconds(), "appends/s")
	})
}

// BenchmarkClaim claims and releases 32 while 100,000 of one tenant are queued, and a few of others.
func BenchmarkClaim(b *testing.B) {
	eachBenchmark(b, func(b *testing.B, dsn string) {
		ctx := context.Background()
		j := open(b, dsn, journal.Options{})
		for start := 0; start < 100_000; start += 1000 {
			var cs []training.Completion
			for n := range 1000 {
				cs = append(cs, completion("acme", start+n))
			}
			_, err := j.Append(ctx, delivery("acme"), cs)
			require.NoError(b, err)
		}
		add(b, j, "globex", 0, 1)
		add(b, j, "initech", 0, 5)
		for b.Loop() {
			claimed, err := j.Claim(ctx, 32, time.Hour)
			require.NoError(b, err)
			require.Len(b, claimed, 32)
			b.StopTimer()
			for _, c := range claimed {
				require.NoError(b, j.Release(ctx, c.Tenant, c.Fingerprint))
			}
			b.StartTimer()
		}
	})
}
