package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/platform"
)

func TestEveryPlatformIsRegisteredUnderItsName(t *testing.T) {
	names := platform.Names()
	require.Len(t, names, 9)
	require.IsIncreasing(t, names)
	for _, name := range names {
		adapter, ok := platform.Adapter(name)
		require.True(t, ok, name)
		require.Equal(t, name, adapter.Platform())
	}
	_, ok := platform.Adapter("nobody")
	require.False(t, ok)
}

// Only a header that a document names is looked for unasked; a guessed one would refuse every real
// delivery with a misleading reason.
func TestOnlyKnownSignatureHeadersAreLookedFor_R27_R28_R30(t *testing.T) {
	signing := map[string]string{
		"absorb":    "absorb-signature",
		"canonical": "X-Hub-Signature-256",
		"learnupon": "X-Webhook-Signature",
	}
	for _, name := range append(platform.Names(), "nobody") {
		headers := platform.SignatureHeaders(name)
		if first, ok := signing[name]; ok {
			require.Equal(t, first, headers[0], name)
			continue
		}
		require.Empty(t, headers, name)
	}
}
