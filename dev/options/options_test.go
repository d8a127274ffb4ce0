package options_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/dev/options"
)

func TestParse(t *testing.T) {
	o, err := options.Parse([]string{"--demo", "--port", "9000", "--data", "/tmp/x", "--every", "50ms"}, io.Discard)
	require.NoError(t, err)
	require.True(t, o.Demo)
	require.Equal(t, "/tmp/x", o.Data)
	require.Equal(t, 50*time.Millisecond, o.Every)
	require.Equal(t, options.Port{Number: 9000, Given: true}, o.Ports.Ingress)
	require.Equal(t, options.Port{Number: 7233}, o.Ports.Temporal, "a default may give way")
}

func TestParseRefuses(t *testing.T) {
	for name, args := range map[string][]string{
		"an unknown flag":    {"--bogus"},
		"a word":             {"demo"},
		"port 0":             {"--port", "0"},
		"a port too high":    {"--ui-port", "65536"},
		"a stream too dense": {"--every", "0s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := options.Parse(args, io.Discard)
			require.Error(t, err)
		})
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	var out bytes.Buffer
	_, err := options.Parse([]string{"-h"}, &out)
	require.ErrorIs(t, err, options.ErrHelp)
	require.Contains(t, out.String(), "-demo")
	require.Contains(t, out.String(), "COUNTERSIGN_TEMPORAL")
	require.Contains(t, out.String(), "COUNTERSIGN_CACHE")
}
