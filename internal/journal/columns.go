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

// atOnce could save no round trip, and SQLite inserts into one table at a time.
func (sqliteDialect) atOnce([]column, []column) (string, []any, bool) { return "", nil, false }

// inserts is one statement for any number of rows: a column is one parameter. With a parameter for every value
// there would be a statement to prepare, and to keep, for every size of a batch. Rows are inserted in
// their order.
func (postgresDialect) inserts(table string, columns []column, rows int) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		if rows == 0 {
			return
		}
		arrays, args := unnest(columns)
		yield(insertInto(table, columns)+`SELECT * FROM `+arrays, args)
	}
}

// atOnce saves three of four round trips: begin, two INSERTs, commit. A delivery has brought something new where a new
// completion names it: of several that are the same, the first one is inserted.
func (postgresDialect) atOnce(completions, deliveries []column) (string, []any, bool) {
	rows, args := unnest(completions)
	query := `WITH fresh AS (` + insertInto("completions", completions) + `SELECT * FROM ` + rows + `
		ON CONFLICT (tenant, fingerprint) DO NOTHING RETURNING tenant, fingerprint, delivery_id), kept AS (`
	names, values := make([]string, len(deliveries)), make([]string, len(deliveries))
	for i, c := range deliveries {
		names[i], values[i] = c.name, c.name
		if c.name == "verdict" {
			values[i] = `CASE WHEN verdict <> '' THEN verdict WHEN id IN (SELECT delivery_id FROM fresh)
				THEN '` + string(VerdictAccepted) + `' ELSE '` + string(VerdictDuplicate) + `' END`
		}
	}
	rows, more := unnest(deliveries)
	query += insertInto("deliveries", deliveries) + `SELECT ` + strings.Join(values, ", ") +
		` FROM ` + rows + ` AS brought (` + strings.Join(names, ", ") + `)) SELECT tenant, fingerprint FROM fresh`
	return query, append(args, more...), true
}

// unnest is a row for every element of the columns, which are one parameter each.
func unnest(columns []column) (rows string, args []any) {
	arrays, args := make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		arrays[i], args[i] = `CAST(? AS `+c.array()+`)`, c.values
	}
	return `unnest(` + strings.Join(arrays, ", ") + `)`, args
}
