package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"countersign/internal/training"
)

// needs is the verb of an opening.
func needs(kind Kind, count int) string {
	verb, what := "need", "a decision"
	switch {
	case kind == KindClear:
		verb, what = "no longer wait", ""
	case kind.approval():
		what = "an approval"
	case kind.signature():
		what = "the trainee's signature"
	}
	if count == 1 {
		verb += "s"
	}
	return strings.TrimSpace(verb + " " + what)
}

// lead puts before an opening what changes its meaning.
func lead(kind Kind, text string) string {
	switch kind {
	case KindClear:
		return "All clear. " + text
	case KindApprovalReminder, KindSignatureReminder, KindReviewReminder:
		return "Reminder. " + text
	case KindApprovalEscalation, KindSignatureEscalation:
		return "Escalation. " + text
	case KindOutage:
		return "Outage. " + text
	}
	return text
}

func ofCourses(count int) string {
	switch count {
	case 0:
		return ""
	case 1:
		return " of 1 course"
	}
	return fmt.Sprintf(" of %d courses", count)
}

// words is a class as people read it.
func words(class training.FailureClass, kind Kind) string {
	if class == "" && kind.approval() {
		return "approval"
	}
	if class == "" && kind.signature() {
		return "signature"
	}
	return strings.ReplaceAll(cmp.Or(string(class), string(training.FailureDefect)), "_", " ")
}

func explanation(kind Kind, item Item) training.Explanation {
	switch {
	case item.Explanation != training.Explanation{}:
		return item.Explanation
	case kind == KindClear:
		return training.Explanation{
			Happened: "What stood in the way is gone.",
			Means:    "What waited for it goes on by itself; a training record counts as COMPLETED only after it was read back.",
			Do:       "Nothing.",
		}
	case kind == KindOutage:
		return training.Explanation{
			Happened: "Another system is held: nothing is asked of it for now.",
			Means:    "Completions are received as ever and wait for it; none of them is lost.",
			Do:       "Ask its administrator whether it is up, or resume it if somebody has paused it.",
		}
	case kind.approval() && item.Class == "":
		return training.Explanation{
			Happened: "The learner finished the course, and its training requires an approval.",
			Means:    "The training record is PENDING_APPROVAL.",
			Do:       "Approve or reject it, with a reason.",
		}
	}
	return item.Class.Explain()
}

// text is a line without markup: "3 x GDPR-2026, learner E-0042, record TR-1, completion 9f86d081884c (503)".
func (l line) text() string {
	text := cmp.Or(l.Course, "a course")
	if l.Count > 1 {
		text = fmt.Sprintf("%d \u00d7 %s", l.Count, text)
	}
	for _, part := range []struct{ name, value string }{{"learner", l.Learner}, {"record", l.Record}, {"completion", l.Fingerprint}} {
		if part.value != "" {
			text += ", " + part.name + " " + part.value
		}
	}
	if l.Detail != "" {
		text += " (" + l.Detail + ")"
	}
	return text
}

// oneLine makes a text from outside safe to stand in a header and in a line of text: one line,
// no control or format characters (a bidi override would turn the rest of the line round), and
// not longer than 120 letters. Course titles are what an LMS sent.
func oneLine(text string) string { return clipped(text, 120) }

// clipped is oneLine of at most longest letters. It reads no further than that.
func clipped(text string, longest int) string {
	var letters []rune
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = len(letters) > 0
			continue
		case unicode.In(r, unicode.Cc, unicode.Cf):
			continue
		case space:
			letters, space = append(letters, ' '), false
		}
		if letters = append(letters, r); len(letters) > longest {
			return string(letters[:longest-1]) + "\u2026"
		}
	}
	return string(letters)
}

// webLink is a link that a person may be sent to, else "". 2,000 bytes are what every chat and browser takes.
func webLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || len(link) > 2000 || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return link
}
