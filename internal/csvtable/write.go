package csvtable

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Writer writes a table that Reader reads.
type Writer struct {
	lines *csv.Writer
	row   []string
}

// NewWriter writes the header.
func NewWriter(file io.Writer, columns []Column) (*Writer, error) {
	w := &Writer{lines: csv.NewWriter(file)}
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return w, w.Write(names)
}

// Write writes a line: a cell for each column.
func (w *Writer) Write(cells []string) error {
	w.row = w.row[:0]
	for _, cell := range cells {
		w.row = append(w.row, neutral(cell))
	}
	if err := w.lines.Write(w.row); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// Flush writes what is left.
func (w *Writer) Flush() error {
	w.lines.Flush()
	if err := w.lines.Error(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
