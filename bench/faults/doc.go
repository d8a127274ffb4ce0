// Command faults ill-treats a whole installation and counts what became of it:
//
//	go run ./bench/faults -plan random -seed 7 -database postgres
//
// It starts the real starter, worker, Temporal server and database as child processes, sends
// them deliveries like a badly behaved LMS (30 % duplicates, 5 % out of order, 1 % poison),
// lets the faults of a plan happen meanwhile, heals everything, has a person approve what waits
// for approval and say "retry" to what is in review, waits until nothing moves, and counts at
// the other side. One CSV line per run:
//
//	seed           what the traffic and the plan follow from
//	faults         the plan: fault@delivery, or fault@delivery-delivery for one that lasts
//	sent           requests that left the sender, repetitions included
//	acked          of them answered 2xx
//	indeterminate  of them without any answer: whether they were taken is unknown
//	keys           completions of which some delivery was acknowledged
//	completed      of the keys, COMPLETED in the journal
//	review         of the keys, before a person: poison, or a statement under another's id
//	rejected       requests answered 4xx; each of them was forged
//	lost           acknowledged, and not in the journal, or neither ended nor before a person, or
//	               before a person who was not told, or healthy and still not COMPLETED
//	doubled        two of anything for one completion, acknowledged or not: a second effective
//	               change of its record, a second statement, a second, different certificate, a
//	               second notice of one review
//	phantom        an effect that no sent completion accounts for (of a completion never sent, of
//	               poison, of a stranger, with other content), or one that came before its cause:
//	               a statement or a certificate before the record was read back as COMPLETED
//	silent         COMPLETED in the journal, and the record is not, or the stored read-back is
//	               missing or not what was sent, or certificate or statement is missing
//	p50 p99 p99.9  time from request to acknowledgement, in milliseconds
//	drain seconds  from the end of the faults until nothing moved any more
//
// lost, doubled, phantom and silent must be 0; otherwise, or when a process panicked, a point was not come to or a
// delivery that is not forged was rejected, the exit code is 1 and the command that replays the
// run is printed. What a plan kills, and when, follows from the seed and the number of the
// delivery; what the processes do meanwhile does not, so a replay is the same treatment and not
// the same history.
//
// The retries of 1, 5 and 15 minutes are shortened by tenant policy; nothing else is changed.
// The words are explained, the runs that were made listed and the faults that were not done
// named in docs/reliability.md.
package main
