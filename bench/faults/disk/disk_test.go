package disk

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"countersign/internal/stack/build"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// writer commits a row for each argument behind the first, which is its database.
const writer = `package main

import (
	"database/sql"
	"os"

	_ "modernc.org/sqlite"
)

func main() {
	db, err := sql.Open("sqlite", "file:"+os.Args[1]+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS rows (row TEXT)"); err != nil {
		panic(err)
	}
	for _, row := range os.Args[2:] {
		if _, err := db.Exec("INSERT INTO rows VALUES (?)", row); err != nil {
			panic(err)
		}
	}
	if err := db.Close(); err != nil {
		panic(err)
	}
}
`

// A process that is built with the other libc falls at the point and nowhere else. What it has written whole the next one finds that opens
// the database alone; one that had it open all the while finds what was committed, and writes over everything else.
func TestAProcessFallsInsideACommit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("falling inside a commit is NOT tried: the other libc is known for Linux only")
	}
	root, err := build.Root("")
	require.NoError(t, err)
	cache, err := build.CacheDir()
	require.NoError(t, err)
	dir := t.TempDir()
	modfile, err := Modfile(t.Context(), root, cache, dir)
	require.NoError(t, err)
	program := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(program, []byte(writer), 0o600))
	compile := exec.CommandContext(t.Context(), "go", "build", "-modfile="+modfile, "-o", filepath.Join(dir, "writer"), program)
	compile.Dir, compile.Env = root, append(os.Environ(), "GOWORK=off")
	built, err := compile.CombinedOutput()
	require.NoError(t, err, string(built))

	for name, c := range map[string]struct {
		point Point
		// watched says that another process, this one, has the database open.
		watched, falls bool
		rows           []string
	}{
		"a page half way":             {Point{BeforeWrite, "-wal", "second", 0}, false, true, []string{"first"}},
		"a page half way, watched":    {Point{BeforeWrite, "-wal", "second", 0}, true, true, []string{"first"}},
		"all written":                 {Point{BeforeFlush, "-wal", "second", 0}, false, true, []string{"first", "second"}},
		"all written, watched":        {Point{BeforeFlush, "-wal", "second", 0}, true, true, []string{"first"}},
		"committed":                   {Point{Committed, "-wal", "second", 0}, false, true, []string{"first", "second"}},
		"committed, watched":          {Point{Committed, "-wal", "second", 0}, true, true, []string{"first", "second"}},
		"the page that is next":       {Point{BeforeWrite, "-wal", "second", 1}, false, true, []string{"first", "second"}},
		"the log half way to the end": {Point{BeforeWrite, ".db", "", 1}, false, true, []string{"first", "second", "third"}},
		"what is not written":         {Point{BeforeWrite, "-wal", "fourth", 0}, false, false, []string{"first", "second", "third"}},
		"what is not committed":       {Point{Committed, "-wal", "fourth", 0}, false, false, []string{"first", "second", "third"}},
		"a file that is not there":    {Point{BeforeFlush, "-other", "second", 0}, false, false, []string{"first", "second", "third"}},
		"where it never gets to":      {Point{BeforeWrite, "-wal", "second", 99}, false, false, []string{"first", "second", "third"}},
	} {
		t.Run(name, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "rows.db")
			trap := New(filepath.Join(t.TempDir(), "falls"))
			reached := 0
			if c.watched {
				keepOpen(t, database)
			}
			require.NoError(t, trap.Arm(c.point, func() { reached++ }))
			process := exec.CommandContext(t.Context(), filepath.Join(dir, "writer"), database, "first", "second", "third")
			process.Env = append(os.Environ(), Variable+"="+trap.File())
			output, err := process.CombinedOutput()
			sprung, looked := trap.Sprung()
			require.NoError(t, looked)
			require.Equal(t, c.falls, sprung)
			if !c.falls {
				require.NoError(t, err, string(output))
				require.Zero(t, reached)
			} else {
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, string(output))
				status, ok := exit.Sys().(syscall.WaitStatus)
				require.True(t, ok)
				require.Equal(t, syscall.SIGKILL, status.Signal())
				require.Equal(t, 1, reached)
			}
			require.Equal(t, c.rows, rows(t, database))
		})
	}
}

// keepOpen keeps the database open until the test is over.
func keepOpen(t *testing.T, database string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+database+"?_pragma=journal_mode(wal)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	connection, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	_, err = connection.ExecContext(t.Context(), "CREATE TABLE rows (row TEXT)")
	require.NoError(t, err)
}

func rows(t *testing.T, database string) (found []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+database)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	listed, err := db.QueryContext(t.Context(), "SELECT row FROM rows ORDER BY rowid")
	require.NoError(t, err)
	defer func() { require.NoError(t, listed.Close()) }()
	for listed.Next() {
		var row string
		require.NoError(t, listed.Scan(&row))
		found = append(found, row)
	}
	require.NoError(t, listed.Err())
	return found
}

// Points are come to one after the other, and nobody falls at what was taken back.
func TestPointsAreComeToInTheirOrder(t *testing.T) {
	trap := New(filepath.Join(t.TempDir(), "falls"))
	orders := func() string {
		content, err := os.ReadFile(trap.File())
		require.NoError(t, err)
		return string(content)
	}
	falls := func() { require.NoError(t, os.Rename(trap.File(), trap.File()+obeyed)) } // as the process does
	sprung := func() bool {
		sprung, err := trap.Sprung()
		require.NoError(t, err)
		return sprung
	}
	require.False(t, sprung())
	var reached []string
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, trap.Arm(Point{BeforeWrite, "-wal", name, 7}, func() { reached = append(reached, name) }))
	}
	require.Equal(t, "write\n-wal\n7\na", orders())
	require.False(t, sprung())
	falls()
	require.True(t, sprung())
	require.False(t, sprung())
	require.Equal(t, "write\n-wal\n7\nb", orders())
	falls()
	require.NoError(t, trap.Disarm()) // in that moment
	require.True(t, sprung())
	require.NoFileExists(t, trap.File())
	require.Equal(t, []string{"a"}, reached)
	require.NoError(t, trap.Disarm())
}

func TestALibcThatIsNotKnownIsAnError(t *testing.T) {
	_, err := Modfile(t.Context(), t.TempDir(), t.TempDir(), t.TempDir())
	require.ErrorContains(t, err, "make a libc that falls")
	require.ErrorContains(t, change(map[string][]byte{"libc.go": []byte("package libc\n")}), "has 0 times")
}
