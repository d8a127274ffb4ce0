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

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	manifest := filepath.Join(root, "go.mod")
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

	text := document(t)
	var direct, missing []string
	for _, required := range parsed.Require {
		if required.Indirect {
			continue
		}
		direct = append(direct, required.Path)
		if !mentions(text, required.Path) {
			missing = append(missing, required.Path)
		}
	}
	require.NotEmpty(t, direct)
	require.Empty(t, missing, "direct dependencies without a line in ARCHITECTURE.md")
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
