package build

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheEnginesAreBuiltOnce(t *testing.T) {
	root, err := Root("")
	require.NoError(t, err)
	cache := t.TempDir()
	t.Setenv("PATH", "") // nothing can be built here
	t.Setenv(CacheVariable, cache)
	_, err = Engines(t.Context(), root, io.Discard)
	require.ErrorContains(t, err, "Go is needed")

	binary, err := nested{dir: "bench/engines", name: "engines"}.binary(root)
	require.NoError(t, err)
	require.Equal(t, cache, filepath.Dir(binary))
	require.NoError(t, os.WriteFile(binary, nil, 0o700))
	found, err := Engines(t.Context(), root, io.Discard)
	require.NoError(t, err)
	require.Equal(t, binary, found)
}
