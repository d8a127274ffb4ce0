package plan

import (
	"fmt"
	"time"
)

// Fault is one thing that can be done to an installation.
type Fault struct {
	Name string
	// Does says what happens, for people.
	Does string
	// Database is the only one on which it makes sense, "" for both.
	Database Database
	// Lasting faults begin and end; the others happen, and what was killed comes back by itself.
	Lasting bool
	// AtLeast is how long a lasting one stays, however fast the deliveries go.
	AtLeast time.Duration
	// Times is how often it happens in a plan of its own; 0 means three times.
	Times int
	// Point says that a process is killed at an exact place of a conversation.
	Point bool
	// Inside says that the place is inside a commit of the journal.
	Inside bool
	// Alone keeps it out of random plans: it is a plan of its own.
	Alone bool
	// Clock is whose clocks are set, "" for nobody's: they have to be built or started for that.
	Clock Clock
}

// Clock is whose clocks there are.
type Clock string

// The clocks.
const (
	// OurClock is that of starter and worker.
	OurClock      Clock = "ours"
	TemporalClock Clock = "Temporal's"
	PostgresClock Clock = "PostgreSQL's"
)

// Catalogue lists every fault.
func Catalogue() []Fault {
	var all []Fault
	for _, part := range [][]Fault{kills(), points(), temporals(), databases(), networks(), clocks(), qms(), lrs(), senders()} {
		all = append(all, part...)
	}
	return all
}

func kills() []Fault {
	return []Fault{
		{Name: "kill-starter", Does: "kill -9 of the starter"},
		{Name: "kill-worker", Does: "kill -9 of the worker"},
		{Name: "kill-both", Does: "kill -9 of starter and worker at once"},
		{Name: "freeze-starter", Does: "SIGSTOP of the starter for 6 s, longer than a claim's lease", Lasting: true, AtLeast: 6 * time.Second, Times: 1},
		{Name: "freeze-worker", Does: "SIGSTOP of one of two workers while writes are slow, so that some are under way, for 25 s: its steps are given to the other, then it wakes and goes on",
			Lasting: true, AtLeast: 25 * time.Second, Times: 1, Alone: true},
	}
}

// points are kill -9 at an exact place of a conversation.
func points() []Fault {
	return []Fault{
		{Name: "before-insert", Does: "kill -9 of the starter with the INSERT of a delivery on the wire (PostgreSQL), with a page of the table half way to the write-ahead log (SQLite)", Point: true, Inside: true},
		{Name: "before-commit", Does: "kill -9 of the starter after the INSERT, with what commits it on the wire (PostgreSQL), with all written and nothing flushed (SQLite)", Point: true, Inside: true},
		{Name: "after-commit", Does: "kill -9 of the starter after the COMMIT was carried out (SQLite: where others see it), before it knows", Point: true, Inside: true},
		{Name: "before-ack", Does: "kill -9 of the starter with its 200 on the wire", Point: true},
		{Name: "before-start", Does: "kill -9 of the starter with the start of a workflow on the wire", Point: true},
		{Name: "after-start", Does: "kill -9 of the starter after the start was sent, before it is answered", Point: true},
		{Name: "before-send", Does: "kill -9 of the worker with the write to the QMS on the wire", Point: true},
		{Name: "after-send", Does: "kill -9 of the worker after the QMS has changed the record, with its answer on the wire", Point: true},
		{Name: "before-record", Does: "kill -9 of the worker with the INSERT of an effect on the wire (PostgreSQL), with a page of the table half way to the write-ahead log (SQLite)", Point: true, Inside: true},
		{Name: "after-record", Does: "kill -9 of the worker after an effect was stored (SQLite: where others see it), before it knows", Point: true, Inside: true},
		{Name: "in-checkpoint", Does: "kill -9 of starter or worker, or both, when it has copied 100 pages of the write-ahead log into the database (SQLite only)",
			Point: true, Inside: true, Database: SQLite, Alone: true},
		{Name: "before-statement", Does: "kill -9 of the worker with a statement on the wire", Point: true},
		{Name: "after-statement", Does: "kill -9 of the worker after the LRS has stored a statement, with its answer on the wire", Point: true},
	}
}

func temporals() []Fault {
	return []Fault{
		{Name: "temporal-killed", Does: "kill -9 of Temporal, and a start at once", Times: 2},
		{Name: "temporal-stopped", Does: "Temporal stopped for a while", Lasting: true, AtLeast: 3 * time.Second, Times: 1},
		{Name: "temporal-frozen", Does: "SIGSTOP of Temporal", Lasting: true, AtLeast: 4 * time.Second, Times: 1},
		{Name: "temporal-lost", Does: "Temporal killed and its database deleted: rebuilt from the journal", Times: 1, Alone: true},
	}
}

func databases() []Fault {
	return []Fault{
		{Name: "pg-restarted", Does: "PostgreSQL stopped as in a crash for a while", Database: Postgres, Lasting: true, AtLeast: 2 * time.Second, Times: 1},
		{Name: "pg-backends-killed", Does: "every backend of the journal terminated", Database: Postgres},
		{Name: "pg-read-only", Does: "the journal read-only for a while", Database: Postgres, Lasting: true, AtLeast: 2 * time.Second, Times: 1},
		{Name: "disk-full", Does: "the journal's disk full for a while (tmpfs; needs root on Linux)", Lasting: true, AtLeast: 4 * time.Second, Times: 2, Alone: true},
		{Name: "journal-restored", Does: "the journal copied, later replaced by the copy while QMS and LRS went on; the LMS sends everything again",
			Lasting: true, AtLeast: 2 * time.Second, Times: 1, Alone: true},
		{Name: "journal-restored-hour", Does: "the same, and from then on starter's and worker's clocks say that the copy is an hour old",
			Lasting: true, AtLeast: 2 * time.Second, Times: 1, Alone: true, Clock: OurClock},
	}
}

