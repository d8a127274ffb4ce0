package rest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever is asked for and when: no hour, wherever it begins, sees more calls of an endpoint than its budget (R146).
func TestNoHourSeesMoreThanItsBudget_R146(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perHour := rapid.IntRange(1, 60).Draw(t, "per hour")
		b := newBudgets(perHour, true)
		now := time.Unix(0, 0)
		var made []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 180).Draw(t, "seconds")) * time.Second)
			wait, ok := b.take("a", rapid.Bool().Draw(t, "begins"), now)
			if ok {
				made = append(made, now)
			} else {
				require.Positive(t, wait)
			}
		}
		for i := range made {
			inHour := 0
			for _, at := range made[i:] {
				if at.Sub(made[i]) < time.Hour {
					inHour++
				}
			}
			require.LessOrEqual(t, inHour, perHour)
		}
	})
}

func TestEndpointsShareABudgetUnlessThePlatformCountsEach(t *testing.T) {
	now := time.Unix(0, 0)
	for perEndpoint, free := range map[bool]bool{true: true, false: false} {
		b := newBudgets(1, perEndpoint)
		_, ok := b.take("a", true, now)
		require.True(t, ok)
		wait, ok := b.take("a", true, now)
		require.False(t, ok)
		require.InDelta(t, time.Hour, wait, float64(time.Second))
		_, ok = b.take("b", true, now)
		require.Equal(t, free, ok)
	}
	_, ok := newBudgets(0, false).take("a", true, now)
	require.True(t, ok, "no budget")
}

func TestWalkVisitsEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Pages of courses, each course with a number of inner pages.
		pages := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(1, 3), 1, 4), 1, 4).Draw(t, "pages")
		first := rapid.IntRange(0, 1).Draw(t, "first")
		want := 0
		for _, page := range pages {
			for _, inner := range page {
				want += inner
			}
		}
		visited := map[Walk]bool{}
		cursor := ""
		for {
			at, err := ParseWalk(cursor, Walk{Inner: first})
			require.NoError(t, err)
			require.False(t, visited[at])
			visited[at] = true
			page := pages[at.Page]
			cursor = at.Next(at.Inner-first+1 < page[at.Index], len(page), at.Page+1 < len(pages), first)
			if cursor == "" {
				break
			}
		}
		require.Len(t, visited, want)
	})
}
