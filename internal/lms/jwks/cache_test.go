package jwks

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRestartWhileTheIssuerIsAway(t *testing.T) {
	folder, issuer, clock := t.TempDir(), newIssuing(t, "k"), newClock()
	c := Config{URL: issuer.URL, Cache: folder, Now: clock.Now}
	s, err := New(c)
	require.NoError(t, err)
	requireKeys(t, s, "k", 1)
	fetched := s.Status().Fetched

	issuer.Close()
	clock.forward(stale + time.Hour)
	s, err = New(c)
	require.NoError(t, err)
	require.Equal(t, fetched, s.Status().Fetched)
	requireKeys(t, s, "k", 1)

	c.URL += "/other"
	s, err = New(c)
	require.NoError(t, err)
	_, err = s.Keys("k")
	require.Error(t, err, "another issuer has other keys")

	files, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDamagedCacheIsNotUsed(t *testing.T) {
	issuer, clock := newIssuing(t, "k"), newClock()
	for name, content := range map[string]string{
		"empty": "", "half": `{"read":"2026-04-08T11:00:00Z","set":{"keys":[`, "from the future": fmt.Sprintf(`{"read":"2027-01-01T00:00:00Z","set":%s}`, set("forged")),
		"no keys": `{"read":"2026-04-08T11:00:00Z","set":{"keys":[]}}`,
	} {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(string(newCacheFile(folder, issuer.URL)), []byte(content), 0o600))
		var logs bytes.Buffer
		s, err := New(Config{URL: issuer.URL, Cache: folder, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&logs, nil))})
		require.NoError(t, err, name)
		require.Contains(t, logs.String(), "the cache is not used", name)
		require.Zero(t, s.Status().Keys)
		requireKeys(t, s, "k", 1)
	}
	s, err := New(Config{URL: issuer.URL, Cache: filepath.Join(t.TempDir(), "none"), Now: clock.Now})
	require.NoError(t, err)
	requireKeys(t, s, "k", 1) // what cannot be kept can be used
}
