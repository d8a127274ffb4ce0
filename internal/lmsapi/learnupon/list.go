package learnupon

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	courses = "/api/v1/courses"
	search  = "/api/v1/enrollments/search"
	listing = "list completions"
)

// A page of a listing ends after so many rows or calls, so that what it costs to begin it again is small.
const (
	pageRows  = 250
	pageCalls = 20
)

// everyVersion asks for courses that learners may still complete, or have completed.
func everyVersion() url.Values {
	return url.Values{"include_all_versions": {"true"}, "include_licensed_courses": {"true"}}
}

// position is where a listing goes on: at a page of a course's enrollments. Courses are walked by their ids, which grow:
// one that is made meanwhile comes later.
type position struct{ course, page int }

func (p position) String() string { return fmt.Sprintf("%d.%d", p.course, p.page) }

func parsePosition(cursor string) (position, error) {
	if cursor == "" {
		return position{page: 1}, nil
	}
	course, page, _ := strings.Cut(cursor, ".")
	c, courseErr := strconv.Atoi(course)
	p, pageErr := strconv.Atoi(page)
	if cmp.Or(courseErr, pageErr) != nil || c < 1 || p < 1 {
		return position{}, training.Fail(training.FailureDefect, listing, "", "cursor is not one of ours")
	}
	return position{c, p}, nil
}

// Completions implements lmsapi.Lister. A page may end early, where the budget or the portal does after some of it was
// read. While people are enrolled between two pages of a course, a row may move from one to the
// other: the next listing finds it.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	from, err := parsePosition(cursor)
	if err != nil {
		return lmsapi.Page{}, err
	}
	ids, err := c.courseIDs(ctx)
	if err != nil {
		return lmsapi.Page{}, err
	}
	var page lmsapi.Page
	read := 0
	for calls := 0; ; calls++ {
		i, exact := slices.BinarySearch(ids, from.course)
		if i == len(ids) {
			return page, nil
		}
		if !exact {
			from = position{ids[i], 1}
		}
		if calls == pageCalls || read >= pageRows {
			break
		}
		found, more, err := c.enrollments(ctx, from)
		if err != nil && (calls == 0 || ctx.Err() != nil) {
			return lmsapi.Page{}, err
		}
		if err != nil { // what was read counts, and the next call meets the trouble
			break
		}
		for _, e := range found {
			collect(&page, w, e)
		}
		read += len(found)
		if from.page++; !more {
			from = position{from.course + 1, 1}
		}
	}
	page.Next = from.String()
	return page, nil
}

// collect adds what the enrollment is to the page.
func collect(page *lmsapi.Page, w lmsapi.Window, e enrollment) {
	if !e.finished() {
		return
	}
	completion, err := e.completion()
	switch {
	case err != nil:
		page.Unreadable = append(page.Unreadable, err.Error())
	case w.Holds(completion.CompletedAt):
		page.Completions = append(page.Completions, completion)
	}
}

// enrollments is one page of a course's enrollments.
func (c *Client) enrollments(ctx context.Context, p position) (found []enrollment, more bool, err error) {
	var answer struct {
		Enrollments *rows[enrollment] `json:"enrollments"`
	}
	query := url.Values{"course_id": {strconv.Itoa(p.course)}, "page": {strconv.Itoa(p.page)}}
	header, err := c.api.Do(ctx, rest.Call{Operation: listing, Path: search, Query: query}, &answer)
	switch {
	case rest.NotFound(err): // the course went away meanwhile
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case answer.Enrollments == nil: // nothing would look like a course without completions
		return nil, false, training.Fail(training.FailureMisread, listing, search, "answer holds no enrollments")
	}
	return *answer.Enrollments, hasNext(header) && len(*answer.Enrollments) > 0, nil
}

// mostPages bounds a walk over courses: 500 of them stand on a page.
const mostPages = 400

// courseIDs are the ids of all courses, in order.
func (c *Client) courseIDs(ctx context.Context) ([]int, error) {
	var ids []int
	for page := 1; page <= mostPages; page++ {
		var answer struct {
			Courses *rows[struct {
				ID rest.Text `json:"id"`
			}] `json:"courses"`
		}
		query := everyVersion()
		query.Set("page", strconv.Itoa(page))
		header, err := c.api.Do(ctx, rest.Call{Operation: listing, Path: courses, Query: query}, &answer)
		if err == nil && answer.Courses == nil {
			err = training.Fail(training.FailureMisread, listing, courses, "answer holds no courses")
		}
		if err != nil {
			return nil, err
		}
		for _, course := range *answer.Courses {
			number, err := strconv.Atoi(string(course.ID))
			if err != nil || number < 1 {
				return nil, training.Fail(training.FailureMisread, listing, courses, "id is not a number")
			}
			ids = append(ids, number)
		}
		if !hasNext(header) || len(*answer.Courses) == 0 {
			slices.Sort(ids)
			return slices.Compact(ids), nil
		}
	}
	return nil, training.Fail(training.FailureMisread, listing, courses, "the pages do not end")
}

func hasNext(header http.Header) bool {
	return strings.EqualFold(header.Get("LU-Has-Next-Page"), "true")
}
