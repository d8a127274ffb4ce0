package lmsapi

import (
	"cmp"
	"slices"
)

// allLearners lists all learners by id.
func (l *LMS) allLearners() []Learner {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Learner, 0, len(l.learners))
	for _, learner := range l.learners {
		out = append(out, learner)
	}
	slices.SortFunc(out, func(a, b Learner) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return out
}
