package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// conn is one connection and the statements prepared on it. database/sql opens and
// closes it, but a statement goes straight to the driver: on the way through
// database/sql (its locks, conversions and guards against contexts that end) it
// would cost as much again as SQLite itself. One goroutine uses a conn at a time.
type conn struct {
	*sql.Conn
	stmts map[string]*stmt
}

// stmt is a prepared statement and room for its arguments.
type stmt struct {
	stmt driver.Stmt
	args []driver.NamedValue
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{c, map[string]*stmt{}}, nil
}

// close closes the statements and the connection.
func (c *conn) close() error {
	var errs []error
	err := c.Raw(func(any) error {
		for _, s := range c.stmts {
			errs = append(errs, s.stmt.Close())
		}
		return nil
	})
	return errors.Join(append(errs, err, c.Conn.Close())...)
}

// with does work that uses the connection's statements.
func (c *conn) with(work func() error) error { return c.Raw(func(any) error { return work() }) }

// prepare returns the statement of a text, prepared when it is asked for first.
func (c *conn) prepare(text string) (*stmt, error) {
	if s := c.stmts[text]; s != nil {
		return s, nil
	}
	var s *stmt
	err := c.Raw(func(raw any) error {
		prepared, err := raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
		s = &stmt{stmt: prepared}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.stmts[text] = s
	return s, nil
}

// bind makes room for arguments: text, bytes, int64 or nil.
func (s *stmt) bind(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

// exec runs the statement and returns how many rows it changed. It takes no caller's
// context: a transaction belongs to many.
func (s *stmt) exec(args ...driver.Value) (int64, error) {
	result, err := s.stmt.(driver.StmtExecContext).ExecContext(context.Background(), s.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs the statement and hands each row's columns to take.
func (s *stmt) query(take func(columns []driver.Value), args ...driver.Value) error {
	rows, err := s.stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return err
	}
	columns := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(columns); {
		case errors.Is(err, io.EOF):
			return rows.Close()
		case err != nil:
			return errors.Join(err, rows.Close())
		}
		take(columns)
	}
}
