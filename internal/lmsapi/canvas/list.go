package canvas

import (
	"context"
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
	var courses []courseJSON
	header, err := c.api.Do(ctx, rest.Call{Operation: "list courses", Path: coursesPath, Args: []string{c.account()}, Query: url.Values{
		"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(at.Page)}, "with_enrollments": {"true"},
	}}, &courses)
	if err != nil {
		return lmsapi.Page{}, err
	}
	if at.Index >= len(courses) { // courses went in between, or Canvas leaves out what it may not show: there may be more pages
		return lmsapi.Page{Next: at.Next(false, len(courses), hasNext(header), 1)}, nil
	}
	course := courses[at.Index]
	var students []struct {
		ID       rest.Text `json:"id"`
		Progress progress  `json:"progress"`
	}
	inner, err := c.api.Do(ctx, rest.Call{Operation: "list progress", Path: "/api/v1/courses/{}/bulk_user_progress", Args: []string{string(course.ID)},
		Query: url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(at.Inner)}}}, &students)
	if err != nil && !rest.BadRequest(err) && !rest.NotFound(err) { // a course without modules has no progress
		return lmsapi.Page{}, err
	}
	page := lmsapi.Page{Next: at.Next(hasNext(inner), len(courses), hasNext(header), 1)}
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
