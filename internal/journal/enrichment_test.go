package journal_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func TestEnrichmentIsKeptBesideTheCompletion_R15(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fp := add(t, j, "acme", 0, 1)[0]
		before, err := j.Completion(ctx, "acme", fp)
		require.NoError(t, err)
		require.Nil(t, before.Enrichment)
		none, err := j.Enrichment(ctx, "acme", fp)
		require.NoError(t, err)
		require.Zero(t, none)

		first := []byte(`{"learner":{"email":"jos\u00e9@example.test"}}`)
		stored, err := j.PutEnrichment(ctx, "acme", fp, first, nil)
		require.NoError(t, err)
		require.Equal(t, journal.Enrichment{Document: first, LookedUpAt: clock.Now()}, stored)

		after, err := j.Completion(ctx, "acme", fp)
		require.NoError(t, err)
		require.Equal(t, first, after.Enrichment)
		after.Enrichment = nil
		require.Equal(t, before, after, "the completion stays as it came")

		// Two attempts side by side: the first stands, and the second is told so.
		clock.Advance(time.Minute)
		stored, err = j.PutEnrichment(ctx, "acme", fp, []byte(`{"late":true}`), nil)
		require.NoError(t, err)
		require.Equal(t, first, stored.Document)

		// Whoever has read what is there may add to it.
		second := []byte(`{"learner":{"externalId":"EMP-1"}}`)
		stored, err = j.PutEnrichment(ctx, "acme", fp, second, first)
		require.NoError(t, err)
		require.Equal(t, journal.Enrichment{Document: second, LookedUpAt: clock.Now()}, stored)
		read, err := j.Enrichment(ctx, "acme", fp)
		require.NoError(t, err)
		require.Equal(t, stored, read)

		_, err = j.PutEnrichment(ctx, "globex", fp, first, nil)
		require.ErrorIs(t, err, journal.ErrNotFound, "another tenant")
		_, err = j.PutEnrichment(ctx, "acme", training.Completion{}.Fingerprint(), first, nil)
		require.ErrorIs(t, err, journal.ErrNotFound)
	})
}
