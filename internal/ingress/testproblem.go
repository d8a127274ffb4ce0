package ingress

import (
	"errors"

	"countersign/internal/lms"
	"countersign/internal/training"
)

// testProblem is a problem that a rehearsal shows: its class and the three sentences of
// training.Explanation. A failure of the QMS has its own class, what is found here one of the three below.
type testProblem struct {
	Class training.FailureClass `json:"class"`
	training.Explanation
	// Detail names fields and positions, or what the other side said; never values.
	Detail string `json:"detail,omitempty"`
	// Event and EventID or Fingerprint say whose problem it is, as far as that is known.
	Event       string               `json:"event,omitempty"`
	EventID     string               `json:"eventId,omitempty"`
	Fingerprint training.Fingerprint `json:"fingerprint,omitempty"`

	// transient problems are not the content's.
	transient bool
}

const (
	classUnreadable  training.FailureClass = "unreadable"  // the body as a whole
	classUnmapped    training.FailureClass = "unmapped"    // an event in it
	classUnavailable training.FailureClass = "unavailable" // a lookup did not answer in time
)

const (
	wouldReview   = "Nothing was written. A real delivery like this is stored, answered 200 and put up for review; no training record is changed."
	wouldComeBack = "Nothing was written. A real completion waits and is tried again."
)

// contentProblems are those of the delivery itself.
func contentProblems(result Result) []testProblem {
	problems := []testProblem{}
	if errors.Is(result.Err, lms.ErrUnreadable) {
		problems = append(problems, testProblem{Class: classUnreadable, Detail: result.Err.Error(), Explanation: training.Explanation{
			Happened: "The body is authentic, but it is not what this platform sends.", Means: wouldReview,
			Do: "Compare the body with the platform's page, at the place that the detail names.",
		}})
	} else if result.Err != nil {
		problems = append(problems, unmapped(lms.Problem{Reason: result.Err.Error()}))
	}
	for _, problem := range result.Problems {
		problems = append(problems, unmapped(problem))
	}
	if len(problems) == 0 && len(result.Completions) == 0 && len(result.Ignored) == 0 {
		problems = append(problems, unmapped(lms.Problem{Reason: result.Reason}))
	}
	return problems
}

func unmapped(problem lms.Problem) testProblem {
	return testProblem{
		Class: classUnmapped, Detail: problem.Reason, Event: problem.Event, EventID: problem.EventID,
		Explanation: training.Explanation{
			Happened: "The event reports a completion that cannot be processed as it stands.", Means: wouldReview,
			Do: "Send the field that the detail names, or mend the source's mapping; then test again.",
		},
	}
}

// lookupProblem is a failure in its own sentences, but for what it means where those speak of a write
// that may have happened.
func lookupProblem(c training.Completion, failure *training.Failure) testProblem {
	p := testProblem{
		Class: failure.Class, Explanation: failure.Class.Explain(), Detail: failure.Detail,
		Fingerprint: c.Fingerprint(), transient: failure.Class.Transient(),
	}
	if p.transient {
		p.Means = wouldComeBack
	}
	return p
}

func unanswered(c training.Completion) testProblem {
	return testProblem{
		Class: classUnavailable, Fingerprint: c.Fingerprint(), transient: true,
		Explanation: training.Explanation{
			Happened: "The employee or the training record could not be looked up within the time of a test.", Means: wouldComeBack,
			Do: "Ask the QMS administrator whether the QMS is up, and test again.",
		},
	}
}
