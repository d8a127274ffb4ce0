package main

import (
	"time"

	"countersign/bench/usage"
)

// times are the processor times of those who take part, in milliseconds: since they began, or per
// completion.
type times struct{ temporal, starter, worker, database, ours float64 }

// times reads all of them.
func (c *carrying) times() (t times, err error) {
	postmaster, err := c.bench.databases.Processes(c.kind)
	if err != nil {
		return t, err
	}
	for into, processes := range map[*float64][]int{
		&t.temporal: {c.site.TemporalProcess()}, &t.starter: {c.installation.StarterProcess()},
		&t.worker: {c.installation.WorkerProcess()}, &t.database: postmaster,
	} {
		used, err := usage.CPU(processes...)
		if err != nil {
			return t, err
		}
		*into = milliseconds(used)
	}
	ours, err := usage.Own()
	t.ours = milliseconds(ours)
	return t, err
}

// since is what was used since before, for each of n completions.
func (t times) since(before times, n int) times {
	per := func(after, before float64) float64 { return (after - before) / float64(n) }
	return times{
		temporal: per(t.temporal, before.temporal), starter: per(t.starter, before.starter), worker: per(t.worker, before.worker),
		database: per(t.database, before.database), ours: per(t.ours, before.ours),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
