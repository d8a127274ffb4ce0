package journal

import (
	"iter"
	"strings"
)

// column is one column of the rows that an INSERT takes.
type column struct {
	name string
	// values are a []string, []int64 or [][]byte, as long as those of the other columns.
	values any
}

// columnOf takes a column out of rows.
func columnOf[R any, V string | int64 | []byte](name string, rows []R, value func(R) V) column {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = value(row)
	}
	return column{name, values}
}

// at is the value of a row.
func (c column) at(row int) any {
	switch values := c.values.(type) {
	case []string:
		return values[row]
	case []int64:
		return values[row]
	case [][]byte:
		return values[row]
	}
	return nil // columnOf makes no others
}

// array is the type of the whole column as a PostgreSQL array.
func (c column) array() string {
	switch c.values.(type) {
	case []string:
		return "text[]"
	case []int64:
		return "bigint[]"
	default:
		return "bytea[]"
	}
}

func insertInto(table string, columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) `
}

// inserts knows few sizes, so that each is a statement that is kept. There is no round trip to save.
func (sqliteDialect) inserts(table string, columns []column, rows int) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		for row := 0; row < rows; {
			n := 1
			for _, size := range []int{32, 8} {
				if rows-row >= size {
					n = size
					break
				}
			}
			args := make([]any, 0, n*len(columns))
			for range n {
				for _, c := range columns {
					args = append(args, c.at(row))
				}
				row++
			}
			if !yield(insertInto(table, columns)+`VALUES `+tuples(n, len(columns)), args) {
				return
			}
		}
	}
}

// inserts is one statement for any number of rows: a column is one parameter. With a parameter for every value
// there would be a statement to prepare, and to keep, for every size of a batch. Rows are inserted in
// their order.
func (postgresDialect) inserts(table string, columns []column, rows int) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		if rows == 0 {
			return
		}
		arrays, args := make([]string, len(columns)), make([]any, len(columns))
		for i, c := range columns {
			arrays[i], args[i] = `CAST(? AS `+c.array()+`)`, c.values
		}
		yield(insertInto(table, columns)+`SELECT * FROM unnest(`+strings.Join(arrays, ", ")+`)`, args)
	}
}
