// Package figure is the arithmetic of the measurements: percentiles, rates, and the spread of a
// figure over the rounds of one run.
package figure

import (
	"errors"
	"math"
	"slices"
	"time"
)

// ErrTooFew means that there are not enough values for the figure.
var ErrTooFew = errors.New("too few values")

// Spread is a figure over several rounds. The median is what is held against a bound: one round in
// which the machine did something else neither saves nor breaks it.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	// Rounds are the values, in the order in which they were measured.
	Rounds []float64 `json:"rounds"`
}

// Over makes the spread of the values, one of each round. ErrTooFew if there is none.
func Over(rounds []float64) (Spread, error) {
	if len(rounds) == 0 {
		return Spread{}, ErrTooFew
	}
	sorted := slices.Sorted(slices.Values(rounds))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1], Rounds: slices.Clone(rounds)}, nil
}

// Ratios divides round by round: what was measured side by side is compared, not the two medians.
// The slices are of equal length; a denominator of 0 yields an infinite ratio.
func Ratios(numerators, denominators []float64) []float64 {
	ratios := make([]float64, len(numerators))
	for i, n := range numerators {
		ratios[i] = n / denominators[i]
	}
	return ratios
}

// Percentile is the smallest value that at least p percent of the values do not exceed (nearest
// rank), with 0 < p <= 100; 0 if there are no values.
func Percentile(values []time.Duration, p float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Throughput is how many of the events came a second, from start until the last of them. With a
// bounded number under way it is what was worked: a rate between two of the events would count
// those as done in between that were nearly done before. ErrTooFew if there is none.
func Throughput(start time.Time, events []time.Time) (float64, error) {
	if len(events) == 0 {
		return 0, ErrTooFew
	}
	last := slices.MaxFunc(events, time.Time.Compare)
	if !last.After(start) {
		return 0, ErrTooFew
	}
	return float64(len(events)) / last.Sub(start).Seconds(), nil
}

// Rate is the rate of events per second from the one with the number first on: in the middle of
// a stream, with as much under way at the end as there. ErrTooFew if fewer than two are left.
func Rate(events []time.Time, first int) (float64, error) {
	sorted := slices.SortedFunc(slices.Values(events), time.Time.Compare)
	last := len(sorted) - 1
	if first >= last || !sorted[last].After(sorted[first]) {
		return 0, ErrTooFew
	}
	return float64(last-first) / sorted[last].Sub(sorted[first]).Seconds(), nil
}
