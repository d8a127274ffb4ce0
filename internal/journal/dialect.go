package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"strconv"
	"strings"
)

// dialect is what differs between the two databases. Statements are written once, with ? for
// parameters.
type dialect interface {
	// rebind rewrites the ? of a statement to what the driver understands.
	rebind(query string) string
	// committers is how many group commits profitably run side by side.
	committers() int
	// inserts are the statements that insert rows, in their order, with the arguments of each. A clause
	// behind each says what is to be done about conflicts.
	inserts(table string, columns []column, rows int) iter.Seq2[string, []any]
	// atOnce is one statement that stores completions and deliveries and yields the keys that were new, false where
	// there is no round trip to save. It decides the verdicts that are "".
	atOnce(completions, deliveries []column) (query string, args []any, can bool)
	// refusesContent reports whether err is about what was written, and not about the
	// connection, the disk or another transaction: trying again cannot help, and others are
	// not concerned.
	refusesContent(err error) bool
	// missesReference reports whether err says that what a row refers to is not there.
	missesReference(err error) bool
	// lockClaims makes tx the only claim under way, in all processes, until it ends.
	lockClaims(ctx context.Context, tx *sql.Tx) error
	// migrate brings the schema up to date; a second process waits until the first is done.
	migrate(ctx context.Context, db *sql.DB) error
}

// database is what opening a DSN yields.
type database struct {
	dialect dialect
	// write is the only way to write. On SQLite it has one connection, so that writers queue
	// here, in order, instead of polling for the file's lock. On PostgreSQL read is the same pool.
	write, read *sql.DB
	// turns are waited for before anything is written; nil on PostgreSQL, which queues writers
	// itself.
	turns *turns
}

func (d database) close() error {
	err := d.write.Close()
	if d.read != d.write {
		err = errors.Join(err, d.read.Close())
	}
	return errors.Join(err, d.turns.close())
}

func openDatabase(ctx context.Context, dsn string) (database, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return openPostgres(ctx, dsn)
	case found && scheme == "sqlite":
		return openSQLite(ctx, rest)
	case strings.Contains(dsn, "://"), found && scheme == "file":
		return database{}, errors.New("the DSN must be postgres://..., sqlite:PATH or a path")
	default:
		return openSQLite(ctx, dsn)
	}
}

// numbered rewrites ? to $1, $2 and so on. The statements of this package hold no other ?.
func numbered(query string) string {
	var b strings.Builder
	b.Grow(len(query) + 32)
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}
