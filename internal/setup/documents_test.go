package setup

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/platform"
)

var update = flag.Bool("update", false, "write the files that are compared")

const documents = "../../docs/lms"

func book(t *testing.T) *Book {
	t.Helper()
	b, err := New()
	require.NoError(t, err)
	return b
}

// ownMapping is a platform's own mapping.
func ownMapping(name string) []MappingRow {
	from, ok := platform.Find(name)
	if !ok {
		return nil
	}
	return Rows(from.DefaultMapping().Definition())
}

// docs/lms is what the pages give; -update writes it.
func TestDocuments_R21_R195(t *testing.T) {
	b := book(t)
	want := map[string]string{"README.md": b.Overview()}
	for _, p := range b.All() {
		want[p.Platform+".md"] = b.Markdown(p, Options{Mapping: ownMapping})
	}
	if *update {
		require.NoError(t, os.MkdirAll(documents, 0o755))
		for name, text := range want {
			require.NoError(t, os.WriteFile(filepath.Join(documents, name), []byte(text), 0o644))
		}
	}
	files, err := os.ReadDir(documents)
	require.NoError(t, err)
	for _, file := range files {
		require.Contains(t, want, file.Name(), "no page makes it")
	}
	for name, text := range want {
		written, err := os.ReadFile(filepath.Join(documents, name))
		require.NoError(t, err, "run: go test ./internal/setup -run TestDocuments -update")
		require.Equal(t, text, string(written), "run: go test ./internal/setup -run TestDocuments -update")
	}
}

// A table is broken by one row with too few or too many cells, and a code fence by one that stays open.
func TestDocumentsAreWellFormed(t *testing.T) {
	b := book(t)
	texts := []string{b.Overview()}
	for _, p := range b.All() {
		texts = append(texts, b.Markdown(p, Options{Mapping: func(string) []MappingRow {
			return []MappingRow{{Target: "passed", Path: "$['a|b']", Transform: "toInt | toString"}}
		}}))
	}
	for _, text := range texts {
		lines := strings.Split(text, "\n")
		fence, cells := false, 0
		for i, line := range lines {
			if strings.HasPrefix(line, "```") {
				fence = !fence
			}
			if fence || !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			n := strings.Count(line, "|") - strings.Count(line, `\|`)
			if cells == 0 {
				cells = n
			}
			require.Equal(t, cells, n, "line %d: %s", i+1, line)
		}
		require.False(t, fence, "a code fence stays open")
	}
}

func TestOverviewHasEveryPlatform_R166_R182(t *testing.T) {
	overview := book(t).Overview()
	for _, platform := range platforms() {
		require.Contains(t, overview, "("+platform+".md)")
	}
}

// platforms are the names that adapters use in settings, API and docs.
func platforms() []string {
	return []string{
		"absorb", "activate", "adobe-learning-manager", "axis", "brightspace", "canonical", "canvas", "cornerstone",
		"docebo", "generic", "learnupon", "lessonly", "moodle", "successfactors", "talentlms",
	}
}

func TestThereIsAPageForEveryPlatform_R176_R182(t *testing.T) {
	b := book(t)
	var names []string
	for _, p := range b.All() {
		names = append(names, p.Platform)
		found, ok := b.Find(p.Platform)
		require.True(t, ok)
		require.Equal(t, p.Title, found.Title)
	}
	require.Equal(t, platforms(), names)
	require.True(t, slices.IsSorted(names))
	_, ok := b.Find("docbo")
	require.False(t, ok)
}
