package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// Journal is what is asked of the journal. *journal.Examiner is one.
type Journal interface {
	Facts(ctx context.Context) (journal.Facts, error)
	Backlog(ctx context.Context) (journal.Backlog, error)
	Sample(ctx context.Context, tenant string, from training.Fingerprint, n int) ([]training.Completion, error)
	Traffic(ctx context.Context, window int) (all []journal.Traffic, partial bool, err error)
	Targets(ctx context.Context) ([]journal.Target, error)
	BudgetUses(ctx context.Context) ([]journal.BudgetUse, error)
}

// errNoJournal says that there is nothing to ask.
var errNoJournal = errors.New("the journal is not open")

// database checks that what is acknowledged stays (law 1). opened is why there is no journal.
type database struct {
	journal Journal
	opened  error
	now     func() time.Time
}

func (d database) run(ctx context.Context) []Finding {
	switch {
	case errors.Is(d.opened, journal.ErrNoFile):
		return []Finding{unfit(Warning, "journal.open", "the SQLite file is not there yet; the starter makes it when it first starts",
			"if it has started before, correct COUNTERSIGN_JOURNAL: a relative path begins where the process was started")}
	case d.opened != nil:
		return []Finding{unfit(Error, "journal.open", d.opened.Error(), "the starter acknowledges nothing without its journal: see whether the database runs, and whether this account may use it")}
	}
	facts, err := d.journal.Facts(ctx)
	if err != nil {
		return []Finding{unfit(Error, "journal.open", err.Error(), "see whether the database runs, and whether this account may read it")}
	}
	var found []Finding
	if facts.Postgres != nil {
		found = append(found, postgres(facts.Version, *facts.Postgres)...)
	} else {
		found = append(found, sqlite(facts), privacy(facts.Path))
		found = append(found, disk(facts.Path)...)
	}
	found = append(found, schema(facts))
	if len(facts.Pending) == 0 {
		found = append(found, d.waiting(ctx))
	}
	return found
}

// sqlite checks the mode of the file. Without WAL Open would change it, or refuse.
func sqlite(f journal.Facts) Finding {
	if !f.WAL {
		return unfit(Warning, "journal.durable", "the SQLite file is not in WAL mode; the next start changes that, or refuses to run",
			"if it refuses, put the file on a local disk")
	}
	return fine("journal.durable", "SQLite %s in WAL mode; every process sets synchronous=FULL and reads it back", f.Version)
}

// privacy checks that only we can read the file: it holds personal data.
func privacy(path string) Finding {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return unfit(Warning, "journal.private", "the mode of the SQLite file cannot be read", "see whether this account may read "+filepath.Dir(path))
	case info.Mode().Perm()&0o077 != 0:
		return unfit(Warning, "journal.private", fmt.Sprintf("others on this machine can use the SQLite file (mode %04o), which holds personal data", info.Mode().Perm()), "chmod 600 "+path)
	default:
		return fine("journal.private", "the SQLite file is for this account alone")
	}
}

// postgres checks what Open checks, each by itself, and what it takes for granted.
func postgres(version string, p journal.PostgresFacts) []Finding {
	var found []Finding
	for _, setting := range []struct{ name, value, without string }{
		{"fsync", p.Fsync, "a crash of the machine can lose or corrupt everything"},
		{"full_page_writes", p.FullPageWrites, "a crash of the machine can leave half-written pages"},
		{"synchronous_commit", p.SynchronousCommit, "a crash loses what was acknowledged shortly before"},
	} {
		if setting.value == "off" {
			found = append(found, unfit(Error, "journal.durable", setting.name+" is off: "+setting.without+"; the starter refuses to run so",
				fmt.Sprintf("ALTER SYSTEM SET %s = on; SELECT pg_reload_conf(); and look at the role and the database too", setting.name)))
		}
	}
	if len(found) == 0 {
		copies := "one machine holds what is acknowledged, which its backup must cover"
		if p.StandbyNames != "" {
			copies = "commits wait for standbys"
		}
		found = append(found, fine("journal.durable", "PostgreSQL %s with fsync, full_page_writes and synchronous_commit=%s; %s", version, p.SynchronousCommit, copies))
	}
	if p.Standby {
		found = append(found, unfit(Error, "journal.server", "this PostgreSQL only follows another one and takes no writes", "have COUNTERSIGN_JOURNAL lead to the primary server"))
	}
	if p.Remote && !p.Encrypted {
		found = append(found, unfit(Warning, "journal.private", "the connection to PostgreSQL is not encrypted, and carries personal data", "add sslmode=verify-full to COUNTERSIGN_JOURNAL"))
	}
	return found
}

func schema(f journal.Facts) Finding {
	switch {
	case len(f.Unknown) > 0:
		return unfit(Error, "journal.schema", fmt.Sprintf("a newer version of Countersign has changed the schema (%s)", numbers(f.Unknown)),
			"run the doctor, the starter and the worker of that version")
	case len(f.Pending) > 0:
		return unfit(Warning, "journal.schema", fmt.Sprintf("%s to be made (%s)", plural(len(f.Pending), "migration is", "migrations are"), numbers(f.Pending)),
			"make a backup; then the next start of starter or worker makes them")
	default:
		return fine("journal.schema", "the schema is this version's")
	}
}

func numbers(versions []int64) string {
	return strings.Trim(fmt.Sprint(versions), "[]")
}

// queuedLong is how long a completion may wait for dispatch before somebody should look.
const queuedLong = 10 * time.Minute

func (d database) waiting(ctx context.Context) Finding {
	w, err := d.journal.Backlog(ctx)
	switch since := d.now().Sub(w.Oldest); {
	case err != nil:
		return unfit(Error, "journal.queue", err.Error(), "see whether the database is well")
	case w.Queued > 0 && since > queuedLong:
		return unfit(Error, "journal.queue", fmt.Sprintf("%s, the first since %s", plural(w.Queued, "completion waits", "completions wait")+" to be started", since.Round(time.Minute)),
			"see whether the starter runs and reaches Temporal, and whether a worker polls; a long queue drains in its own time")
	case w.Queued > 0:
		return fine("journal.queue", "%d queued, none of them for long", w.Queued)
	default:
		return fine("journal.queue", "nothing is queued")
	}
}
