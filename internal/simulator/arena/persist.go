package arena

import (
	"fmt"
	"maps"

	"countersign/internal/simulator/fault"
)

// The kinds of lines in the state file. Tokens, counters of raw calls and the log are not
// kept: after a restart of the QMS a client logs in again.
const (
	kindUser     = "user"
	kindTraining = "training"
	kindRecord   = "record"
	kindChange   = "change"
	kindMove     = "move"
	kindSwitches = "switches"
)

// moved is an effective change as one line of the state file, so that no crash can keep half.
type moved struct {
	Record Record `json:"record"`
	Change Change `json:"change"`
}

// Open is New with a state file: what the file holds is there again, and every change is in
// it before the change is answered. The file is made if it does not exist.
func Open(path string, options Options) (*Arena, error) {
	a := New(options)
	state, err := fault.OpenState(path, a.logger, a.load)
	if err != nil {
		return nil, fmt.Errorf("open arena: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state = state
	a.rewrite()
	if err := state.Err(); err != nil {
		return nil, fmt.Errorf("open arena: %w", err)
	}
	return a, nil
}

func (a *Arena) load(line fault.Line) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	remember := func(c Change) { a.changes[c.RecordID] = append(a.changes[c.RecordID], c) }
	switch line.Kind {
	case kindUser:
		return fault.DecodeLine(line, func(u User) { a.users[u.EmployeeID] = u })
	case kindTraining:
		return fault.DecodeLine(line, func(t Training) { a.trainings[t.ID] = t })
	case kindRecord:
		return fault.DecodeLine(line, a.put)
	case kindChange:
		return fault.DecodeLine(line, remember)
	case kindMove:
		return fault.DecodeLine(line, func(m moved) { a.put(m.Record); remember(m.Change) })
	case kindSwitches:
		return fault.DecodeLine(line, func(s Switches) { a.switches = s.normal() })
	}
	return fmt.Errorf("unknown kind %q", line.Kind)
}

// rewrite writes the whole state; a.mu is held.
func (a *Arena) rewrite() {
	a.state.Rewrite(func(add func(kind string, value any)) {
		for u := range maps.Values(a.users) {
			add(kindUser, u)
		}
		for t := range maps.Values(a.trainings) {
			add(kindTraining, t)
		}
		for _, id := range a.order {
			add(kindRecord, a.records[id])
			for _, c := range a.changes[id] {
				add(kindChange, c)
			}
		}
		add(kindSwitches, a.switches)
	})
}
