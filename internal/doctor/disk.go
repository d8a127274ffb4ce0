package doctor

import (
	"fmt"
	"path/filepath"
)

const (
	// fewBytes and hardlyAny are how much room a disk should have, in bytes: a busy day writes less than the first.
	fewBytes  = 2 << 30
	hardlyAny = 256 << 20
)

// volume is where a file lies.
type volume struct {
	kind string // of the file system, "" where it is not known
	// memory loses all with the machine, remote may lie about locks and flushes, layer goes with the container.
	memory, remote, layer bool
	free, size            uint64 // bytes
}

// disk checks where an SQLite file lies: https://www.sqlite.org/wal.html says why not on a network.
func disk(path string) []Finding {
	v, err := volumeOf(path)
	if err != nil {
		return []Finding{unfit(Note, "journal.disk", "what the SQLite file lies on cannot be found out here", "")}
	}
	return v.judge(filepath.Dir(path))
}

func (v volume) judge(folder string) []Finding {
	kind := v.kind
	if kind == "" {
		kind = "a file system of unknown kind"
	}
	var where Finding
	switch {
	case v.memory:
		where = unfit(Error, "journal.disk", "the SQLite file lies in memory ("+kind+"): all of it is gone with the machine", "put it on a local disk")
	case v.remote:
		where = unfit(Error, "journal.disk", "the SQLite file lies on a network file system ("+kind+"), where locks and flushes do not hold", "put it on a local disk, or use PostgreSQL")
	case v.layer:
		where = unfit(Warning, "journal.disk", "the SQLite file lies in the layer of a container ("+kind+") and goes with it", "mount a volume at "+folder)
	default:
		where = fine("journal.disk", "the SQLite file lies on %s", kind)
	}
	room := fmt.Sprintf("%s of %s are free", sized(v.free), sized(v.size))
	const fix = "make room; SQLite refuses writes on a full disk, and LMSs are then told to come again"
	switch {
	case v.free < hardlyAny:
		return []Finding{where, unfit(Error, "journal.space", room, fix)}
	case v.free < fewBytes:
		return []Finding{where, unfit(Warning, "journal.space", room, fix)}
	default:
		return []Finding{where, fine("journal.space", "%s", room)}
	}
}

func sized(n uint64) string {
	const unit = 1 << 10
	switch {
	case n >= unit*unit*unit:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	case n >= unit*unit:
		return fmt.Sprintf("%.0f MiB", float64(n)/(unit*unit))
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
