package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/settings"
	"countersign/internal/training"
)

// store is a journal that is what a test says.
type store struct {
	facts   journal.Facts
	waiting journal.Backlog
	traffic []journal.Traffic
	targets []journal.Target
	uses    []journal.BudgetUse
	partial bool
	err     error
}

func (s store) Facts(context.Context) (journal.Facts, error)     { return s.facts, s.err }
func (s store) Backlog(context.Context) (journal.Backlog, error) { return s.waiting, s.err }
func (s store) Traffic(context.Context, int) ([]journal.Traffic, bool, error) {
	return s.traffic, s.partial, s.err
}
func (s store) Targets(context.Context) ([]journal.Target, error)       { return s.targets, s.err }
func (s store) BudgetUses(context.Context) ([]journal.BudgetUse, error) { return s.uses, s.err }
func (s store) Sample(context.Context, string, training.Fingerprint, int) ([]training.Completion, error) {
	return nil, s.err
}

// examined looks at a real journal.
func examined(t testing.TB, dsn string) []Finding {
	t.Helper()
	e, err := journal.Examine(t.Context(), dsn)
	if err != nil {
		return database{nil, err, atNoon}.run(t.Context())
	}
	found := database{e, nil, atNoon}.run(t.Context())
	require.NoError(t, e.Close())
	return found
}

func made(t testing.TB, dsn string) {
	t.Helper()
	j, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.NoError(t, err)
	require.NoError(t, j.Close())
}

func TestSQLiteJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	require.Equal(t, map[string]Level{"journal.open": Warning}, levelsOf(examined(t, "sqlite:"+path)))
	made(t, "sqlite:"+path)
	got := levelsOf(examined(t, "sqlite:"+path))
	delete(got, "journal.disk") // the machine's
	delete(got, "journal.space")
	require.Equal(t, map[string]Level{"journal.durable": OK, "journal.private": OK, "journal.schema": OK, "journal.queue": OK}, got)

	require.NoError(t, os.Chmod(path, 0o644))
	f := the(t, examined(t, "sqlite:"+path), "journal.private")
	require.Equal(t, Warning, f.Level)
	require.Equal(t, "chmod 600 "+path, f.Fix)
	require.Equal(t, Warning, sqlite(journal.Facts{}).Level, "not in WAL mode")
}

