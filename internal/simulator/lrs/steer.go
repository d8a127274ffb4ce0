package lrs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Lose removes a statement, as a store that was restored from an old backup has: nobody has voided it, and it is not there.
// lost is false where there is none.
func (l *LRS) Lose(id string) (lost bool) {
	id = strings.ToLower(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, lost = l.statements[id]; lost {
		delete(l.statements, id)
		l.order = slices.DeleteFunc(l.order, func(other string) bool { return other == id })
		l.rewrite()
	}
	return lost
}

// Replace puts other bytes in a statement's place, which no sender of xAPI can: somebody was at the store's database. They
// are served as they are, so long as they are a JSON object.
func (l *LRS) Replace(id string, raw []byte) error {
	if _, err := parseObject(raw); err != nil {
		return fmt.Errorf("replace statement %s: %w", id, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	was, ok := l.statements[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("replace statement %s: no such statement", id)
	}
	other := *was
	other.Raw = bytes.Clone(raw)
	l.keep(other)
	return nil
}
