// Package plan says which faults a run has and when: by the number of the delivery that is next,
// not by the clock, and all of it from the seed. It only decides; package rig does it.
package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Database is what the journal stands on.
type Database string

// The databases.
const (
	SQLite   Database = "sqlite"
	Postgres Database = "postgres"
)

// Step is one fault at its time.
type Step struct {
	Fault Fault
	// At is the number of the delivery before which it begins.
	At int
	// Until is the number of the delivery before which a lasting one ends; 0 for the others.
	Until int
	// Back is how long a process that was killed stays away.
	Back time.Duration
}

// String is "kill-worker@40" or "qms-down@40-70".
func (s Step) String() string {
	if s.Fault.Lasting {
		return fmt.Sprintf("%s@%d-%d", s.Fault.Name, s.At, s.Until)
	}
	return fmt.Sprintf("%s@%d", s.Fault.Name, s.At)
}

// Plan is what happens in one run.
type Plan struct {
	Name     string
	Seed     uint64
	Database Database
	Steps    []Step // in order of At
}

// Faults is the plan as one word of a CSV line.
func (p Plan) Faults() string {
	words := make([]string, len(p.Steps))
	for i, s := range p.Steps {
		words[i] = s.String()
	}
	return strings.Join(words, ";")
}

// Has reports whether the fault is in the plan.
func (p Plan) Has(fault string) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Fault.Name == fault })
}

// Restores reports whether the journal is replaced by an older copy.
func (p Plan) Restores() bool { return p.Has("journal-restored") || p.Has("journal-restored-hour") }

// Sets reports whether the clock is set.
func (p Plan) Sets(clock Clock) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Fault.Clock == clock })
}

// InsideSQLite reports whether a process is killed inside a commit of an SQLite journal: starter and worker have to be built for that.
func (p Plan) InsideSQLite() bool {
	return p.Database == SQLite && slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Fault.Inside })
}

// composites are plans of several faults; each happens once or as often as its plan of its own says.
func composites() map[string][]string {
	return map[string][]string{
		"none":  {},
		"kills": {"kill-starter", "kill-worker", "kill-both"},
		"points": {"before-insert", "before-commit", "after-commit", "before-ack", "before-start", "after-start",
			"before-send", "after-send", "before-record", "after-record", "before-statement", "after-statement"},
		"temporal": {"temporal-killed", "temporal-stopped", "temporal-frozen"},
		"postgres": {"pg-restarted", "pg-backends-killed", "pg-read-only"},
		"qms": {"qms-silent", "qms-commit-500", "qms-commit-reset", "qms-reset", "qms-late", "qms-late-lost", "qms-429",
			"qms-429-retry-after", "qms-token-expired", "qms-token-revoked", "qms-huge", "qms-truncated", "qms-malformed"},
		"clocks":               {"clock-ahead", "clock-behind", "qms-clock-ahead", "qms-clock-behind", "qms-token-expired"},
		"clock-kills":          {"clock-ahead", "clock-behind", "kill-starter", "kill-worker", "kill-both"},
		"temporal-clock-kills": {"temporal-clock-behind", "temporal-killed", "kill-worker", "kill-starter"},
		"lrs":                  {"lrs-down", "lrs-commit-500", "lrs-409-same"},
		"cut":                  {"cut-temporal", "cut-postgres", "cut-qms", "cut-lrs"},
		"half-open":            {"half-open-temporal", "half-open-postgres", "half-open-qms", "half-open-lrs"},
		"unreachable":          {"unreachable-temporal", "unreachable-postgres", "unreachable-qms", "unreachable-lrs"},
		"slow":                 {"slow-temporal", "slow-postgres", "slow-qms", "slow-lrs"},
	}
}

// Random is the name of the plan that draws its faults from the seed.
const Random = "random"

// randomFaults is how many a random plan has.
const randomFaults = 5

// Names lists the plans: composites, the random one, and one per fault.
func Names() []string {
	names := []string{Random}
	for name := range composites() {
		names = append(names, name)
	}
	for _, f := range Catalogue() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// Runs reports whether a plan makes sense on a database.
func Runs(name string, database Database) bool {
	if name == "postgres" {
		return database == Postgres
	}
	f, single := find(name)
	return !single || f.Database == "" || f.Database == database
}

// New makes the named plan for a run of so many deliveries. Faults of another database are left
// out; a plan of which nothing is left is an error, and so is an unknown name.
func New(name string, database Database, seed uint64, deliveries int) (Plan, error) {
	g := &generator{random: rand.New(rand.NewPCG(seed, 0x666175_6c7473)), deliveries: deliveries}
	p := Plan{Name: name, Seed: seed, Database: database}
	fits := func(f Fault) bool { return f.Database == "" || f.Database == database }
	single, isSingle := find(name)
	members, isComposite := composites()[name]
	switch {
	case name == Random:
		all := slices.DeleteFunc(Catalogue(), func(f Fault) bool { return f.Alone || !fits(f) })
		slices.SortFunc(all, func(a, b Fault) int { return strings.Compare(a.Name, b.Name) })
		for _, i := range g.random.Perm(len(all))[:randomFaults] {
			p.Steps = append(p.Steps, g.step(all[i]))
		}
	case isComposite:
		for _, member := range members {
			if f, ok := find(member); ok && fits(f) {
				p.Steps = append(p.Steps, g.step(f))
			}
		}
	case isSingle && fits(single):
		for range max(1, timesOf(single)) {
			p.Steps = append(p.Steps, g.step(single))
		}
	case isSingle:
		return Plan{}, fmt.Errorf("plan %q is for %s", name, single.Database)
	default:
		return Plan{}, fmt.Errorf("no plan %q; there are: %s", name, strings.Join(Names(), ", "))
	}
	if len(p.Steps) == 0 && len(members) > 0 {
		return Plan{}, fmt.Errorf("nothing of plan %q can be done with %s", name, database)
	}
	inOrder(p.Steps)
	apart(p.Steps, deliveries)
	inOrder(p.Steps)
	return p, nil
}

func inOrder(steps []Step) {
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At - b.At })
}

