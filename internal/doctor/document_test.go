package doctor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryCheckIsInTheDocument holds docs/doctor.md, where people look a finding up.
func TestEveryCheckIsInTheDocument(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "doctor.md"))
	require.NoError(t, err)
	name := regexp.MustCompile(`"((?:settings|journal|temporal|mail|listen|qms|lrs|certificate|notices|sources|secrets|lms|targets)\.[a-z]+)"`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range name.FindAllStringSubmatch(string(source), -1) {
			seen++
			require.Contains(t, string(document), "`"+match[1]+"`", file)
		}
	}
	require.Greater(t, seen, 40)
}
