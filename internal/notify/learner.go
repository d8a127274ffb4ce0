package notify

import (
	"cmp"
	"strings"
)

// Personal is what notices may say of learners: the tenant's policy (law 7).
type Personal string

const (
	// PersonalIDs shows the learner's id; the default.
	PersonalIDs Personal = "ids"
	// PersonalNames shows name and id.
	PersonalNames Personal = "names"
	// PersonalNone shows nothing of a learner: record and completion lead to who it is.
	PersonalNone Personal = "none"
)

// Learner is who a completion is about, as far as a notice may need it.
type Learner struct {
	// ID is what the tenant's people look a learner up by, e.g. the employee id.
	ID   string
	Name string
}

// shown is what the policy leaves of a learner. An id that is an e-mail address is as good as
// the name and counts as one. What is no known policy shows nothing.
func (p Personal) shown(l Learner) Learner {
	switch cmp.Or(p, PersonalIDs) {
	case PersonalNames:
		return Learner{ID: oneLine(l.ID), Name: oneLine(l.Name)}
	case PersonalIDs:
		if !strings.Contains(l.ID, "@") {
			return Learner{ID: oneLine(l.ID)}
		}
	}
	return Learner{}
}

// words are "Jane Doe (E-0042)", or what there is of it.
func (l Learner) words() string {
	if l.Name != "" && l.ID != "" {
		return l.Name + " (" + l.ID + ")"
	}
	return cmp.Or(l.Name, l.ID)
}
