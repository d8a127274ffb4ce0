package main

import (
	"fmt"
	"slices"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/plan"
	"countersign/bench/faults/verdict"
)

// header names the columns; the package comment explains them.
const header = "seed,faults,sent,acked,indeterminate,keys,completed,review,rejected,lost,doubled,phantom,silent,p50,p99,p99.9,drain seconds"

// line is the CSV line of a run. No field can hold a comma.
func line(p plan.Plan, sums ledger.Summary, c verdict.Count, drained time.Duration) string {
	slices.Sort(sums.Latencies)
	ms := func(share float64) float64 {
		return float64(percentile(sums.Latencies, share)) / float64(time.Millisecond)
	}
	return fmt.Sprintf("%d,%s/%s:%s,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%.1f,%.1f,%.1f,%.1f",
		p.Seed, p.Database, p.Name, p.Faults(), sums.Sent, sums.Acked, sums.Indeterminate, c.Keys, c.Completed, c.Review, sums.Rejected,
		c.Lost, c.Doubled, c.Phantom, c.Silent, ms(0.5), ms(0.99), ms(0.999), drained.Seconds())
}

// percentile is the smallest value that the given share of the sorted values does not exceed,
// 0 of none.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
