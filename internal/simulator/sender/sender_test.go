package sender_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

// TestStream: three hundred deliveries of all platforms, of every kind, each through its own LMS.
func TestStream(t *testing.T) {
	ticks := make(chan time.Time)
	go func() {
		defer close(ticks)
		now := ended
		for range 300 {
			now = now.Add(200 * time.Millisecond)
			ticks <- now
		}
	}()
	all := map[string]*sender.LMS{}
	receivers := map[string]*receiver{}
	for _, p := range sender.Profiles() {
		r, url := start(t)
		receivers[p.Name()] = r
		all[p.Name()], _ = open(t, p, url)
	}
	kinds, platforms := map[sender.Kind]int{}, map[string]int{}
	learners := map[string]bool{}
	err := sender.Stream(t.Context(), all, sender.NewMix(site, 7, sender.Profiles()...), ticks, func(d sender.Delivery) {
		require.NoError(t, d.Outcome.Err)
		require.True(t, d.Outcome.Delivered)
		kinds[d.Kind]++
		platforms[d.Profile.Name()]++
		if d.Kind == sender.KindDuplicate {
			return
		}
		require.Equal(t, d.Kind == sender.KindNoise, len(d.Post.Finishes) == 0, d.Profile.Name())
		require.Equal(t, d.Kind == sender.KindBatch, len(d.Post.Finishes) > 1)
		require.Equal(t, d.Kind == sender.KindApproval, d.About.Course.Code == "GMP-7-APPROVAL")
		for _, f := range d.Post.Finishes {
			require.False(t, learners[f.Learner.ExternalID])
			learners[f.Learner.ExternalID] = true
			if f.Course.Code == "SAFE-101-SCORED" {
				require.NotNil(t, f.Score)
				require.True(t, d.Profile.SaysScore)
			}
		}
	})
	require.NoError(t, err)
	for _, kind := range []sender.Kind{sender.KindCompletion, sender.KindBatch, sender.KindDuplicate, sender.KindApproval,
		sender.KindUnknown, sender.KindFailed, sender.KindNoise} {
		require.NotZero(t, kinds[kind], kind)
	}
	require.InDelta(t, 30, kinds[sender.KindDuplicate], 15)
	for name, r := range receivers {
		require.Len(t, r.got(), platforms[name])
		require.NotEmpty(t, r.got(), name)
	}
}

// TestStreamGoesOn: an LMS that waits for its next attempt keeps nobody else waiting.
func TestStreamGoesOn(t *testing.T) {
	_, broken := start(t, repeat(503, 100)...)
	_, fine := start(t)
	release := make(chan struct{})
	slow, _ := open(t, sender.Canonical(), broken, func(o *sender.Options) {
		o.Wait = func(context.Context, time.Duration) error { <-release; return nil }
	})
	quick, _ := open(t, sender.Lessonly(), fine)
	ticks := make(chan time.Time)
	var mu sync.Mutex
	done := map[string]int{}
	ended := make(chan error, 1)
	heard := make(chan struct{}, 100)
	go func() {
		ended <- sender.Stream(t.Context(), map[string]*sender.LMS{"canonical": slow, "lessonly": quick},
			sender.NewMix(site, 1, sender.Canonical(), sender.Lessonly()), ticks, func(d sender.Delivery) {
				mu.Lock()
				defer mu.Unlock()
				if done[d.Profile.Name()]++; d.Profile.Name() == "lessonly" {
					heard <- struct{}{}
				}
			})
	}()
	for range 40 {
		ticks <- time.Now()
	}
	for range 5 {
		<-heard
	}
	mu.Lock()
	require.Zero(t, done["canonical"])
	mu.Unlock()
	close(release)
	close(ticks)
	require.NoError(t, <-ended)
	require.Equal(t, 40, done["canonical"]+done["lessonly"])
}

func TestStreamEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mix := sender.NewMix(site, 1, sender.Canonical())
	err := sender.Stream(ctx, nil, mix, make(chan time.Time), func(sender.Delivery) {})
	require.ErrorIs(t, err, context.Canceled)
}

// TestMixIsSeeded: the same seed and the same times are the same series.
func TestMixIsSeeded(t *testing.T) {
	series := func(seed uint64) []string {
		mix := sender.NewMix(site, seed, sender.Profiles()...)
		var bodies []string
		for i := range 50 {
			bodies = append(bodies, string(mix.Next(ended.Add(time.Duration(i)*time.Second)).Post.Body))
		}
		return bodies
	}
	first, again := series(3), series(3)
	require.Equal(t, first, again)
	require.NotEqual(t, first, series(4))
}
