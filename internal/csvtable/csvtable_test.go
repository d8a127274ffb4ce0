package csvtable_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/csvtable"
)

func columns() []csvtable.Column {
	return []csvtable.Column{{Name: "source"}, {Name: "value"}, {Name: "note", Optional: true}}
}

// read reads a whole table: its rows, and its mistakes.
func read(text string) (rows [][]string, mistakes []string) {
	r, err := csvtable.NewReader(strings.NewReader(text), columns())
	for err == nil {
		var cells []string
		_, cells, err = r.Next()
		var mistake *csvtable.Mistake
		var unreadable *csvtable.Unreadable
		switch {
		case err == nil:
			rows = append(rows, cells)
		case errors.As(err, &unreadable):
			return rows, append(mistakes, unreadable.Error())
		case errors.As(err, &mistake):
			mistakes, err = append(mistakes, mistake.Error()), nil
		}
	}
	if !errors.Is(err, io.EOF) {
		mistakes = append(mistakes, err.Error())
	}
	return rows, mistakes
}

func TestReader(t *testing.T) {
	one := [][]string{{"lms", "a,b", ""}}
	for name, test := range map[string]struct {
		text     string
		rows     [][]string
		mistakes []string
	}{
		"comma":                       {"source,value\nlms,\"a,b\"\n", one, nil},
		"semicolon":                   {"source;value\r\nlms;a,b\r\n", one, nil},
		"byte order mark":             {"\xef\xbb\xbfsource,value\nlms,\"a,b\"", one, nil},
		"other order, other case":     {"note,VALUE, source\nn,v,lms\n", [][]string{{"lms", "v", "n"}}, nil},
		"empty lines":                 {"source,value\n\n,\nlms,\"a,b\"\n\n", one, nil},
		"no rows":                     {"source,value\n", nil, nil},
		"neutralized":                 {"source,value\nlms,'=1+1\n", [][]string{{"lms", "=1+1", ""}}, nil},
		"an apostrophe of its own":    {"source,value\nlms,'s\n", [][]string{{"lms", "'s", ""}}, nil},
		"empty":                       {"", nil, []string{"the file is empty; the first line names the columns"}},
		"unknown column":              {"source,value,training\n", nil, []string{"line 1: column 3 is none of source, value, note"}},
		"no header":                   {"lms,5541\n", nil, []string{"line 1: column 1 is none of source, value, note"}},
		"missing column":              {"source\n", nil, []string{"line 1, column value: is missing; the first line names the columns source, value, note"}},
		"column twice":                {"source,value,source\n", nil, []string{"line 1, column source: is there twice"}},
		"UTF-16":                      {"\xff\xfes\x00", nil, []string{"the file is UTF-16; save it as CSV UTF-8"}},
		"every bad line is named":     {"source,value\na\nlms,\"a,b\"\na,b,c\n\"x\ny\",b\n\xff,b\n", one, []string{"line 2: has 1 cells, and the header 2", "line 4: has 3 cells, and the header 2", "line 5, column source: contains a control character or a line break", "line 7, column source: is not UTF-8; save the file as CSV UTF-8"}},
		"a long cell":                 {"source,value\nlms," + strings.Repeat("x", 1001) + "\n", nil, []string{"line 2, column value: is longer than 1000 bytes"}},
		"a quote that is none":        {"source,value\nlms,a\"b\n", nil, []string{"line 2: its quotes are wrong: a quote inside a cell is doubled, and the cell stands in quotes"}},
		"a quote that is left open":   {"source,value\nlms,\"b\n", nil, []string{"line 2: its quotes are wrong: a quote inside a cell is doubled, and the cell stands in quotes"}},
		"a cell as large as the file": {"source,value\nlms,v\nlms,\"" + strings.Repeat("x\n", 1<<20), [][]string{{"lms", "v", ""}}, []string{"line 3: is too long, or a quote in it is never closed"}},
	} {
		rows, mistakes := read(test.text)
		require.Equal(t, test.rows, rows, name)
		require.Equal(t, test.mistakes, mistakes, name)
	}
}

