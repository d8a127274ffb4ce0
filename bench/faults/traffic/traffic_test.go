package traffic

import (
	"encoding/json"
	"testing"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/platform"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

const secret = "a secret of the tests"

func epoch() time.Time { return time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC) }

func made(t *testing.T, seed uint64, n int) Traffic {
	t.Helper()
	all, err := New(seed, n, secret, epoch())
	require.NoError(t, err)
	return all
}

func TestTheSameSeedIsTheSameTraffic(t *testing.T) {
	first, second, other := made(t, 5, 200), made(t, 5, 200), made(t, 6, 200)
	require.Equal(t, first, second)
	require.NotEqual(t, first, other)
}

func TestTheSharesAreTheBriefs(t *testing.T) {
	const n = 1000
	all := made(t, 1, n)
	firings, poison := map[int]int{}, map[Poison]int{}
	kinds := map[Kind]int{}
	for _, d := range all.Deliveries {
		poison[d.Poison]++
		if d.Poison == Sound {
			firings[d.Key]++
		}
	}
	for _, k := range all.Keys {
		kinds[k.Kind]++
		require.Positive(t, firings[k.Number], "key %d is sent", k.Number)
	}
	again := -len(all.Keys)
	for _, times := range firings {
		again += times
	}
	require.Equal(t, len(all.Keys)*DuplicateShare/100, again)
	require.Equal(t, n*PoisonShare/100/4, poison[Broken])
	require.Equal(t, n*PoisonShare/100/4, poison[Forged])
	require.Equal(t, n*PoisonShare/100/4, kinds[Unknown])
	require.Equal(t, n*PoisonShare/100/4, kinds[Failed])
	require.Positive(t, kinds[Approval])
	require.Positive(t, kinds[Scored])
	require.Positive(t, kinds[Plain])
}

func TestAShortRunHasOneOfEachPoison(t *testing.T) {
	all := made(t, 1, 10)
	poison, kinds := map[Poison]int{}, map[Kind]int{}
	for _, d := range all.Deliveries {
		poison[d.Poison]++
	}
	for _, k := range all.Keys {
		kinds[k.Kind]++
	}
	require.Equal(t, []int{1, 1, 1, 1}, []int{poison[Broken], poison[Forged], kinds[Unknown], kinds[Failed]})
}

func TestDeliveriesAreNumberedAndSigned(t *testing.T) {
	all := made(t, 9, 300)
	for i, d := range all.Deliveries {
		require.Equal(t, i, d.Number)
		require.Equal(t, d.Poison != Forged, d.Signature == sender.Sign(secret, d.Body), "delivery %d is %q", i, d.Poison)
		require.Equal(t, d.Poison != Broken, json.Valid(d.Body))
	}
}

// The generator names the completion as the product does: by it the evidence is found.
func TestTheFingerprintIsTheProducts_R90(t *testing.T) {
	adapter, ok := platform.Adapter(Platform)
	require.True(t, ok)
	all := made(t, 2, 60)
	for _, d := range all.Deliveries {
		if d.Poison != Sound {
			continue
		}
		decoded, err := adapter.Decode(lms.Request{Body: d.Body})
		require.NoError(t, err)
		require.Len(t, decoded.Completions, 1)
		c := decoded.Completions[0]
		c.Tenant, c.Source = Tenant, Source
		key := all.Keys[d.Key]
		require.Equal(t, key.Fingerprint, c.Fingerprint())
		require.Equal(t, key.Employee, c.Learner.ExternalID)
		require.Equal(t, key.Kind == Failed, c.Score.Failed())
	}
}

func TestNoTwoKeysAreOneCompletion(t *testing.T) {
	seen := map[training.Fingerprint]bool{}
	for i, k := range made(t, 3, 500).Keys {
		require.Equal(t, i, k.Number)
		require.False(t, seen[k.Fingerprint])
		seen[k.Fingerprint] = true
	}
}
