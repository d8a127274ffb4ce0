package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing wrong with a settings file. Its text holds no secret.
type Mistake struct {
	File string
	// Line and Column count from 1; 0 when the whole file is meant.
	Line, Column int
	// Key is the path to the entry, e.g. "tenants[0].sources[1].platform", "" for the file.
	Key  string
	Text string
}

// String is the mistake as compilers write theirs, so that editors can jump to it:
//
//	countersign.yml:12:17: tenants[0].sources[1].platform: unknown platform "docbo" (known: canonical)
func (m Mistake) String() string {
	text := m.File
	if m.Line > 0 {
		text += fmt.Sprintf(":%d:%d", m.Line, m.Column)
	}
	if m.Key != "" {
		text += ": " + m.Key
	}
	return text + ": " + m.Text
}

// Mistakes is the error of Load: everything wrong with the file, in the order of its lines.
type Mistakes []Mistake

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

func (m Mistakes) sort() {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
