package rest

import (
	"strconv"
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
