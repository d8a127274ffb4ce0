package canvas

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	coursesPath = "/api/v1/accounts/{}/courses"
	pageSize    = 100 // the most that Canvas gives
)

// Completions implements lmsapi.Lister: the progress of all students, course by course. There is no filter by date.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	at, err := rest.ParseWalk(cursor, rest.Walk{Page: 1, Inner: 1})
	if err != nil {
		return lmsapi.Page{}, err
	}
	courses, moreCourses, err := pieces[courseJSON](ctx, c, at.Page, rest.Call{
		Operation: "list courses", Path: coursesPath, Args: []string{c.account()}, Query: url.Values{"with_enrollments": {"true"}},
	})
	if err != nil {
		return lmsapi.Page{}, err
	}
	if at.Index >= len(courses) { // courses went in between, or Canvas leaves out what it may not show: there may be more pages
		return lmsapi.Page{Next: at.Next(false, len(courses), moreCourses, 1)}, nil
	}
	course := courses[at.Index]
	students, more, err := pieces[student](ctx, c, at.Inner, rest.Call{
		Operation: "list progress", Path: "/api/v1/courses/{}/bulk_user_progress", Args: []string{string(course.ID)},
	})
	if err != nil && !rest.BadRequest(err) && !rest.NotFound(err) { // a course without modules has no progress
		return lmsapi.Page{}, err
	}
	page := lmsapi.Page{Next: at.Next(more, len(courses), moreCourses, 1)}
	for _, s := range students {
		if s.Progress.CompletedAt == "" {
			continue
		}
		completion, err := completion(string(s.ID), course, s.Progress)
		switch {
		case err != nil:
			page.Unreadable = append(page.Unreadable, err.Error())
		case w.Holds(completion.CompletedAt):
			page.Completions = append(page.Completions, completion)
		}
	}
	return page, nil
}

// student is a student's progress in a course.
type student struct {
	ID       rest.Text `json:"id"`
	Progress progress  `json:"progress"`
}

// pieces reads the page of that number, from 1, of what call lists.
func pieces[T any](ctx context.Context, c *Client, number int, call rest.Call) ([]T, bool, error) {
	return rest.Pieces(max(number, 1)-1, pageSize, func(page, size int) (rows []T, more bool, err error) {
		one := call
		one.Query = url.Values{"per_page": {strconv.Itoa(size)}, "page": {strconv.Itoa(page + 1)}}
		maps.Copy(one.Query, call.Query)
		header, err := c.api.Do(ctx, one, &rows)
		return rows, hasNext(header), err
	})
}

func completion(user string, k courseJSON, p progress) (training.Completion, error) {
	at, precision, err := lms.ParseInstant(p.CompletedAt)
	if err != nil {
		return training.Completion{}, err
	}
	course := k.training()
	course.ID = string(k.ID)
	c := training.Completion{
		Platform: Platform, Learner: training.Learner{ID: user}, Course: course,
		CompletedAt: at, Precision: precision, CompletedAtSource: "progress.completed_at",
	}
	return c, c.Validate()
}

// hasNext reports whether a Link header names a next page (RFC 8288). Its address is not followed: it is another's word.
func hasNext(header http.Header) bool {
	return strings.Contains(strings.Join(header.Values("Link"), ","), `rel="next"`)
}