// apart lets faults be felt. Each of those that last and that would hide one another has a part of the deliveries of its own, and what
// happens to a server while it is away happens when it is back.
func apart(steps []Step, deliveries int) {
	lasting := map[string][]*Step{}
	for i := range steps {
		if hidden := hiddenBy(steps[i].Fault); hidden != "" {
			lasting[hidden] = append(lasting[hidden], &steps[i])
		}
	}
	first, last := deliveries*earliest/100, deliveries*latest/100
	for _, all := range lasting {
		for i, s := range all {
			if len(all) == 1 {
				break
			}
			from, to := first+i*(last-first)/len(all), first+(i+1)*(last-first)/len(all)
			long := s.Until - s.At
			s.At = min(max(s.At, from), from+(to-from)/2)
			s.Until = min(s.At+long, to)
		}
	}
	for i := range steps {
		s, server := &steps[i], serverOf(steps[i].Fault.Name)
		for _, all := range lasting {
			for _, other := range all {
				if !s.Fault.Lasting && server != "" && serverOf(other.Fault.Name) == server && s.At >= other.At && s.At < other.Until {
					s.At = other.Until
				}
			}
		}
	}
}

// hiddenBy names those of the lasting faults of which one is not felt while another lasts: there is nothing from the QMS to be missed where
// nothing comes from Temporal, and a clock is ahead or behind. "" is felt whatever else happens.
func hiddenBy(f Fault) string {
	switch {
	case !f.Lasting, f.Name == "freeze-worker", strings.HasPrefix(f.Name, "journal-"):
		return ""
	case f.Clock != "", f.Name == "disk-full":
		return serverOf(f.Name)
	}
	return "traffic"
}

// serverOf is what a fault touches that may be away: a server's process or its answers, a clock, "" for nothing of the kind. A server can be
// killed while its clock is wrong.
func serverOf(fault string) string {
	for _, prefix := range []string{"temporal-clock-", "pg-clock-", "temporal-", "pg-", "disk-full", "clock-", "qms-429", "qms-down"} {
		if strings.HasPrefix(fault, prefix) {
			return strings.Replace(prefix, "qms-429", "qms-down", 1) // who answers everything with 503 answers nothing with 429
		}
	}
	return ""
}

func timesOf(f Fault) int {
	if f.Times == 0 {
		return 3
	}
	return f.Times
}

func find(name string) (Fault, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return all[i], true
}

type generator struct {
	random     *rand.Rand
	deliveries int
}

// How long a killed process stays away at most. At a point it is short, so that there is enough
// to come to the next one with.
const (
	longestBack      = 1500 * time.Millisecond
	longestPointBack = 200 * time.Millisecond
)

// Faults begin after the first deliveries and end before the last ones, in percent of them.
const earliest, latest = 5, 90

// step places a fault: a lasting one takes a tenth to three tenths of the deliveries.
func (g *generator) step(f Fault) Step {
	part := func(from, to int) int {
		low := g.deliveries * from / 100
		return low + g.random.IntN(max(1, g.deliveries*to/100-low))
	}
	back := longestBack
	if f.Point {
		back = longestPointBack
	}
	s := Step{Fault: f, Back: time.Duration(g.random.Int64N(int64(back)))}
	switch {
	case f.Name == "lrs-409-different":
		s.At = 0 // before the first of them is sent
	case f.Name == "in-checkpoint":
		s.At = part(earliest, 30) // the log is copied about when 100 completions have gone through
	case f.Lasting:
		s.At = part(earliest, 60)
		s.Until = s.At + part(10, 30)
	default:
		s.At = part(earliest, latest)
	}
	return s
}

// ShortRun is one run of the short selection.
type ShortRun struct {
	Name     string
	Database Database
	Seed     uint64
}

// Short is the selection that a change has to pass: the places where two effects are born, the
// losses that only the journal survives, and both databases.
func Short() []ShortRun {
	return []ShortRun{
		{"points", SQLite, 1},
		{"points", Postgres, 2},
		{"qms", SQLite, 3},
		{"temporal-lost", Postgres, 4},
		{"journal-restored", SQLite, 5},
		{Random, Postgres, 6},
	}
}