// clocks are those of starter and worker, of Temporal and of PostgreSQL; how long something takes they measure as before, as a machine does whose clock is set.
func clocks() []Fault {
	return []Fault{
		{Name: "clock-ahead", Does: "the clocks of starter and worker an hour ahead for a while", Lasting: true, AtLeast: 3 * time.Second, Times: 1, Alone: true, Clock: OurClock},
		{Name: "clock-behind", Does: "the clocks of starter and worker an hour behind for a while", Lasting: true, AtLeast: 3 * time.Second, Times: 1, Alone: true, Clock: OurClock},
		{Name: "temporal-clock-behind", Does: "Temporal's clock an hour behind for a while", Lasting: true, AtLeast: 3 * time.Second, Times: 1, Alone: true, Clock: TemporalClock},
		{Name: "temporal-clock-ahead", Does: "Temporal's clock an hour ahead, to the end: were it put right, each timer set meanwhile would ring an hour later",
			Times: 1, Alone: true, Clock: TemporalClock},
		{Name: "pg-clock-ahead", Does: "PostgreSQL's clock an hour ahead for a while (needs libfaketime)", Database: Postgres, Lasting: true, AtLeast: 3 * time.Second, Times: 1, Alone: true, Clock: PostgresClock},
		{Name: "pg-clock-behind", Does: "PostgreSQL's clock an hour behind for a while (needs libfaketime)", Database: Postgres, Lasting: true, AtLeast: 3 * time.Second, Times: 1, Alone: true, Clock: PostgresClock},
	}
}

// How long a network is bad. A silent one is to outlast the 10 s that callers wait for an answer.
const (
	short   = 2 * time.Second
	silence = 12 * time.Second
)

func networks() []Fault {
	var all []Fault
	for _, to := range []string{"temporal", "postgres", "qms", "lrs"} {
		database := Database("")
		if to == "postgres" {
			database = Postgres
		}
		for _, kind := range []struct {
			name, does string
			atLeast    time.Duration
		}{
			{"cut", "connections to %s cut and refused", short},
			{"half-open", "connections to %s open, requests arrive, answers do not, longer than a sender waits", silence},
			{"unreachable", "connections to %s open, requests do not arrive, longer than a sender waits", silence},
			{"slow", "answers of %s 300 ms late, give or take 200", short},
		} {
			all = append(all, Fault{
				Name: kind.name + "-" + to, Does: fmt.Sprintf(kind.does, to),
				Database: database, Lasting: true, AtLeast: kind.atLeast, Times: 1,
			})
		}
	}
	return all
}

func qms() []Fault {
	return []Fault{
		{Name: "qms-silent", Does: "the QMS answers 3 writes with 200 and changes nothing"},
		{Name: "qms-commit-500", Does: "the QMS carries 3 writes out and answers 500"},
		{Name: "qms-commit-reset", Does: "the QMS carries 3 writes out and closes the connection"},
		{Name: "qms-reset", Does: "the QMS closes the connection of 3 writes and does nothing"},
		{Name: "qms-late", Does: "the QMS answers 3 writes with 200 and carries them out 5 s, 15 s and 120 s later, at the latest when all has come to rest"},
		{Name: "qms-late-lost", Does: "the QMS answers 3 writes not at all and carries them out 5 s, 15 s and 120 s later, at the latest when all has come to rest"},
		{Name: "qms-429", Does: "the QMS answers 5 requests with 429"},
		{Name: "qms-429-retry-after", Does: "the QMS answers 5 requests with 429 and Retry-After: 1"},
		{Name: "qms-token-expired", Does: "every token of the QMS expires"},
		{Name: "qms-token-revoked", Does: "every token of the QMS is forgotten"},
		{Name: "qms-huge", Does: "the QMS answers 2 writes and 2 reads with 64 MiB", Times: 1},
		{Name: "qms-truncated", Does: "the QMS breaks its answers to 3 writes and 3 reads off"},
		{Name: "qms-malformed", Does: "the QMS answers 3 writes and 3 reads with something that is no JSON"},
		{Name: "qms-down", Does: "the QMS answers 503 to everything for a while", Lasting: true, AtLeast: 5 * time.Second, Times: 1},
		{Name: "qms-clock-ahead", Does: "the QMS's clock is an hour ahead for a while", Lasting: true, AtLeast: time.Second, Times: 1},
		{Name: "qms-clock-behind", Does: "the QMS's clock is an hour behind for a while", Lasting: true, AtLeast: time.Second, Times: 1},
	}
}

func lrs() []Fault {
	return []Fault{
		{Name: "lrs-down", Does: "the LRS answers 503 to everything for a while", Lasting: true, AtLeast: 5 * time.Second, Times: 1},
		{Name: "lrs-commit-500", Does: "the LRS stores 3 statements and answers 500"},
		{Name: "lrs-409-same", Does: "the LRS stores 3 statements, closes the connection, and answers 409 when they come again"},
		{Name: "lrs-409-different", Does: "the LRS holds another statement under the ids of 3 completions from the beginning", Times: 1, Alone: true},
	}
}

func senders() []Fault {
	return []Fault{
		{Name: "herd", Does: "one completion in 1,000 parallel deliveries over 64 connections", Times: 1, Alone: true},
	}
}
