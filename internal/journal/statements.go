package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// keptStatements is how many prepared statements a connection to SQLite keeps: more than the journal has.
const keptStatements = 128

// openKeeping opens an SQLite database whose connections keep their prepared statements. SQLite's compiler
// took as long as a small write itself, and database/sql keeps only what is prepared by hand, outside of any
// transaction. pgx does the same for PostgreSQL by itself.
func openKeeping(dsn string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn) // connects to nothing yet
	if err != nil {
		return nil, err
	}
	from := db.Driver()
	if err := db.Close(); err != nil {
		return nil, err
	}
	return sql.OpenDB(keeper{from, dsn}), nil
}

// keeper is a driver.Connector.
type keeper struct {
	from driver.Driver
	dsn  string
}

func (k keeper) Driver() driver.Driver { return k.from }

func (k keeper) Connect(context.Context) (driver.Conn, error) {
	opened, err := k.from.Open(k.dsn)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks what the journal needs", opened), opened.Close())
	}
	return &keepingConn{sqliteConn: conn, kept: map[string]sqliteStatement{}}, nil
}

// sqliteConn is what database/sql uses of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStatement is what it uses of a statement.
type sqliteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keepingConn is a connection with its statements. A statement is taken out while it runs, so that the same query
// inside of its own rows has another one. Connections are used by one goroutine at a time.
type keepingConn struct {
	sqliteConn
	kept map[string]sqliteStatement
}

// ExecContext implements driver.ExecerContext. What has no parameters is no statement of the journal's
// day: a setting, or a migration, of which there may be several in one text.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	statement, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := statement.ExecContext(ctx, args)
	return result, c.give(query, statement, err)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	statement, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(ctx, args)
	if err != nil {
		return nil, c.give(query, statement, err)
	}
	return &keepingRows{rows, func(err error) error { return c.give(query, statement, err) }}, nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	var errs []error
	for _, statement := range c.kept {
		errs = append(errs, statement.Close())
	}
	c.kept = nil
	return errors.Join(errors.Join(errs...), c.sqliteConn.Close())
}

func (c *keepingConn) take(ctx context.Context, query string) (sqliteStatement, error) {
	if statement, ok := c.kept[query]; ok {
		delete(c.kept, query)
		return statement, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, ok := prepared.(sqliteStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks what the journal needs", prepared), prepared.Close())
	}
	return statement, nil
}

// give takes a statement back that ended with err, and returns err. One that failed is not used again: whatever
// state it is in goes with it.
func (c *keepingConn) give(query string, statement sqliteStatement, err error) error {
	if _, twice := c.kept[query]; err == nil && !twice && len(c.kept) < keptStatements && c.kept != nil {
		c.kept[query] = statement
		return nil
	}
	if failed := statement.Close(); err == nil {
		return failed
	}
	return err
}

// keepingRows give their statement back when they are closed.
type keepingRows struct {
	driver.Rows
	give func(error) error
}

// Close implements driver.Rows.
func (r *keepingRows) Close() error {
	err := r.Rows.Close()
	if give := r.give; give != nil {
		r.give = nil
		return give(err)
	}
	return err
}
