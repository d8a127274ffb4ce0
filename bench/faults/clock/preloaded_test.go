package clock

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A process that was built by others lives by the clock as well, from the moment it is set.
func TestAPreloadedClockIsStepped(t *testing.T) {
	c, err := NewPreloaded()
	if errors.Is(err, ErrNoLibrary) && os.Getenv("CI") == "" {
		t.Skipf("the clock of PostgreSQL is NOT tried: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	for _, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		require.NoError(t, c.Set(by))
		date := exec.CommandContext(t.Context(), "date", "+%s")
		date.Env = append(os.Environ(), c.Environment()...)
		output, err := date.CombinedOutput()
		require.NoError(t, err, string(output))
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(output)), 10, 64)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(by), time.Unix(seconds, 0), 10*time.Minute)
	}
}
