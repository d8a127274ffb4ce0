package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// ImportCounts is what an import does, or in a dry run would do.
type ImportCounts struct{ Added, Changed, Unchanged, Removed int }

// ImportEntry says who has imported what, and why (law 5).
type ImportEntry struct {
	Tenant string
	// Kind is "links", "courses" or "employees".
	Kind       string
	By, Reason string
	// SHA256 is that of the file, in hexadecimal digits.
	SHA256 string
	// At and the counts are set by the journal.
	At time.Time
	ImportCounts
}

// Import is an import under way.
type Import struct {
	j      *Journal
	tenant string
	// tx is nil in a dry run, which reads beside everybody else.
	tx     *sql.Tx
	counts ImportCounts
}

// Import has rows put what is imported, all of it in one transaction or nothing, and keeps entry beside it. A dry
// run writes nothing, and counts all the same.
func (j *Journal) Import(ctx context.Context, entry ImportEntry, dry bool, rows func(*Import) error) (ImportCounts, error) {
	i := &Import{j: j, tenant: entry.Tenant}
	if dry {
		err := rows(i)
		return i.counts, err
	}
	if err := checkText(entry.Tenant, entry.Kind, entry.SHA256); err != nil {
		return ImportCounts{}, fmt.Errorf("import %s: %w", entry.Kind, err)
	}
	err := j.inTx(ctx, func(tx *sql.Tx) error {
		i.tx = tx
		if err := rows(i); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO imports
			(id, tenant, kind, imported_by, reason, imported_at, sha256, added, changed, unchanged, removed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
			NewDeliveryID(), entry.Tenant, entry.Kind, readable(entry.By), readable(entry.Reason), micros(j.now()), entry.SHA256,
			i.counts.Added, i.counts.Changed, i.counts.Unchanged, i.counts.Removed)
		return err
	})
	if err != nil {
		return ImportCounts{}, fmt.Errorf("import %s: %w", entry.Kind, err)
	}
	return i.counts, nil
}

// Imports lists the imports of a tenant, the latest first.
func (j *Journal) Imports(ctx context.Context, tenant string) ([]ImportEntry, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (ImportEntry, error) {
		e := ImportEntry{Tenant: tenant}
		var at int64
		err := row.Scan(&e.Kind, &e.By, &e.Reason, &at, &e.SHA256, &e.Added, &e.Changed, &e.Unchanged, &e.Removed)
		e.At = instant(at)
		return e, err
	}, `SELECT kind, imported_by, reason, imported_at, sha256, added, changed, unchanged, removed
		FROM imports WHERE tenant = ? ORDER BY id DESC`, tenant)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return found, nil
}

// importRows is how many rows are compared and written at once.
const importRows = 200

// importTable is a table as an import sees it: its rows are texts.
type importTable struct {
	name string
	// key and value are columns; where is a condition that the rows have in common, as the unique index over
	// the key says it.
	key, value []string
	where      string
	// dated says that the rows have updated_at.
	dated bool
}

func (t importTable) columns() []string { return append(append([]string{}, t.key...), t.value...) }

// put adds, changes and leaves alone. No two rows have the same key.
func (i *Import) put(ctx context.Context, t importTable, rows [][]string) error {
	for len(rows) > 0 {
		n := min(importRows, len(rows))
		if err := i.putSome(ctx, t, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (i *Import) putSome(ctx context.Context, t importTable, rows [][]string) error {
	args := []any{i.tenant}
	for _, row := range rows {
		if err := checkText(row...); err != nil {
			return err
		}
		args = append(args, anys(row[:len(t.key)])...)
	}
	known, err := i.known(ctx, t, `AND (`+strings.Join(t.key, ", ")+`) IN (VALUES `+tuples(len(rows), len(t.key))+`)`, args...)
	if err != nil {
		return err
	}
	var write []any
	written := 0
	for _, row := range rows {
		value, there := known[keyOf(row[:len(t.key)])]
		switch {
		case !there:
			i.counts.Added++
		case value == keyOf(row[len(t.key):]):
			i.counts.Unchanged++
			continue
		default:
			i.counts.Changed++
		}
		written++
		write = append(append(write, i.tenant), anys(row)...)
		if t.dated {
			write = append(write, micros(i.j.now()))
		}
	}
	if i.tx == nil || written == 0 {
		return nil
	}
	_, err = i.tx.ExecContext(ctx, i.j.dialect.rebind(t.upsert(written)), write...)
	return err
}

// upsert inserts rows, or changes the values of those that are there.
func (t importTable) upsert(rows int) string {
	columns, set := append([]string{"tenant"}, t.columns()...), []string{}
	changing := t.value
	if t.dated {
		columns, changing = append(columns, "updated_at"), append(append([]string{}, t.value...), "updated_at")
	}
	for _, column := range changing {
		set = append(set, column+" = excluded."+column)
	}
	target := "(tenant, " + strings.Join(t.key, ", ") + ")"
	if t.where != "" {
		target += " WHERE " + t.where
	}
	return `INSERT INTO ` + t.name + ` (` + strings.Join(columns, ", ") + `) VALUES ` + tuples(rows, len(columns)) +
		` ON CONFLICT ` + target + ` DO UPDATE SET ` + strings.Join(set, ", ")
}

// known reads rows by a condition: their values by their keys.
func (i *Import) known(ctx context.Context, t importTable, condition string, args ...any) (map[string]string, error) {
	values := map[string]string{}
	_, err := list(ctx, i.j, i.from(), func(row scanner) (struct{}, error) {
		texts := make([]string, len(t.columns()))
		into := make([]any, len(texts))
		for n := range texts {
			into[n] = &texts[n]
		}
		err := row.Scan(into...)
		values[keyOf(texts[:len(t.key)])] = keyOf(texts[len(t.key):])
		return struct{}{}, err
	}, `SELECT `+strings.Join(t.columns(), ", ")+` FROM `+t.name+` WHERE tenant = ?`+t.and()+` `+condition, args...)
	return values, err
}

func (t importTable) and() string {
	if t.where == "" {
		return ""
	}
	return " AND " + t.where
}

// removeOthers removes the rows of the tenant whose keys keep does not know.
func (i *Import) removeOthers(ctx context.Context, t importTable, keep func(key []string) bool) error {
	doomed, err := list(ctx, i.j, i.from(), func(row scanner) ([]string, error) {
		texts := make([]string, len(t.key))
		into := make([]any, len(texts))
		for n := range texts {
			into[n] = &texts[n]
		}
		if err := row.Scan(into...); err != nil || keep(texts) {
			return nil, err
		}
		return texts, nil
	}, `SELECT `+strings.Join(t.key, ", ")+` FROM `+t.name+` WHERE tenant = ?`+t.and(), i.tenant)
	if err != nil {
		return err
	}
	for _, key := range doomed {
		if key == nil {
			continue
		}
		i.counts.Removed++
		if i.tx == nil {
			continue
		}
		_, err := i.tx.ExecContext(ctx, i.j.dialect.rebind(`DELETE FROM `+t.name+` WHERE tenant = ?`+t.and()+
			` AND `+strings.Join(t.key, " = ? AND ")+` = ?`), append([]any{i.tenant}, anys(key)...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *Import) from() querier {
	if i.tx == nil {
		return i.j.read
	}
	return i.tx
}

// keyOf joins texts that hold no NUL.
func keyOf(texts []string) string { return strings.Join(texts, "\x00") }

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for n, text := range texts {
		all[n] = text
	}
	return all
}
