package lrs

import (
	"fmt"

	"countersign/internal/simulator/fault"
)

const kindStatement = "statement"

// Open is New with a state file: stored statements are there again after a restart. The file
// is made if it does not exist.
func Open(path string, options Options) (*LRS, error) {
	l := New(options)
	state, err := fault.OpenState(path, l.logger, l.load)
	if err != nil {
		return nil, fmt.Errorf("open lrs: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	l.rewrite()
	if err := state.Err(); err != nil {
		return nil, fmt.Errorf("open lrs: %w", err)
	}
	return l, nil
}

func (l *LRS) load(line fault.Line) error {
	if line.Kind != kindStatement {
		return fmt.Errorf("unknown kind %q", line.Kind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return fault.DecodeLine(line, l.put)
}

// rewrite writes the whole state; l.mu is held.
func (l *LRS) rewrite() {
	l.state.Rewrite(func(add func(kind string, value any)) {
		for _, id := range l.order {
			add(kindStatement, l.statements[id])
		}
	})
}
