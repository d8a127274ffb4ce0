package notify

import (
	"fmt"
	"strings"
	"unicode"
)

// Subject is what an item is about.
type Subject string

const (
	// SubjectCompletion is the empty one: it is what almost all items are about.
	SubjectCompletion Subject = ""
	// SubjectEnrollment is an enrollment that has no training record; CourseLabel is its course.
	SubjectEnrollment Subject = "enrollment"
	// SubjectDelivery is a delivery that could not be understood; CourseLabel says which one it is.
	SubjectDelivery Subject = "delivery"
)

// subjects are all subjects in the order in which they are named.
func subjects() []Subject { return []Subject{SubjectCompletion, SubjectEnrollment, SubjectDelivery} }

// of is count of them in words.
func (s Subject) of(count int) string {
	one, many := "completion", "completions"
	switch s {
	case SubjectEnrollment:
		one, many = "enrollment", "enrollments"
	case SubjectDelivery:
		one, many = "delivery", "deliveries"
	}
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprint(count, " ", many)
}

// label is what a line says the item is of.
func (i Item) label() string {
	label := oneLine(i.CourseLabel)
	if i.Subject == SubjectEnrollment && label != "" {
		return "an enrollment in " + label
	}
	return label
}

// only is the subject of a message about one item: "A completion of GDPR-2026".
func (m message) only(item Item) string {
	label := item.label()
	switch {
	case item.Subject == SubjectCompletion:
		return "A completion" + m.onlyCourse()
	case label != "":
		first := []rune(label)[0]
		return string(unicode.ToUpper(first)) + strings.TrimPrefix(label, string(first))
	case item.Subject == SubjectEnrollment:
		return "An enrollment"
	}
	return "A " + string(item.Subject)
}

// named is the subject of a message about several: "12 completions and 3 enrollments".
func (m message) named(n Notice) string {
	counts := map[Subject]int{}
	for _, item := range n.Failures {
		counts[item.Subject] += item.count(n.Kind)
	}
	var all []string
	for _, s := range subjects() {
		if counts[s] > 0 {
			all = append(all, s.of(counts[s]))
		}
	}
	if last := len(all) - 1; last > 0 {
		return strings.Join(all[:last], ", ") + " and " + all[last]
	}
	return strings.Join(all, "")
}
