// Package csvtable is the form in which tables leave Countersign and come back: CSV with a header (RFC 4180), UTF-8,
// for people who edit it in a spreadsheet.
//
// What is read may begin with a byte order mark and be separated by commas or semicolons, as spreadsheets write it.
// A column that nobody knows is a mistake, because a misspelt one would otherwise be empty. Mistakes name
// line and column and never repeat a value, which may be personal.
//
// A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and a table from an LMS is written by
// strangers (OWASP, "CSV Injection"). Such cells are written with an apostrophe before them, which reading takes
// away again, so that what was written is what is read. So does a part of a cell behind a separator or a line break: the same
// file is taken apart at semicolons by a spreadsheet whose country writes decimal commas, and quotes in the middle of
// what it takes for a cell keep nothing together.
package csvtable

import (
	"fmt"
	"strings"
)

// Column is a column of a table.
type Column struct {
	Name string
	// Optional says that a file may do without the column; its cells are empty then.
	Optional bool
}

// Mistake is what is wrong with a file. It holds no value of the file.
type Mistake struct {
	// Line counts from 1, as editors do; 0 for the file as a whole.
	Line int
	// Column is a column's name, "" for the line as a whole.
	Column string
	Text   string
}

func (m *Mistake) Error() string {
	place := ""
	switch {
	case m.Line > 0 && m.Column != "":
		place = fmt.Sprintf("line %d, column %s: ", m.Line, m.Column)
	case m.Line > 0:
		place = fmt.Sprintf("line %d: ", m.Line)
	}
	return place + m.Text
}

// starts are the characters with which a cell would be more than a text to some spreadsheet, full-width ones and the
// apostrophe itself included: one that was there before has to be told from ours.
const starts = "=+-@%\t\r'＝＋－＠"

// separators are what spreadsheets take a file apart at. A line break in quotes is one as well where the quotes stand in the
// middle of what is taken for a cell.
const separators = ",;\t|\r\n"

// neutral is the cell as it is written.
func neutral(cell string) string {
	parts := partsOf(cell)
	for i, part := range parts {
		if begins(part, i > 0) {
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, "")
}

// plain is the cell that was written as text, the inverse of neutral. An apostrophe before anything else is a
// part of the cell.
func plain(text string) string {
	parts := partsOf(text)
	for i, part := range parts {
		if bare, found := strings.CutPrefix(part, "'"); found && begins(bare, i > 0) {
			parts[i] = bare
		}
	}
	return strings.Join(parts, "")
}

// partsOf takes a cell apart behind each separator, which stays the end of its part. An apostrophe before a part makes
// no other parts.
func partsOf(cell string) []string {
	var parts []string
	for {
		at := strings.IndexAny(cell, separators)
		if at < 0 {
			return append(parts, cell)
		}
		parts, cell = append(parts, cell[:at+1]), cell[at+1:]
	}
}

// begins reports whether a part of a cell begins as a formula does. inside says that a separator stands before it: there
// quotes and spaces are no part of what a spreadsheet sees.
func begins(part string, inside bool) bool {
	if inside {
		part = strings.TrimLeft(part, "\" ")
	}
	for _, first := range part {
		return strings.ContainsRune(starts, first)
	}
	return false
}
