package architecture

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	require.NoError(t, err)
	return string(text)
}

// The product's, and those of the nested module that runs other products' engines.
func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	text := document(t)
	for _, manifest := range []string{"go.mod", "bench/engines/go.mod"} {
		direct := dependencies(t, filepath.Join(root, manifest))
		require.NotEmpty(t, direct)
		missing := slices.DeleteFunc(direct, func(name string) bool { return mentions(text, name) })
		require.Empty(t, missing, "direct dependencies in %s without a line in ARCHITECTURE.md", manifest)
	}
}

// dependencies are the modules that a go.mod requires directly.
func dependencies(t *testing.T, manifest string) []string {
	t.Helper()
	_, err := os.ReadFile(manifest) // so that a change of it counts for the test cache
	require.NoError(t, err)
	output, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", manifest).Output()
	require.NoError(t, err)
	var parsed struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal(output, &parsed))
	var direct []string
	for _, required := range parsed.Require {
		if !required.Indirect {
			direct = append(direct, required.Path)
		}
	}
	return direct
}

func TestEveryRoomIsDescribed(t *testing.T) {
	text := document(t)
	var missing []string
	for _, name := range slices.Concat(paths(product), mains, paths(workshop)) {
		if !mentions(text, strings.TrimSuffix(name, "/*")) {
			missing = append(missing, name)
		}
	}
	require.Empty(t, missing, "rooms without a line in ARCHITECTURE.md")
}

// mentions reports whether text names a path by itself: go.temporal.io/sdk/contrib/envconfig does
// not mention go.temporal.io/sdk.
func mentions(text, name string) bool {
	for {
		_, rest, found := strings.Cut(text, name)
		if !found {
			return false
		}
		if !strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "/`") || strings.HasPrefix(rest, "/ ") || strings.HasPrefix(rest, "/*") {
			return true
		}
		text = rest
	}
}

func TestMentions(t *testing.T) {
	for text, want := range map[string]bool{
		"`go.temporal.io/sdk` v1":                               true,
		"go.temporal.io/sdk":                                    true,
		"`go.temporal.io/sdk/`: the engine":                     true,
		"go.temporal.io/sdk/contrib/envconfig":                  false,
		"go.temporal.io/sdk/contrib/x, go.temporal.io/sdk, and": true,
		"": false,
	} {
		require.Equal(t, want, mentions(text, "go.temporal.io/sdk"), text)
	}
}
