package talentlms

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	listing    = "list completions"
	courseByID = "/api/v1/courses/id:{}"
)

// A page of a listing ends after so many rows or calls, so that what it costs to begin it again is small.
const (
	pageRows  = 250
	pageCalls = 20
)

// enrollee is a user in a course.
type enrollee struct {
	ID        rest.Text `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"completion_status"`
	Completed rest.Text `json:"completed_on_timestamp"`
}

// Completions implements lmsapi.Lister. A cursor is the id of the course to go on with; courses are walked by their ids,
// which grow, so that one that is made meanwhile comes later. A page may end early, where the budget or the portal does
// after some of it was read.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	from, err := rest.PageNumber(cursor, 1)
	if err != nil {
		return lmsapi.Page{}, err
	}
	ids, err := c.courseIDs(ctx)
	if err != nil {
		return lmsapi.Page{}, err
	}
	var page lmsapi.Page
	first, _ := slices.BinarySearch(ids, from)
	read := 0
	for calls, id := range ids[first:] {
		if calls == pageCalls || read >= pageRows {
			page.Next = strconv.Itoa(id)
			break
		}
		n, err := c.add(ctx, &page, w, id)
		if err != nil && (calls == 0 || ctx.Err() != nil) {
			return lmsapi.Page{}, err
		}
		if err != nil { // what was read counts, and the next call meets the trouble
			page.Next = strconv.Itoa(id)
			break
		}
		read += n
	}
	return page, nil
}

// add adds the course's completions to the page, and says how many users it has. A course with more users than an answer may
// be long is said to be unreadable, and does not hold up the others.
func (c *Client) add(ctx context.Context, page *lmsapi.Page, w lmsapi.Window, course int) (int, error) {
	var answer struct {
		Name  string      `json:"name"`
		Code  rest.Text   `json:"code"`
		Users *[]enrollee `json:"users"`
	}
	id := strconv.Itoa(course)
	_, err := c.api.Do(ctx, rest.Call{Operation: listing, Path: courseByID, Args: []string{id}, Whole: true}, &answer)
	switch {
	case rest.TooLarge(err):
		page.Unreadable = append(page.Unreadable, "users of course "+id+": "+err.Error())
		return 0, nil
	case absent(err): // the course went away meanwhile
		return 0, nil
	case err != nil:
		return 0, err
	case answer.Users == nil: // nothing would look like a course without completions
		return 0, training.Fail(training.FailureMisread, listing, courseByID, "answer holds no users")
	}
	for _, user := range *answer.Users {
		if !user.finished() {
			continue
		}
		completion, err := user.completion(training.Course{ID: id, Title: answer.Name, Code: string(answer.Code)})
		switch {
		case err != nil:
			page.Unreadable = append(page.Unreadable, err.Error())
		case w.Holds(completion.CompletedAt):
			page.Completions = append(page.Completions, completion)
		}
	}
	return len(*answer.Users), nil
}

// finished reports whether the row states a completion. A failed course is none, as with the webhook.
func (e enrollee) finished() bool {
	word := strings.ToLower(e.Status)
	return e.Completed != "" && e.Completed != "0" && e.Completed != "-" && word != "failed" && word != "not passed"
}

// completion reads the row as the timeline's record states it.
func (e enrollee) completion(course training.Course) (training.Completion, error) {
	if e.Status != "" && !strings.EqualFold(e.Status, "completed") { // whether a portal translates it is unknown
		return training.Completion{}, errors.New("completion_status: unknown word beside a date")
	}
	at, ok := epoch(string(e.Completed))
	if !ok {
		return training.Completion{}, errors.New("completed_on_timestamp: want whole seconds since 1970")
	}
	c := training.Completion{
		// The whole name stays in one piece, as in the timeline: where it parts is not ours to guess.
		Platform: Platform, Learner: training.Learner{ID: string(e.ID), FirstName: e.Name}, Course: course,
		CompletedAt: at, Precision: training.PrecisionMillisecond, CompletedAtSource: "completed_on_timestamp",
	}
	return c, c.Validate()
}
