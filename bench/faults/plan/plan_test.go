package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSameSeedIsTheSamePlan(t *testing.T) {
	for _, name := range Names() {
		for _, database := range []Database{SQLite, Postgres} {
			if !Runs(name, database) {
				continue
			}
			first, err := New(name, database, 7, 200)
			require.NoError(t, err, name)
			second, err := New(name, database, 7, 200)
			require.NoError(t, err)
			require.Equal(t, first, second, name)
		}
	}
}

func TestAnotherSeedIsAnotherPlan(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		p, err := New(Random, Postgres, seed, 200)
		require.NoError(t, err)
		seen[p.Faults()] = true
	}
	require.Len(t, seen, 50)
}

// Over many seeds every fault that may be drawn is drawn, and none that may not.
func TestRandomPlansDrawEverything(t *testing.T) {
	for _, database := range []Database{SQLite, Postgres} {
		drawn := map[string]bool{}
		for seed := range uint64(400) {
			p, err := New(Random, database, seed, 200)
			require.NoError(t, err)
			require.Len(t, p.Steps, randomFaults)
			for _, s := range p.Steps {
				drawn[s.Fault.Name] = true
			}
		}
		for _, f := range Catalogue() {
			want := !f.Alone && (f.Database == "" || f.Database == database)
			require.Equal(t, want, drawn[f.Name], "%s on %s", f.Name, database)
		}
	}
}

func TestStepsLieWithinTheDeliveries(t *testing.T) {
	for _, deliveries := range []int{13, 200, 5000} {
		for _, name := range Names() {
			for _, database := range []Database{SQLite, Postgres} {
				if !Runs(name, database) {
					continue
				}
				p, err := New(name, database, 3, deliveries)
				require.NoError(t, err, name)
				last := 0
				for _, s := range p.Steps {
					require.GreaterOrEqual(t, s.At, last, "in order: %s", p.Faults())
					last = s.At
					require.Less(t, s.At, deliveries)
					if s.Fault.Lasting {
						require.Greater(t, s.Until, s.At-1, s.String())
						require.Less(t, s.Until, deliveries)
					} else {
						require.Zero(t, s.Until)
					}
				}
			}
		}
	}
}

// Temporal cannot be frozen while it is down, nor PostgreSQL be made read-only, and while nothing comes from Temporal nobody feels that
// nothing comes from the QMS. Each fault that lasts has some deliveries of its own.
func TestFaultsDoNotHideOneAnother(t *testing.T) {
	for seed := range uint64(300) {
		for _, name := range []string{"temporal", "postgres", "disk-full", "clocks", "cut", "half-open", "unreachable", "slow", Random} {
			p, err := New(name, Postgres, seed, 200)
			require.NoError(t, err)
			until, away := map[string]int{}, map[string]int{}
			for _, s := range p.Steps {
				hidden, server := hiddenBy(s.Fault), serverOf(s.Fault.Name)
				require.GreaterOrEqual(t, s.At, away[server], "seed %d: %s", seed, p.Faults())
				if hidden == "" {
					continue
				}
				require.GreaterOrEqual(t, s.At, until[hidden], "seed %d: %s", seed, p.Faults())
				require.GreaterOrEqual(t, s.Until-s.At, 5, "seed %d: %s", seed, p.Faults())
				until[hidden] = s.Until
				if server != "" {
					away[server] = s.Until
				}
			}
		}
	}
}

func TestTheCatalogueIsSound(t *testing.T) {
	names := map[string]bool{}
	for _, f := range Catalogue() {
		require.False(t, names[f.Name], "%s twice", f.Name)
		names[f.Name] = true
		require.NotEmpty(t, f.Does, f.Name)
		require.NotContains(t, f.Name, ",", "it stands in a CSV field")
		require.False(t, f.Lasting && f.AtLeast == 0, "%s may be over before it is felt", f.Name)
	}
	for name, members := range composites() {
		require.False(t, names[name], "%s is a plan and a fault", name)
		for _, member := range members {
			require.True(t, names[member], "%s in plan %s", member, name)
		}
	}
	for _, s := range Short() {
		require.True(t, Runs(s.Name, s.Database))
		_, err := New(s.Name, s.Database, s.Seed, 150)
		require.NoError(t, err)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	_, err := New("meteorite", SQLite, 1, 200)
	require.ErrorContains(t, err, `no plan "meteorite"`)
	_, err = New("pg-restarted", SQLite, 1, 200)
	require.ErrorContains(t, err, "is for postgres")
	_, err = New("postgres", SQLite, 1, 200)
	require.ErrorContains(t, err, "nothing of plan")
	require.False(t, Runs("postgres", SQLite))
	require.False(t, Runs("pg-restarted", SQLite))
}

func TestAPlanIsOneWord(t *testing.T) {
	p, err := New("temporal", SQLite, 1, 200)
	require.NoError(t, err)
	require.True(t, p.Has("temporal-killed"))
	require.False(t, p.Has("kill-worker"))
	require.NotContains(t, p.Faults(), " ")
	require.Len(t, strings.Split(p.Faults(), ";"), 3)
	require.Regexp(t, `temporal-stopped@\d+-\d+`, p.Faults())
	require.Regexp(t, `temporal-killed@\d+(;|$)`, p.Faults())
}
