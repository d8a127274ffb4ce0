package docebo

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	enrollments = "/course/v1/courses/enrollments"
	pageSize    = 200 // the most that Docebo gives
)

// row is an enrollment as Docebo lists it. Its score is left out: the list does not say on which scale.
type row struct {
	UserID   rest.Text `json:"user_id"`
	Username string    `json:"username"`
	CourseID rest.Text `json:"course_id"`
	Code     rest.Text `json:"course_code"`
	Name     string    `json:"course_name"`
	Status   string    `json:"enrollment_status"`
	Date     string    `json:"enrollment_completion_date"`
}

// Completions implements lmsapi.Lister. A cursor is the number of the next page. While Docebo enrolls or
// unenrolls people between two pages, a row may move from one to the other: the next listing finds it.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	number, err := rest.PageNumber(cursor, 1)
	if err != nil {
		return lmsapi.Page{}, err
	}
	rows, more, err := rest.Pieces(number-1, pageSize, func(page, size int) ([]row, bool, error) { return c.rows(ctx, page, size) })
	if err != nil {
		return lmsapi.Page{}, err
	}
	var page lmsapi.Page
	for _, r := range rows {
		if r.Status != "completed" {
			continue
		}
		completion, err := r.completion()
		switch {
		case err != nil:
			page.Unreadable = append(page.Unreadable, err.Error())
		case w.Holds(completion.CompletedAt):
			page.Completions = append(page.Completions, completion)
		}
	}
	if more {
		page.Next = strconv.Itoa(number + 1)
	}
	return page, nil
}

// rows is the page of that number, from 0, of the completed enrollments.
func (c *Client) rows(ctx context.Context, page, size int) (rows []row, more bool, err error) {
	var answer struct {
		Data struct {
			Items   []row `json:"items"`
			HasMore bool  `json:"has_more_data"`
			More    bool  `json:"has_more"` // in older editions
		} `json:"data"`
	}
	_, err = c.api.Do(ctx, rest.Call{Operation: "list completions", Path: enrollments, Query: url.Values{
		"enrollment_status[]": {"completed"}, "page": {strconv.Itoa(page + 1)}, "page_size": {strconv.Itoa(size)},
	}}, &answer)
	return answer.Data.Items, (answer.Data.HasMore || answer.Data.More) && len(answer.Data.Items) > 0, err
}

func (r row) completion() (training.Completion, error) {
	at, err := instant(r.Date)
	if err != nil {
		return training.Completion{}, err
	}
	c := training.Completion{
		Platform: Platform, Learner: training.Learner{ID: string(r.UserID), Username: strings.TrimPrefix(r.Username, "/")},
		Course:      training.Course{ID: string(r.CourseID), Title: r.Name, Code: string(r.Code)},
		CompletedAt: at, Precision: training.PrecisionMillisecond, CompletedAtSource: "enrollment_completion_date",
	}
	return c, c.Validate()
}

// instant reads a date as the webhook's adapter does: without a zone, meant in UTC.
func instant(text string) (time.Time, error) {
	at, err := time.Parse(time.DateTime, text)
	if err != nil || strings.HasPrefix(text, "0000") {
		return time.Time{}, errors.New("enrollment_completion_date: want YYYY-MM-DD HH:MM:SS")
	}
	return at, nil
}
