package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"countersign/internal/training"
)

const (
	// listed is how many completions of a class stand in a mail, a webhook or the log; the
	// console has the rest.
	listed = 20
	// causes is how many classes the opening names; the rest is counted.
	causes = 4
)

// message is a notice in the form the channels print.
type message struct {
	Subject string
	Opening string
	Groups  []group
	Link    string
	// LinkText is what a reader does there.
	LinkText string

	total   int
	courses int
	// beyond counts the completions of groups that limit has taken out.
	beyond int
}

// group is what failed in one way.
type group struct {
	// Heading is "15 x unreachable", "" in a notice about one completion.
	Heading     string
	Explanation training.Explanation
	Items       []line
	// More counts the completions that are not listed.
	More int

	class   training.FailureClass
	target  string
	system  bool
	count   int
	waiting int
	shown   int
}

// line is one completion, as far as a person needs it to find the record.
type line struct {
	Course string
	// Learner is who, as far as the tenant's policy lets it be said.
	Learner     string
	Record      string
	Fingerprint string
	Detail      string
	// Count is shown from 2 on.
	Count int

	learner Learner
	full    training.Fingerprint
}

// compose puts a notice into words: the classes by number, then by name; the completions in the
// order in which they came, at most most (at least 1) of a class.
func compose(n Notice, most int) message {
	m := message{Link: webLink(n.Link), LinkText: "Decide here", courses: courses(n)}
	for _, item := range n.Failures {
		m.total += item.count(n.Kind)
		m.add(n, item, max(most, 1))
	}
	slices.SortStableFunc(m.Groups, func(a, b group) int {
		return cmp.Or(b.count-a.count, strings.Compare(string(a.class), string(b.class)))
	})
	if n.Kind == KindClear || n.Kind == KindOutage || n.Kind == KindReconciliation {
		m.LinkText = "Look here"
	}

	tenant := cmp.Or(oneLine(n.TenantName), oneLine(n.Tenant))
	if systems := m.systems(); len(systems) > 0 {
		m.aboutSystems(n.Kind, tenant, systems)
		return m
	}
	if n.Kind == KindReconciliation {
		return m.compared(tenant)
	}
	if m.total == 1 {
		what := fmt.Sprintf("%s %s.", m.only(n.Failures[0]), needs(n.Kind, 1))
		m.Opening = lead(n.Kind, what)
		m.Subject = tenant + ": " + strings.TrimSuffix(m.Opening, ".")
		return m
	}
	for i := range m.Groups {
		m.Groups[i].Heading = m.Groups[i].name(n.Kind)
	}
	what := m.named(n) + ofCourses(m.courses) + " " + needs(n.Kind, m.total)
	m.Subject = tenant + ": " + lead(n.Kind, what)
	m.Opening = lead(n.Kind, what) + ": " + named(m.Groups) + "."
	return m
}

// compared is the message of a reconciliation. What it found stands in its item, not in the subject.
func (m message) compared(tenant string) message {
	m.Opening = "The comparison of LMS, journal, QMS and LRS has found mismatches."
	if m.total > 1 {
		m.Opening = fmt.Sprintf("%d comparisons of LMS, journal, QMS and LRS have found mismatches.", m.total)
	}
	m.Subject = tenant + ": " + strings.TrimSuffix(m.Opening, ".")
	return m
}

// add puts an item into its group.
func (m *message) add(n Notice, item Item, most int) {
	told := explanation(n.Kind, item)
	target := oneLine(item.Target)
	at := slices.IndexFunc(m.Groups, func(g group) bool {
		return g.class == item.Class && g.target == target && g.Explanation == told
	})
	if at < 0 {
		at = len(m.Groups)
		m.Groups = append(m.Groups, group{class: item.Class, target: target, system: item.system(n.Kind), Explanation: told})
	}
	g := &m.Groups[at]
	count := item.count(n.Kind)
	g.count += count
	g.waiting = max(g.waiting, item.Waiting)
	nothing := item.Fingerprint == "" && item.CourseLabel == "" && item.RecordID == "" && item.Detail == ""
	if nothing && len(g.Items) == 0 { // a line that says nothing is none, and nothing is "more" than none
		g.shown += count
	} else if !nothing && len(g.Items) < most {
		g.shown += count
		l := line{Course: item.label(), Record: oneLine(item.RecordID), Detail: oneLine(item.Detail), Count: count}
		if count == 1 { // of several, one fingerprint or one learner would be misleading
			l.Fingerprint, l.full = item.Fingerprint.Short(), item.Fingerprint
			l.learner = n.Personal.shown(item.Learner)
			l.Learner = l.learner.words()
		}
		g.Items = append(g.Items, l)
	}
	g.More = g.count - g.shown
}

// courses counts what a notice's completions are of; 0 when it cannot be known.
func courses(n Notice) int {
	if n.Courses > 0 {
		return n.Courses
	}
	var labels []string
	for _, item := range n.Failures {
		label := oneLine(item.CourseLabel)
		if label == "" || item.Subject == SubjectDelivery {
			return 0
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return len(labels)
}

// named lists the causes: the first ones by name, the rest counted.
func named(groups []group) string {
	var list []string
	for _, g := range groups[:min(causes, len(groups))] {
		list = append(list, g.Heading)
	}
	if rest := counted(groups[min(causes, len(groups)):]); rest > 0 {
		list = append(list, fmt.Sprintf("%d for other causes", rest))
	}
	return strings.Join(list, ", ")
}

// limit keeps the first groups; the completions of the others are counted.
func (m *message) limit(groups int) {
	if len(m.Groups) > groups {
		m.beyond = counted(m.Groups[groups:])
		m.Groups = m.Groups[:groups]
	}
}

func counted(groups []group) int {
	sum := 0
	for _, g := range groups {
		sum += g.count
	}
	return sum
}
