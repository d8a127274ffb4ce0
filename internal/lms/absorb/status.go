package absorb

import (
	"errors"
	"strings"

	"countersign/internal/lms/strictjson"
)

// status is an enrollment's status in Absorb, the digits as sent; "" where there is none.
type status string

// The two that end an enrollment.
const (
	complete status = "3"
	failed   status = "5"
)

// unfinished explains the other numbers of the documented range, 0 to 12.
func unfinished(s status) (name string, known bool) {
	name, known = map[status]string{
		"0": "not started", "1": "in progress", "2": "pending approval", "4": "not complete", "6": "declined",
		"7": "pending evaluation required", "8": "on waitlist", "9": "absent", "10": "not applicable",
		"11": "pending proctor", "12": "ready for review",
	}[s]
	return name, known
}

// statusOf reads the status that decides whether the event is a completion, and says why it is
// none. A number nobody documented is a problem: it may be another way to finish.
func statusOf(e event, envelope *strictjson.Picker, name string) (status, string) {
	path := e.path("status")
	state := status(envelope.Text(path))
	if e.twice["status"] {
		envelope.Problem("payload.status", errors.New(twoSpellings))
	}
	switch says, known := unfinished(state); {
	case known:
		return state, "enrollment not finished: " + says
	case state == complete || state == failed:
		return state, ""
	case state != "":
		envelope.Problem(path, errors.New("want a status number from 0 to 12"))
	case mayBeCompletion(e, name):
		envelope.Problem(path, errors.New("is missing, and nothing else says that the event is about something else"))
	}
	return state, "not about an enrollment"
}

// mayBeCompletion looks at an event without a status. Only the few that the vendor's page names, and that are about users,
// courses and departments, are ignored, and not with an enrollment in them. As the names on the wire are
// unknown, everything else is put up for review rather than dropped.
func mayBeCompletion(e event, name string) bool {
	_, enrollment := e.sent["enrollmentId"]
	_, date := e.sent["dateCompleted"]
	return enrollment || date || !isOther(name)
}

// isOther knows the display names of events that are no completions (support.absorblms.com, "Webhooks"), by
// their letters.
func isOther(name string) bool {
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	return letters == "usercreated" || letters == "onlinecourseactivated" || letters == "departmentcreated"
}
