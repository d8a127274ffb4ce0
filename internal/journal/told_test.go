package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
)

func TestNoticeIsRememberedByChannel(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j, ctx := open(t, dsn, journal.Options{}), t.Context()
		told := func(tenant, notice, channel string) bool {
			was, err := j.Told(ctx, tenant, notice, channel)
			require.NoError(t, err)
			return was
		}
		require.False(t, told("acme", "acme/run/1", "slack"))
		for range 2 {
			require.NoError(t, j.MarkTold(ctx, "acme", "acme/run/1", "slack"))
			require.True(t, told("acme", "acme/run/1", "slack"))
		}
		require.False(t, told("acme", "acme/run/1", "mail"))
		require.False(t, told("acme", "acme/run/2", "slack"))
		require.False(t, told("globex", "acme/run/1", "slack"))
	})
}
