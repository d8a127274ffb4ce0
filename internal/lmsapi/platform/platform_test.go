package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi/platform"
	"countersign/internal/lmsapi/rest"
)

func TestEveryPlatformMakesAClient_R15(t *testing.T) {
	for _, name := range platform.Names() {
		p, ok := platform.Find(name)
		require.True(t, ok)
		require.Equal(t, name, p.Manner.Platform)
		require.NotEmpty(t, p.Manner.Needs, name)
		client, err := p.New(rest.Config{URL: "https://lms.example.test"})
		require.ErrorContains(t, err, " is required", name)
		require.Nil(t, client, name)
		credentials := map[rest.Key]string{}
		for _, key := range p.Manner.Needs {
			credentials[key] = "x"
		}
		client, err = p.New(rest.Config{URL: "https://lms.example.test", Credentials: credentials})
		require.NoError(t, err, name)
		require.NotNil(t, client)
	}
	_, ok := platform.Find("nowhere")
	require.False(t, ok)
}
