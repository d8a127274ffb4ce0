package moodle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/lmsapi"
	"countersign/internal/training"
)

// pageLearners is how many learners of one course a page asks about, a call each.
const pageLearners = 25

// Completions implements lmsapi.Lister. Moodle filters by no date, so every enrolled learner of every course with
// completion is asked for: it is slow, and exact. Who is no longer enrolled is not found. A cursor is
// "course.offset".
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	from, offset, err := place(cursor)
	if err != nil {
		return lmsapi.Page{}, training.FailWith(training.FailureDefect, "list completions", "", err)
	}
	courses, err := c.courses(ctx)
	if err != nil {
		return lmsapi.Page{}, err
	}
	page := lmsapi.Page{Apart: true}
	at := slices.IndexFunc(courses, func(k numbered) bool { return k.number >= from })
	if at < 0 {
		return page, nil
	}
	if courses[at].number > from {
		offset = 0 // the course was deleted in between
	}
	more, err := c.learners(ctx, w, courses[at], offset, &page)
	switch {
	case err != nil:
		return lmsapi.Page{}, err
	case more:
		page.Next = fmt.Sprintf("%d.%d", courses[at].number, offset+pageLearners)
	case at+1 < len(courses):
		page.Next = fmt.Sprintf("%d.0", courses[at+1].number)
	}
	return page, nil
}

// numbered is a course with its id as the number that it is.
type numbered struct {
	course

	number int64
}

// courses are those with completion, by id.
func (c *Client) courses(ctx context.Context) ([]numbered, error) {
	var answer struct {
		Courses []course `json:"courses"`
	}
	if err := c.call(ctx, "list courses", coursesByField, nil, &answer); err != nil {
		return nil, err
	}
	var courses []numbered
	for _, k := range answer.Courses {
		if number, err := strconv.ParseInt(string(k.ID), 10, 64); err == nil && k.tracks() {
			courses = append(courses, numbered{k, number})
		}
	}
	slices.SortFunc(courses, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	return courses, nil
}

// learners adds the completions of one course's next learners.
func (c *Client) learners(ctx context.Context, w lmsapi.Window, k numbered, offset int, page *lmsapi.Page) (more bool, err error) {
	var users []user
	options := url.Values{
		"courseid":         {string(k.ID)},
		"options[0][name]": {"limitfrom"}, "options[0][value]": {strconv.Itoa(offset)},
		"options[1][name]": {"limitnumber"}, "options[1][value]": {strconv.Itoa(pageLearners)},
		"options[2][name]": {"userfields"}, "options[2][value]": {"id,username,firstname,lastname,email,idnumber"},
		"options[3][name]": {"sortby"}, "options[3][value]": {"id"},
	}
	if err := c.call(ctx, "list learners", enrolledUsers, options, &users); err != nil {
		if absent(err) {
			return false, nil
		}
		return false, err
	}
	for _, u := range users {
		s, err := c.state(ctx, string(k.ID), string(u.ID))
		if err != nil {
			return false, err
		}
		if !s.criteria {
			return false, nil // nobody can complete this course
		}
		if !s.completed || !s.at.IsZero() && !w.Holds(s.at) {
			continue
		}
		completion := training.Completion{
			Platform: Platform, Learner: u.learner(), Course: k.training(),
			CompletedAt: s.at, Precision: training.PrecisionMillisecond, CompletedAtSource: "completions[].timecompleted",
		}
		if err := completion.Validate(); err != nil {
			page.Unreadable = append(page.Unreadable, err.Error())
			continue
		}
		page.Completions = append(page.Completions, completion)
	}
	return len(users) == pageLearners, nil
}

// place reads a cursor.
func place(cursor string) (course int64, offset int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	first, second, ok := strings.Cut(cursor, ".")
	course, courseErr := strconv.ParseInt(first, 10, 64)
	offset, offsetErr := strconv.Atoi(second)
	if !ok || courseErr != nil || offsetErr != nil || course < 0 || offset < 0 {
		return 0, 0, errors.New("cursor is not one of ours")
	}
	return course, offset, nil
}

// isCode reports whether err is Moodle's refusal with this code.
func isCode(err error, code string) bool {
	got, ok := errors.AsType[refusedError](err)
	return ok && string(got) == code
}
