package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// systems are the names of the systems that a message is about, each once.
func (m *message) systems() []string {
	var names []string
	for _, g := range m.Groups {
		if name := cmp.Or(g.target, "another system"); g.system && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// aboutSystems puts the opening of a message into words that is about systems, and perhaps about completions
// besides: "Outage. Nothing is asked of the QMS; completions waiting: 12."
func (m *message) aboutSystems(kind Kind, tenant string, systems []string) {
	if len(m.Groups) > 1 {
		for i := range m.Groups {
			m.Groups[i].Heading = m.Groups[i].name(kind)
		}
	}
	of := strings.Join(systems, " and ")
	first, more := "Outage. Nothing is asked of "+of, "waiting"
	if kind == KindClear {
		verb := "is"
		if len(systems) > 1 {
			verb = "are"
		}
		first, more = "All clear. "+strings.ToUpper(of[:1])+of[1:]+" "+verb+" asked again", "going on"
	}
	m.Subject = tenant + ": " + first
	m.Opening = first
	var waiting int
	var others []group
	for _, g := range m.Groups {
		if g.system {
			waiting += g.count
		} else {
			others = append(others, g)
		}
	}
	if waiting > 0 {
		m.Opening += fmt.Sprintf("; completions %s: %d", more, waiting)
	}
	m.Opening += "."
	if len(others) > 0 {
		m.Opening += fmt.Sprintf(" Completions that no longer wait: %s.", named(others))
	}
}

// name is a group in a list and as its heading: "22 x unreachable (the QMS), 1240 wait in all".
func (g group) name(kind Kind) string {
	if g.system {
		return cmp.Or(g.target, "another system")
	}
	text := fmt.Sprintf("%d \u00d7 %s", g.count, words(g.class, kind))
	if g.target != "" {
		text += " (" + g.target + ")"
	}
	if g.waiting > g.count {
		text += fmt.Sprintf(", %d wait in all", g.waiting)
	}
	return text
}

// onlyCourse is " of GDPR-2026" for a message about one completion, "" where the course is not known.
func (m *message) onlyCourse() string {
	if len(m.Groups[0].Items) == 0 || m.Groups[0].Items[0].Course == "" {
		return ""
	}
	return " of " + m.Groups[0].Items[0].Course
}
