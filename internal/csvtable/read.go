package csvtable

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// longestLine bounds what one line may hold, in bytes: a quote that is never closed would take the rest of the
	// file for one cell.
	longestLine = 64 << 10
	// longestCell bounds a cell, in bytes, as training does with the texts of a completion.
	longestCell = 1000
)

// Reader reads a table line by line, in memory that does not grow with it.
type Reader struct {
	lines   *csv.Reader
	source  *governor
	columns []Column
	// at is where each column stands in the file, -1 for one that is not there.
	at []int
	// line is the one that was read last.
	line int
}

// NewReader reads the header. Its error is a *Mistake, or one of the file itself.
func NewReader(file io.Reader, columns []Column) (*Reader, error) {
	source := &governor{file: file, left: longestLine}
	buffered := bufio.NewReaderSize(source, longestLine)
	start, err := buffered.Peek(longestLine)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errTooLong) {
		return nil, fmt.Errorf("read table: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return nil, &Mistake{Text: "the file is UTF-16; save it as CSV UTF-8"}
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		if _, err := buffered.Discard(3); err != nil {
			return nil, fmt.Errorf("read table: %w", err)
		}
		start = start[3:]
	}
	r := &Reader{lines: csv.NewReader(buffered), source: source, columns: columns}
	source.left = longestLine
	r.lines.Comma, r.lines.FieldsPerRecord, r.lines.ReuseRecord = separator(start), -1, true
	return r, r.header()
}

// separator is a semicolon where the header has more of them than commas: spreadsheets write one where the comma is the
// decimal point.
func separator(start []byte) rune {
	header, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.Count(header, []byte(";")) > bytes.Count(header, []byte(",")) {
		return ';'
	}
	return ','
}

// header finds out where each column stands.
func (r *Reader) header() error {
	names, err := r.read()
	if errors.Is(err, io.EOF) {
		return &Mistake{Text: "the file is empty; the first line names the columns"}
	}
	if err != nil {
		return err
	}
	r.at = slices.Repeat([]int{-1}, len(r.columns))
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		column := slices.IndexFunc(r.columns, func(c Column) bool { return c.Name == name })
		switch {
		case column < 0:
			return &Mistake{Line: 1, Text: fmt.Sprintf("column %d is none of %s", i+1, r.known())}
		case r.at[column] >= 0:
			return &Mistake{Line: 1, Column: name, Text: "is there twice"}
		}
		r.at[column] = i
	}
	for i, column := range r.columns {
		if r.at[i] < 0 && !column.Optional {
			return &Mistake{Line: 1, Column: column.Name, Text: "is missing; the first line names the columns " + r.known()}
		}
	}
	return nil
}

func (r *Reader) known() string {
	names := make([]string, len(r.columns))
	for i, column := range r.columns {
		names[i] = column.Name
	}
	return strings.Join(names, ", ")
}

// Next reads the next line: its number and its cells in the order of the columns, whatever the order in the file. The
// error is io.EOF after the last one, or a *Mistake (errors.As), after which the next line may be read, unless it is
// an *Unreadable.
func (r *Reader) Next() (line int, cells []string, err error) {
	for {
		r.source.left = longestLine
		texts, err := r.read()
		if err != nil {
			return 0, nil, err
		}
		line = r.line
		if !slices.ContainsFunc(texts, func(text string) bool { return text != "" }) {
			continue // spreadsheets leave lines of nothing but separators behind
		}
		if mistake := r.check(line, texts); mistake != nil {
			return line, nil, mistake
		}
		cells = make([]string, len(r.columns))
		for i, at := range r.at {
			if at >= 0 {
				cells[i] = plain(texts[at])
			}
		}
		return line, cells, nil
	}
}

// check says what no cell may hold.
func (r *Reader) check(line int, texts []string) error {
	if wanted := len(r.columns) - count(r.at, -1); len(texts) != wanted {
		return &Mistake{Line: line, Text: fmt.Sprintf("has %d cells, and the header %d", len(texts), wanted)}
	}
	for i, at := range r.at {
		if at < 0 {
			continue
		}
		problem := ""
		switch text := texts[at]; {
		case len(text) > longestCell:
			problem = fmt.Sprintf("is longer than %d bytes", longestCell)
		case !utf8.ValidString(text):
			problem = "is not UTF-8; save the file as CSV UTF-8"
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
			problem = "contains a control character or a line break"
		}
		if problem != "" {
			return &Mistake{Line: line, Column: r.columns[i].Name, Text: problem}
		}
	}
	return nil
}

func count(all []int, value int) (n int) {
	for _, one := range all {
		if one == value {
			n++
		}
	}
	return n
}

// Unreadable is a mistake behind which the file cannot be read on.
type Unreadable struct{ Mistake }

func (u *Unreadable) Unwrap() error { return &u.Mistake }

// read reads a line as it stands. What is no CSV ends the file: where a line would end is not known then.
func (r *Reader) read() ([]string, error) {
	texts, err := r.lines.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil:
		r.line, _ = r.lines.FieldPos(0)
		return texts, nil
	case errors.Is(err, io.EOF):
		return nil, err
	case errors.Is(err, errTooLong):
		return nil, &Unreadable{Mistake{Line: r.line + 1, Text: "is too long, or a quote in it is never closed"}}
	case errors.As(err, &wrong):
		return nil, &Unreadable{Mistake{Line: wrong.StartLine, Text: "its quotes are wrong: a quote inside a cell is doubled, and the cell stands in quotes"}}
	default:
		return nil, fmt.Errorf("read table: %w", err)
	}
}

var errTooLong = errors.New("line is too long")

// governor ends a file whose current line does not end.
type governor struct {
	file io.Reader
	left int
}

func (g *governor) Read(into []byte) (int, error) {
	if g.left <= 0 {
		return 0, errTooLong
	}
	n, err := g.file.Read(into)
	g.left -= n
	return n, err
}
