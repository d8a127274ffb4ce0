package rig

import (
	"os"
	"path/filepath"
	"testing"

	"countersign/bench/faults/plan"
	"countersign/bench/faults/verdict"
	"countersign/internal/settings"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// empty is a rig of which nothing runs.
func empty(database plan.Database) *Rig {
	return &Rig{world: &world{}, store: &store{kind: database}, workers: []*member{nil}, options: Options{Plan: plan.Plan{Database: database}}}
}

// What the catalogue promises can be done, and what can be done is in the catalogue.
func TestEveryFaultOfTheCatalogueCanBeDone(t *testing.T) {
	for _, database := range []plan.Database{plan.SQLite, plan.Postgres} {
		actions := empty(database).actions()
		known := map[string]plan.Fault{}
		for _, f := range plan.Catalogue() {
			known[f.Name] = f
			if f.Database != "" && f.Database != database {
				continue
			}
			a, ok := actions[f.Name]
			require.True(t, ok, "%s on %s", f.Name, database)
			require.Equal(t, f.Lasting, a.end != nil, "%s lasts", f.Name)
		}
		for name := range actions {
			require.Contains(t, known, name)
		}
	}
}

// The tenants' file is one that an operator could have written.
func TestTheTenantsFileIsValid_R123(t *testing.T) {
	file := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(file, tenantsFile("127.0.0.1:1", "127.0.0.1:2"), 0o600))
	for _, name := range []string{"QMS", "LRS", "LMS"} {
		t.Setenv("FAULTS_"+name+"_SECRET", "a secret of the tests")
	}
	loaded, err := settings.Load(file, settings.Known{Platforms: []string{"canonical"}, QMS: []string{"arena"}})
	require.NoError(t, err)
	require.Equal(t, policy(), loaded.Tenants[0].Policy, "the sweeper has the tenant's policy")
}

// Whoever is named was told, and whoever a digest counts without a name; nobody else.
func TestInReviewAndNotToldIsFound_R133(t *testing.T) {
	review := func(key int, f training.Fingerprint) verdict.Fact {
		return verdict.Fact{Key: key, Fingerprint: f, State: training.StateInReview}
	}
	facts := []verdict.Fact{
		review(1, "aaaaaaaaaaaa1111"), review(2, "bbbbbbbbbbbb2222"), review(3, "cccccccccccc3333"),
		{Key: 4, Fingerprint: "dddddddddddd4444", State: training.StateCompleted},
	}
	for notices, want := range map[string][]string{
		"- COMP-2026, completion aaaaaaaaaaaa, bbbbbbbbbbbb and cccccccccccc": nil,
		"- completion aaaaaaaaaaaa\n- and 2 more":                             nil,
		"- completion aaaaaaaaaaaa\n- and 1 more":                             {"key 3 is in review and nobody was told"},
		"- completion bbbbbbbbbbbb":                                           {"key 1 is in review and nobody was told", "key 3 is in review and nobody was told"},
	} {
		require.Equal(t, want, untoldIn(notices, facts), notices)
	}
}

func TestASmallDiskIsFilledToTheLastByte(t *testing.T) {
	s := &store{kind: plan.SQLite, dir: t.TempDir()}
	if err := s.mount(); err != nil {
		require.NotZero(t, os.Geteuid(), "root can: %v", err)
		return
	}
	t.Cleanup(func() { require.NoError(t, s.close()) })
	require.NoError(t, s.fill())
	require.Error(t, os.WriteFile(filepath.Join(s.disk, "one more"), make([]byte, 1<<20), 0o600))
	require.NoError(t, s.empty())
	require.NoError(t, os.WriteFile(filepath.Join(s.disk, "one more"), make([]byte, 1<<20), 0o600))
}

// What was written after the copy is gone after the restore, companions included.
func TestACopyIsPutBack(t *testing.T) {
	s := &store{kind: plan.SQLite, dir: t.TempDir()}
	write := func(suffix, content string) {
		require.NoError(t, os.WriteFile(s.file()+suffix, []byte(content), 0o600))
	}
	write("", "before")
	write("-wal", "wal before")
	require.NoError(t, s.copy())
	write("", "after")
	write("-shm", "shm after")
	require.NoError(t, s.restore())
	for suffix, want := range map[string]string{"": "before", "-wal": "wal before"} {
		got, err := os.ReadFile(s.file() + suffix)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	require.NoFileExists(t, s.file()+"-shm")
}
