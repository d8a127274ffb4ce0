package rest

import (
	"strconv"
	"strings"
	"time"

	"countersign/internal/training"
)

// Score is a score as the LMS states it; one that no store would take, such as 105 of 100 or "B+", is none: what an
// LMS shows beside the event is no reason to refuse the event.
func Score(raw, limit string) training.Score {
	s := training.Score{Raw: raw, Max: limit}
	probe := training.Completion{Learner: training.Learner{ID: "-"}, Course: training.Course{ID: "-"},
		CompletedAt: time.Unix(0, 0), Precision: training.PrecisionDay, Score: s}
	if probe.Validate() != nil {
		return training.Score{}
	}
	return s
}

// nearness is how far two statements of one completion may lie apart: one may be a day without a time, or a local one.
const nearness = 24 * time.Hour

// Near reports whether what the LMS shows as completed at that time may be the event's completion. A learner who
// finishes again a year later is shown with the later result.
func Near(shown, event time.Time) bool { return shown.Sub(event).Abs() <= nearness }

// About says that the answer must be about the id that was asked for. An LMS may read "12b" as 12, and a cache or a
// proxy may mix answers up; an answer that states no id is believed.
func About[T ~string](operation, path, asked string, answered T) error {
	if answered == "" || strings.EqualFold(string(answered), asked) {
		return nil
	}
	return training.Fail(training.FailureMisread, operation, path, "answer is about another id")
}

// PageNumber reads a cursor that is a page's number, of which the first is first.
func PageNumber(cursor string, first int) (int, error) {
	if cursor == "" {
		return first, nil
	}
	number, err := strconv.Atoi(cursor)
	if err != nil || number < first {
		return 0, training.Fail(training.FailureDefect, "list completions", "", "cursor is not one of ours")
	}
	return number, nil
}
