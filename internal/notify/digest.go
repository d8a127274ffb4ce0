package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"countersign/internal/training"
)

// listed is how many completions a digest lists per class; the console has the rest.
const listed = 20

// message is a notice in the form the templates print.
type message struct {
	Subject string
	Opening string
	Groups  []group
	Link    string
}

// group is what failed in one way.
type group struct {
	// Heading is "15 × unreachable", "" in a notice about one completion.
	Heading     string
	Explanation training.Explanation
	Items       []line
	// More counts the completions that are not listed.
	More int

	class training.FailureClass
	count int
	shown int
}

// line is one completion, as far as a person needs it to find the record.
type line struct {
	Course      string
	Record      string
	Fingerprint string
	Detail      string
	// Count is shown from 2 on.
	Count int
}

// compose puts a notice into words: the classes by number, then by name; the completions in the
// order in which they came.
func compose(n Notice) message {
	m := message{Link: n.Link}
	total := 0
	for _, item := range n.Failures {
		count := max(item.Count, 1)
		total += count
		at := slices.IndexFunc(m.Groups, func(g group) bool {
			return g.class == item.Class && g.Explanation == explanation(n.Kind, item)
		})
		if at < 0 {
			at = len(m.Groups)
			m.Groups = append(m.Groups, group{class: item.Class, Explanation: explanation(n.Kind, item)})
		}
		g := &m.Groups[at]
		g.count += count
		if len(g.Items) < listed {
			g.shown += count
			l := line{
				Course: oneLine(item.CourseLabel),
				Record: oneLine(item.RecordID),
				Detail: oneLine(item.Detail),
				Count:  count,
			}
			if count == 1 { // of several, one fingerprint would be misleading
				l.Fingerprint = item.Fingerprint.Short()
			}
			g.Items = append(g.Items, l)
		}
		g.More = g.count - g.shown
	}
	slices.SortStableFunc(m.Groups, func(a, b group) int {
		return cmp.Or(b.count-a.count, strings.Compare(string(a.class), string(b.class)))
	})

	tenant := cmp.Or(oneLine(n.TenantName), oneLine(n.Tenant))
	if total == 1 {
		m.Opening = fmt.Sprintf("A completion of %s %s.", cmp.Or(m.Groups[0].Items[0].Course, "a course"), needs(n.Kind, 1))
		m.Subject = tenant + ": " + strings.TrimSuffix(m.Opening, ".")
		return m
	}
	counts := make([]string, len(m.Groups))
	for i := range m.Groups {
		m.Groups[i].Heading = fmt.Sprintf("%d × %s", m.Groups[i].count, words(m.Groups[i].class, n.Kind))
		counts[i] = m.Groups[i].Heading
	}
	m.Subject = fmt.Sprintf("%s: %d completions %s", tenant, total, needs(n.Kind, total))
	m.Opening = fmt.Sprintf("%d completions %s: %s.", total, needs(n.Kind, total), strings.Join(counts, ", "))
	return m
}

func needs(kind Kind, count int) string {
	what := "a decision"
	if kind == KindApproval {
		what = "an approval"
	}
	if count == 1 {
		return "needs " + what
	}
	return "need " + what
}

// words is a class as people read it.
func words(class training.FailureClass, kind Kind) string {
	if class == "" && kind == KindApproval {
		return "approval"
	}
	return strings.ReplaceAll(cmp.Or(string(class), string(training.FailureDefect)), "_", " ")
}

func explanation(kind Kind, item Item) training.Explanation {
	switch {
	case item.Explanation != training.Explanation{}:
		return item.Explanation
	case kind == KindApproval && item.Class == "":
		return training.Explanation{
			Happened: "The learner finished the course, and its training requires an approval.",
			Means:    "The training record is PENDING_APPROVAL.",
			Do:       "Approve or reject it, with a reason.",
		}
	}
	return item.Class.Explain()
}

// oneLine makes a text from outside safe to stand in a header and in a line of text: one line,
// no control or format characters (a bidi override would turn the rest of the line round), and
// not longer than 120 letters. Course titles are what an LMS sent.
func oneLine(text string) string {
	const longest = 120
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, text)
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) > longest {
		return string(letters[:longest-1]) + "…"
	}
	return string(letters)
}
