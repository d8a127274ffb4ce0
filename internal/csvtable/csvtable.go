// Package csvtable is the form in which tables leave Countersign and come back: CSV with a header (RFC 4180), UTF-8,
// for people who edit it in a spreadsheet.
//
// What is read may begin with a byte order mark and be separated by commas or semicolons, as spreadsheets write it.
// A column that nobody knows is a mistake, because a misspelt one would otherwise be empty. Mistakes name
// line and column and never repeat a value, which may be personal.
//
// A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and a table from an LMS is written by
// strangers (OWASP, "CSV Injection"). Such cells are written with an apostrophe before them, which reading takes
// away again, so that what was written is what is read.
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
const starts = "=+-@\t\r'＝＋－＠"

// neutral is the cell as it is written.
func neutral(cell string) string {
	if begins(cell) {
		return "'" + cell
	}
	return cell
}

// plain is the cell that was written as text, the inverse of neutral. An apostrophe before anything else is a
// part of the cell.
func plain(text string) string {
	if cell, found := strings.CutPrefix(text, "'"); found && begins(cell) {
		return cell
	}
	return text
}

func begins(cell string) bool {
	for _, first := range cell {
		return strings.ContainsRune(starts, first)
	}
	return false
}