func TestPostgresJournal(t *testing.T) {
	server := postgrestest.StartServer(t)
	dsn := server.Database(t)
	found := examined(t, dsn)
	require.Equal(t, Warning, the(t, found, "journal.schema").Level, "no table yet")
	made(t, dsn)
	durable := OK
	// The server of tests saves the time of flushing.
	if e, err := journal.Examine(t.Context(), dsn); err == nil {
		facts, err := e.Facts(t.Context())
		require.NoError(t, err)
		require.NoError(t, e.Close())
		if facts.Postgres.Fsync == "off" {
			durable = Error
		}
	}
	require.Equal(t, map[string]Level{"journal.durable": durable, "journal.schema": OK, "journal.queue": OK}, levelsOf(examined(t, dsn)))

	require.NoError(t, server.Exec("ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"))
	require.Eventually(t, func() bool {
		for _, f := range examined(t, dsn) {
			if f.Check == "journal.durable" && f.Level == Error {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond)
	f := the(t, examined(t, "postgres://nobody:s3cret@/none?host=/no/such/folder"), "journal.open")
	require.Equal(t, Error, f.Level)
	require.NotContains(t, f.Text, "s3cret")
}

func TestPostgresIsJudgedSettingBySetting(t *testing.T) {
	good := journal.PostgresFacts{Fsync: "on", FullPageWrites: "on", SynchronousCommit: "on"}
	for _, test := range []struct {
		change func(*journal.PostgresFacts)
		check  string
		want   Level
		says   string
	}{
		{func(*journal.PostgresFacts) {}, "journal.durable", OK, "one machine"},
		{func(p *journal.PostgresFacts) { p.StandbyNames = "b" }, "journal.durable", OK, "standbys"},
		{func(p *journal.PostgresFacts) { p.Fsync = "off" }, "journal.durable", Error, "fsync"},
		{func(p *journal.PostgresFacts) { p.FullPageWrites = "off" }, "journal.durable", Error, "full_page_writes"},
		{func(p *journal.PostgresFacts) { p.SynchronousCommit = "off" }, "journal.durable", Error, "synchronous_commit"},
		{func(p *journal.PostgresFacts) { p.Standby = true }, "journal.server", Error, "takes no writes"},
		{func(p *journal.PostgresFacts) { p.Remote = true }, "journal.private", Warning, "not encrypted"},
	} {
		p := good
		test.change(&p)
		f := the(t, postgres("17.6", p), test.check)
		require.Equal(t, test.want, f.Level)
		require.Contains(t, f.Text, test.says)
	}
	encrypted := good
	encrypted.Remote, encrypted.Encrypted = true, true
	require.Len(t, postgres("17.6", encrypted), 1)
}

func TestSchemaAndQueue(t *testing.T) {
	require.Equal(t, Error, schema(journal.Facts{Unknown: []int64{99}}).Level)
	require.Equal(t, "2 migrations are to be made (7 8)", schema(journal.Facts{Pending: []int64{7, 8}}).Text)
	for _, test := range []struct {
		store store
		want  Level
		says  string
	}{
		{store{}, OK, "nothing is queued"},
		{store{waiting: journal.Backlog{Queued: 5, Oldest: noon.Add(-time.Minute)}}, OK, "5 queued"},
		{store{waiting: journal.Backlog{Queued: 1, Oldest: noon.Add(-time.Hour)}}, Error, "1 completion waits to be started, the first since 1h0m0s"},
		{store{err: errors.New("no such table")}, Error, "no such table"},
	} {
		f := database{test.store, nil, atNoon}.waiting(t.Context())
		require.Equal(t, test.want, f.Level)
		require.Contains(t, f.Text, test.says)
	}
	require.Equal(t, Error, the(t, database{store{err: errors.New("broken")}, nil, atNoon}.run(t.Context()), "journal.open").Level)
}

func TestDisksAreJudged(t *testing.T) {
	const plenty = 100 << 30
	for _, test := range []struct {
		volume      volume
		disk, space Level
	}{
		{volume{kind: "ext4", free: plenty, size: plenty}, OK, OK},
		{volume{free: plenty, size: plenty}, OK, OK},
		{volume{kind: "tmpfs", memory: true, free: plenty, size: plenty}, Error, OK},
		{volume{kind: "NFS", remote: true, free: plenty, size: plenty}, Error, OK},
		{volume{kind: "overlayfs", layer: true, free: plenty, size: plenty}, Warning, OK},
		{volume{kind: "XFS", free: 1 << 30, size: plenty}, OK, Warning},
		{volume{kind: "XFS", free: 1 << 20, size: plenty}, OK, Error},
	} {
		require.Equal(t, map[string]Level{"journal.disk": test.disk, "journal.space": test.space}, levelsOf(test.volume.judge("/data")), test.volume)
	}
	v, err := volumeOf("/proc")
	if err == nil { // Linux
		require.Zero(t, v.size)
	}
	require.Equal(t, "1.5 GiB", sized(3<<29))
	require.Equal(t, "3 MiB", sized(3<<20))
	require.Equal(t, "12 bytes", sized(12))
}

func TestTrafficIsJudgedPerSource_R136(t *testing.T) {
	acme := settings.Tenant{ID: "acme", Sources: []settings.Source{{ID: "lms"}}}
	at := func(ago time.Duration, change func(*journal.Traffic)) []journal.Traffic {
		one := journal.Traffic{Tenant: "acme", Source: "lms", LastAt: noon.Add(-ago), Reason: "signature"}
		if change != nil {
			change(&one)
		}
		return []journal.Traffic{one, {Tenant: "globex", Source: "lms", LastAt: noon, Streak: 50}}
	}
	for _, test := range []struct {
		store store
		want  Level
		says  string
	}{
		{store{}, Note, "nothing has come from it yet"},
		{store{partial: true}, Note, "among the last 20000"},
		{store{traffic: at(3*time.Hour, nil)}, OK, "3 hours ago"},
		{store{traffic: at(10*time.Second, nil)}, OK, "just now"},
		{store{traffic: at(5*time.Minute, nil)}, OK, "5 minutes ago"},
		{store{traffic: at(40*24*time.Hour, nil)}, Note, "40 days ago"},
		{store{traffic: at(0, func(f *journal.Traffic) { f.Streak = 2 })}, OK, "just now"},
		{store{traffic: at(0, func(f *journal.Traffic) { f.Streak = 3 })}, Warning, "the last 3 deliveries were rejected (signature)"},
		{store{traffic: at(0, func(f *journal.Traffic) { f.Streak = 10 })}, Error, "the last 10 deliveries"},
		{store{traffic: at(0, func(f *journal.Traffic) { f.Unmapped = 1 })}, Warning, "1 delivery is not understood"},
	} {
		found := traffic{test.store, []settings.Tenant{acme}, atNoon}.run(t.Context())
		f := the(t, found, "sources.traffic")
		require.Equal(t, []any{test.want, "acme", "lms"}, []any{f.Level, f.Tenant, f.Subject}, f.Text)
		require.Contains(t, f.Text, test.says)
	}
	require.Empty(t, traffic{nil, []settings.Tenant{acme}, atNoon}.run(t.Context()), "journal.open says it")
	require.Equal(t, Warning, traffic{store{err: errors.New("x")}, []settings.Tenant{acme}, atNoon}.run(t.Context())[0].Level)
}
