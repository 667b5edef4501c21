package sqlite

import (
	"errors"

	"modernc.org/sqlite"
)

// driverName and resultCode are all that depends on the driver. Built on
// github.com/ncruces/go-sqlite3/driver instead, the name is "sqlite3" and the
// code an errors.As to sqlite3.ErrorCode. It is as quick, but writes with file
// handling of its own where this one has SQLite's, and leaves the log readable
// by all. Never link both: on one file in one process the locks of the one do
// not hold the other off.
const driverName = "sqlite"

// resultCode returns SQLite's primary result code of err, 0 when err is not
// SQLite's.
func resultCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