// What is written is read again, and no cell of it begins as a formula does.
func TestRoundTrip(t *testing.T) {
	cell := rapid.StringMatching(`(|[=+@'\-＝＋]|'=|''|"|;|,)[^\x00-\x1f\x7f]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		var want [][]string
		var file bytes.Buffer
		w, err := csvtable.NewWriter(&file, columns())
		require.NoError(t, err)
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			row := []string{"s" + cell.Draw(t, "source"), cell.Draw(t, "value"), cell.Draw(t, "note")}
			want = append(want, row)
			require.NoError(t, w.Write(row))
		}
		require.NoError(t, w.Flush())
		rows, mistakes := read(file.String())
		require.Empty(t, mistakes)
		require.Equal(t, want, rows)
		for _, written := range strings.FieldsFunc(file.String(), func(r rune) bool { return r == '\n' }) {
			require.NotContains(t, "=+-@", written[:1])
		}
	})
}

// A spreadsheet that takes the file apart at other separators finds no formula either (OWASP, "CSV Injection").
func TestFormulasBehindOtherSeparatorsAreNeutralized(t *testing.T) {
	var file bytes.Buffer
	w, err := csvtable.NewWriter(&file, columns())
	require.NoError(t, err)
	evil := []string{`a;=HYPERLINK("http://x")`, `b";"=1+1`, "c|-2"}
	for _, row := range [][]string{evil, {"a; +1", "b,@x", "c;'=y"}, {"x;y", "x;'s", "1,5"}} {
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Flush())
	for _, separator := range []string{";", "|", "\t"} {
		for part := range strings.SplitSeq(file.String(), separator) {
			require.NotRegexp(t, `^[" ]*[=+@-]`, part)
		}
	}
	rows, mistakes := read(file.String())
	require.Empty(t, mistakes)
	require.Equal(t, [][]string{evil, {"a; +1", "b,@x", "c;'=y"}, {"x;y", "x;'s", "1,5"}}, rows)
	require.Contains(t, file.String(), "\nx;y,", "what is harmless stays as it is")
}

// Whatever a cell holds, it is read as it was written, and no part of it begins as a formula does.
func TestNeutralizedCellsAreReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := []string{"s", rapid.StringMatching(`[=+\-@'";,| ax]{0,12}`).Draw(t, "value"), ""}
		var file bytes.Buffer
		w, err := csvtable.NewWriter(&file, columns())
		require.NoError(t, err)
		require.NoError(t, w.Write(row))
		require.NoError(t, w.Flush())
		rows, mistakes := read(file.String())
		require.Empty(t, mistakes)
		require.Equal(t, [][]string{row}, rows)
		for part := range strings.SplitSeq(file.String(), ";") {
			require.NotRegexp(t, `^[" ]*[=+@-]`, part)
		}
	})
}

// Whoever only writes, e.g. a report, writes line breaks too. Taken apart at semicolons, the quotes around them keep nothing
// together, and what stands behind one is the first cell of a line.
func TestFormulasBehindLineBreaksAreNeutralized(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file bytes.Buffer
		w, err := csvtable.NewWriter(&file, columns())
		require.NoError(t, err)
		cells := rapid.SliceOfN(rapid.StringMatching(`a[=+\-@'";,| ax\n\r\t]{0,12}`), 3, 3).Draw(t, "cells")
		require.NoError(t, w.Write(cells))
		require.NoError(t, w.Flush())
		_, written, _ := strings.Cut(file.String(), "\n")
		for _, separators := range []string{"\r\n;", "\r\n,", "\r\n\t", "\r\n|"} {
			for part := range strings.FieldsFuncSeq(written, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
				require.NotRegexp(t, `^[" ]*[=+@-]`, part)
			}
		}
	})
}

func TestFormulasAreNeutralized(t *testing.T) {
	var file bytes.Buffer
	w, err := csvtable.NewWriter(&file, columns())
	require.NoError(t, err)
	require.NoError(t, w.Write([]string{`=HYPERLINK("http://x")`, "+1", "-2"}))
	require.NoError(t, w.Write([]string{"@x", "'=y", "plain"}))
	require.NoError(t, w.Flush())
	require.Equal(t, "source,value,note\n\"'=HYPERLINK(\"\"http://x\"\")\",'+1,'-2\n'@x,''=y,plain\n", file.String())
}

func FuzzReader(f *testing.F) {
	f.Add("source,value\nlms,a\n")
	f.Add("\xef\xbb\xbfsource;value;note\n\"'=\";b;c")
	f.Fuzz(func(t *testing.T, text string) {
		rows, _ := read(text)
		for _, row := range rows {
			require.Len(t, row, len(columns()))
		}
	})
}
