package usage

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStolenTimeIsAShareOfAllTime(t *testing.T) {
	then := Processors{Total: 1000, Stolen: 100}
	require.InDelta(t, 0.25, Processors{Total: 1400, Stolen: 200}.StolenSince(then), 1e-9)
	require.Zero(t, then.StolenSince(then), "no time has passed")
	if runtime.GOOS != "linux" {
		return
	}
	p, err := ReadProcessors()
	require.NoError(t, err)
	require.Positive(t, p.Total)
	require.Less(t, p.Stolen, p.Total)
}
