package platform_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/platform"
)

func TestEveryPlatformIsRegisteredUnderItsName(t *testing.T) {
	names := platform.Names()
	require.Len(t, names, 15)
	require.IsIncreasing(t, names)
	for _, name := range names {
		adapter, ok := platform.Adapter(name)
		require.True(t, ok, name)
		require.Equal(t, name, adapter.Platform())
	}
	_, ok := platform.Adapter("nobody")
	require.False(t, ok)
	_, ok = platform.Find("nobody")
	require.False(t, ok)
}

// TestTheDefaultMappingIsThePlatforms: it is stamped on completions as <platform>/1, and it is what an adapter
// without a mapping reads with.
func TestTheDefaultMappingIsThePlatforms(t *testing.T) {
	for _, name := range platform.Names() {
		p, ok := platform.Find(name)
		require.True(t, ok, name)
		m := p.DefaultMapping()
		require.Equal(t, name, m.Platform())
		require.True(t, strings.HasPrefix(m.Version(), name+"/"), m.Version())
		r := lms.Request{Body: []byte(`{"event":"course.completion"}`)}
		want, wantErr := p.New(m).Decode(r)
		got, err := p.New(nil).Decode(r)
		lmstest.Check(t, p.New(nil), got, err)
		require.Equal(t, want, got, name)
		require.Equal(t, wantErr, err, name)
	}
}

// TestTransports: the ingress refuses what a platform does not send, so this table is a part of the door.
func TestTransports(t *testing.T) {
	want := map[string]lms.Transport{
		"activate":    {Form: true, AnyType: true},
		"axis":        {Form: true, AnyType: true, Paths: []string{"*"}},
		"brightspace": {AnyType: true},
		"canvas":      {JWT: true},
		"cornerstone": {Gzip: true, No429: true},
		"generic":     {Form: true},
		"lessonly":    {AnyType: true},
		"moodle":      {Form: true, AnyType: true, Paths: []string{"statements"}},
	}
	for _, name := range platform.Names() {
		p, ok := platform.Find(name)
		require.True(t, ok)
		require.Equal(t, want[name], p.Transport, name)
	}
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
