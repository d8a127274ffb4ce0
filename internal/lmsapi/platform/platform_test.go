package platform_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// docs/look-up.md has a section for each platform with every key that its settings take, and for no other.
func TestEveryPlatformIsDocumented_R15(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "look-up.md"))
	require.NoError(t, err)
	sections := map[string]string{}
	for _, part := range strings.Split(string(page), "\n### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		sections[name] = text
	}
	require.Len(t, sections, len(platform.Names()))
	for _, name := range platform.Names() {
		p, _ := platform.Find(name)
		_, keys, ok := strings.Cut(sections[name], "\nKeys: ")
		require.True(t, ok, name)
		keys, _, _ = strings.Cut(keys, "Budget:")
		var want []string
		for _, key := range append(p.Manner.Needs, p.Manner.May...) {
			want = append(want, string(key))
		}
		if p.Manner.ExternalIDField {
			want = append(want, "external_id_field")
		}
		for _, key := range want {
			require.Contains(t, keys, "`"+key+"`", name)
		}
		for _, known := range regexp.MustCompile("`(token|api_key|client_id|client_secret|username|password|refresh_token|account|external_id_field)`").FindAllStringSubmatch(keys, -1) {
			require.Contains(t, want, known[1], name)
		}
	}
}
