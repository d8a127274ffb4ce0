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
	var courses struct {
		Courses []course `json:"courses"`
	}
	err = c.get(ctx, "list courses", "/courses", nil, url.Values{
		"_limit": {strconv.Itoa(pageCourses)}, "_offset": {strconv.Itoa(at.Page)}, "_sort": {"dateAdded"},
	}, &courses)
	if err != nil || at.Index >= len(courses.Courses) {
		return lmsapi.Page{}, err
	}
	var answer struct {
		Enrollments []enrollment `json:"enrollments"`
	}
	err = c.get(ctx, "list enrollments", "/courses/{}/enrollments", []string{courses.Courses[at.Index].ID}, url.Values{
		"_limit": {strconv.Itoa(pageEnrollments)}, "_offset": {strconv.Itoa(at.Inner)}, "_sort": {"dateAdded"},
		"_filter": {"dateEdited ge datetime'" + w.From.UTC().Format(time.RFC3339) + "'"},
	}, &answer)
	if err != nil && !rest.NotFound(err) { // a course that went in between has none
		return lmsapi.Page{}, err
	}
	page := lmsapi.Page{Next: at.Next(len(answer.Enrollments) == pageEnrollments, len(courses.Courses), len(courses.Courses) == pageCourses, 0)}
	for _, e := range answer.Enrollments {
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
