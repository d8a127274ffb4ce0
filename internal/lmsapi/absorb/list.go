package absorb

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	pageCourses     = 100
	pageEnrollments = 500
)

// Completions implements lmsapi.Lister. No call lists the enrollments of all courses, so each course is asked for those
// that were edited since the window began: a completion is an edit.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	at, err := rest.ParseWalk(cursor, rest.Walk{})
	if err != nil {
		return lmsapi.Page{}, err
	}
	courses, moreCourses, err := rest.Pieces(at.Page, pageCourses, func(page, size int) ([]course, bool, error) { return c.courses(ctx, page, size) })
	if err != nil || at.Index >= len(courses) {
		return lmsapi.Page{}, err
	}
	enrollments, more, err := rest.Pieces(at.Inner, pageEnrollments, func(page, size int) ([]enrollment, bool, error) {
		return c.enrollments(ctx, w, courses[at.Index].ID, page, size)
	})
	if err != nil && !rest.NotFound(err) { // a course that went in between has none
		return lmsapi.Page{}, err
	}
	page := lmsapi.Page{Next: at.Next(more, len(courses), moreCourses, 0)}
	for _, e := range enrollments {
		if e.Status != complete && e.Status != failed {
			continue
		}
		completion, err := e.completion()
		switch {
		case err != nil:
			page.Unreadable = append(page.Unreadable, err.Error())
		case w.Holds(completion.CompletedAt):
			page.Completions = append(page.Completions, completion)
		}
	}
	return page, nil
}

// courses is the page of that number, from 0. A page that is full is not taken for the last one.
func (c *Client) courses(ctx context.Context, page, size int) (found []course, more bool, err error) {
	var answer struct {
		Courses []course `json:"courses"`
	}
	err = c.get(ctx, "list courses", "/courses", nil, url.Values{
		"_limit": {strconv.Itoa(size)}, "_offset": {strconv.Itoa(page)}, "_sort": {"dateAdded"},
	}, &answer)
	return answer.Courses, len(answer.Courses) == size, err
}

// enrollments is the page of that number, from 0, of a course's enrollments that were edited since the window began.
func (c *Client) enrollments(ctx context.Context, w lmsapi.Window, course string, page, size int) (found []enrollment, more bool, err error) {
	var answer struct {
		Enrollments []enrollment `json:"enrollments"`
	}
	err = c.get(ctx, "list enrollments", "/courses/{}/enrollments", []string{course}, url.Values{
		"_limit": {strconv.Itoa(size)}, "_offset": {strconv.Itoa(page)}, "_sort": {"dateAdded"},
		"_filter": {"dateEdited ge datetime'" + w.From.UTC().Format(time.RFC3339) + "'"},
	}, &answer)
	return answer.Enrollments, len(answer.Enrollments) == size, err
}

func (e enrollment) completion() (training.Completion, error) {
	at, precision, err := lms.ParseInstant(e.Completed)
	if err != nil {
		return training.Completion{}, err
	}
	c := training.Completion{
		Platform: Platform, EnrollmentID: e.ID, Learner: training.Learner{ID: e.UserID}, Course: training.Course{ID: e.CourseID, Title: e.CourseName},
		CompletedAt: at, Precision: precision, CompletedAtSource: "dateCompleted", Score: e.score(),
	}
	return c, c.Validate()
}
