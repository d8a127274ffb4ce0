package rest

import (
	"fmt"
	"strconv"
	"strings"

	"countersign/internal/training"
)

// Walk is where a listing stands that goes through all courses, and in each through pages of its own. Its text
// is the cursor.
type Walk struct {
	// Page is the page of courses, Index the course on it.
	Page, Index int
	// Inner is the page within the course.
	Inner int
}

// ParseWalk reads a cursor; first is where a listing begins.
func ParseWalk(cursor string, first Walk) (Walk, error) {
	if cursor == "" {
		return first, nil
	}
	parts := strings.Split(cursor, ".")
	var numbers [3]int
	for i, part := range parts {
		number, err := strconv.Atoi(part)
		if err != nil || number < 0 || len(parts) != len(numbers) {
			return Walk{}, training.Fail(training.FailureDefect, "list completions", "", "cursor is not one of ours")
		}
		numbers[i] = number
	}
	return Walk{numbers[0], numbers[1], numbers[2]}, nil
}

// Next is the cursor of what follows, "" at the end: the next page of this course, else the next course of this page,
// else the next page of courses. first is where a course begins.
func (w Walk) Next(moreInner bool, courses int, moreCourses bool, first int) string {
	switch {
	case moreInner:
		w.Inner++
	case w.Index+1 < courses:
		w.Index, w.Inner = w.Index+1, first
	case moreCourses:
		w.Page, w.Index, w.Inner = w.Page+1, 0, first
	default:
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", w.Page, w.Index, w.Inner)
}
