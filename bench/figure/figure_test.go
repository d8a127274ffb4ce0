package figure_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/bench/figure"
)

func TestSpread(t *testing.T) {
	for name, test := range map[string]struct {
		rounds           []float64
		median, min, max float64
	}{
		"one":           {[]float64{3}, 3, 3, 3},
		"odd, unsorted": {[]float64{9, 1, 4}, 4, 1, 9},
		"even":          {[]float64{4, 1, 2, 100}, 3, 1, 100},
		"one outlier":   {[]float64{1, 1, 1, 1, 50}, 1, 1, 50},
	} {
		t.Run(name, func(t *testing.T) {
			given := append([]float64(nil), test.rounds...)
			s, err := figure.Over(given)
			require.NoError(t, err)
			require.Equal(t, figure.Spread{Median: test.median, Min: test.min, Max: test.max, Rounds: test.rounds}, s)
			require.Equal(t, test.rounds, given, "the rounds keep their order")
		})
	}
	_, err := figure.Over(nil)
	require.ErrorIs(t, err, figure.ErrTooFew)
}

// The ratio of each round counts: the medians of 10, 20, 30 and of 30, 10, 20 would say 1.
func TestRatiosAreOfEachRound(t *testing.T) {
	require.Equal(t, []float64{0.5, 2, 1.5}, figure.Ratios([]float64{10, 20, 30}, []float64{20, 10, 20}))
	require.True(t, math.IsInf(figure.Ratios([]float64{1}, []float64{0})[0], 1))
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	var hundred []time.Duration
	for n := 100; n > 0; n-- {
		hundred = append(hundred, time.Duration(n))
	}
	for p, want := range map[float64]time.Duration{50: 50, 99: 99, 99.1: 100, 100: 100, 0.1: 1} {
		require.Equal(t, want, figure.Percentile(hundred, p), "p%v", p)
	}
	require.EqualValues(t, 7, figure.Percentile([]time.Duration{7}, 99))
	require.EqualValues(t, 9, figure.Percentile([]time.Duration{7, 9}, 99))
	require.Zero(t, figure.Percentile(nil, 99))
	require.EqualValues(t, 100, hundred[0], "the values keep their order")
}

func TestThroughputCountsFromTheStart(t *testing.T) {
	start := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	// All of them nearly at once, after two seconds of work.
	events := []time.Time{start.Add(2 * time.Second), start.Add(1999 * time.Millisecond), start.Add(1998 * time.Millisecond), start.Add(1997 * time.Millisecond)}
	rate, err := figure.Throughput(start, events)
	require.NoError(t, err)
	require.InDelta(t, 2, rate, 1e-9)
	for _, few := range [][]time.Time{nil, {start}, {start.Add(-time.Second)}} {
		_, err := figure.Throughput(start, few)
		require.ErrorIs(t, err, figure.ErrTooFew)
	}
}

func TestRateLeavesTheFirstOut(t *testing.T) {
	start := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	events := []time.Time{start.Add(time.Second)} // in no order
	for n := range 10 {
		events = append(events, start.Add(time.Duration(n)*100*time.Millisecond))
	}
	events = append(events, start.Add(-time.Hour)) // a slow first one
	rate, err := figure.Rate(events, 1)
	require.NoError(t, err)
	require.InDelta(t, 10, rate, 1e-9)

	for name, few := range map[string][]time.Time{"none": nil, "one": {start}, "at once": {start, start, start}, "too few": events[:2]} {
		_, err := figure.Rate(few, 1)
		require.ErrorIs(t, err, figure.ErrTooFew, name)
	}
}
