package ingress

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"countersign/internal/training"
)

// Lookup is what a rehearsal finds out about a completion beyond its delivery: whether the QMS knows
// the employee and an open training record (R186, R187). Whoever provides it writes nothing, keeps to the
// context's deadline and may be asked for several completions at once.
type Lookup struct {
	// Problems would put the completion up for review, or make it retry.
	Problems []*training.Failure
	// WouldDo says in sentences, in their order, what would be done.
	WouldDo []string
}

const (
	// mostLookups bounds what one rehearsal may ask the QMS, atOnce how much of it at the same time.
	mostLookups = 20
	atOnce      = 4
)

// findings are the lookups of all completions of a rehearsal.
type findings struct {
	problems []testProblem
	wouldDo  []string
}

// say adds a sentence about the n-th of several completions, counted from 0.
func (f *findings) say(n, several int, sentence string) {
	if several > 1 {
		sentence = fmt.Sprintf("Completion %d: %s", n+1, sentence)
	}
	f.wouldDo = append(f.wouldDo, sentence)
}

// lookUp looks up the first completions and is back in time, whatever the other side does: what has
// not answered by then is a problem of its own.
func (i *Ingress) lookUp(ctx context.Context, x *exchange, completions []training.Completion) (f findings) {
	if len(completions) == 0 {
		return f
	}
	if x.source.Unproven {
		f.wouldDo = append(f.wouldDo, "Employee and training record were not looked up: this source takes requests from anybody, so it is told nothing about the QMS.")
		return f
	}
	if i.lookup == nil {
		f.wouldDo = append(f.wouldDo, "Employee and training record were not looked up: no lookup is configured here.")
		return f
	}
	asked := completions[:min(len(completions), mostLookups)]
	ctx, cancel := context.WithTimeout(ctx, i.lookupTimeout)
	defer cancel()
	for n, found := range i.ask(ctx, x, asked) {
		if found == nil {
			f.problems = append(f.problems, unanswered(asked[n]))
			continue
		}
		for _, failure := range found.Problems {
			f.problems = append(f.problems, lookupProblem(asked[n], failure))
		}
		for _, sentence := range found.WouldDo {
			f.say(n, len(completions), sentence)
		}
	}
	if more := len(completions) - len(asked); more > 0 {
		f.wouldDo = append(f.wouldDo, fmt.Sprintf("%d more completions were read, and not looked up: a test looks up the first %d.", more, mostLookups))
	}
	return f
}

// ask returns what was found by the end of ctx, in the order of the completions; nil is no answer.
func (i *Ingress) ask(ctx context.Context, x *exchange, completions []training.Completion) []*Lookup {
	var mu sync.Mutex
	next, missing := 0, len(completions)
	found := make([]*Lookup, len(completions))
	finished := make(chan struct{})
	for range min(atOnce, len(completions)) {
		go func() {
			for ctx.Err() == nil {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if n >= len(completions) {
					return
				}
				one := i.askOne(ctx, x, completions[n])
				mu.Lock()
				found[n] = &one
				missing--
				last := missing == 0
				mu.Unlock()
				if last {
					close(finished)
				}
			}
		}()
	}
	select {
	case <-finished:
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	return append([]*Lookup{}, found...) // one that is late must not write into what is read
}

// askOne turns a panic into a failure: it happens on a goroutine of its own, where it would end the
// process.
func (i *Ingress) askOne(ctx context.Context, x *exchange, c training.Completion) (found Lookup) {
	defer func() {
		if cause := recover(); cause != nil {
			i.logPanic(ctx, x, cause, debug.Stack())
			found = Lookup{Problems: []*training.Failure{training.Fail(training.FailureDefect, "look up", "", "")}}
		}
	}()
	return i.lookup(ctx, c)
}
