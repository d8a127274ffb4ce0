package adobe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

const (
	listing     = "list completions"
	enrollments = api + "/users/{}/enrollments"
	// pageLimit is what every sample of the vendor's asks for.
	pageLimit = "10"
	// mostPages bounds the pages of one user's enrollments.
	mostPages = 500
)

// position is where a listing goes on: with the user number Skip, from 0, of the page of users that Query asks for.
type position struct {
	Query string `json:"q"`
	Skip  int    `json:"n,omitempty"`
}

func (p position) cursor() string {
	// Plain text and a number: this cannot fail.
	encoded, _ := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func parsePosition(cursor string) (position, url.Values, error) {
	if cursor == "" {
		query := url.Values{"page[limit]": {pageLimit}, "page[offset]": {"0"}, "sort": {"id"}}
		return position{Query: query.Encode()}, query, nil
	}
	var p position
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	query, queryErr := url.ParseQuery(p.Query)
	if err != nil || queryErr != nil || p.Skip < 0 || !query.Has("page[limit]") {
		return position{}, nil, training.Fail(training.FailureDefect, listing, "", "cursor is not one of ours")
	}
	return p, query, nil
}

// collection is a JSON:API document about a page of resources.
type collection struct {
	Data  *[]resource `json:"data"`
	Links struct {
		Next string `json:"next"`
	} `json:"links"`
}

// list reads a page, and the query of the next one, nil after the last.
func (c *Client) list(ctx context.Context, path string, args []string, query url.Values) ([]resource, url.Values, error) {
	var page collection
	_, err := c.api.Do(ctx, rest.Call{Operation: listing, Path: path, Args: args, Query: query}, &page)
	if err == nil && page.Data == nil { // nothing would look like an account without completions
		err = training.Fail(training.FailureMisread, listing, path, "answer holds no data")
	}
	if err != nil {
		return nil, nil, err
	}
	if page.Links.Next == "" || len(*page.Data) == 0 {
		return *page.Data, nil, nil
	}
	next, err := follow(page.Links.Next, query)
	if err != nil {
		return nil, nil, training.Fail(training.FailureMisread, listing, path, err.Error())
	}
	return *page.Data, next, nil
}

// follow keeps the query of a link and drops where it leads: a token goes to the configured host and to the same path
// only. One that leads to the page it stands on would be followed for ever.
func follow(link string, current url.Values) (url.Values, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("links.next is no link")
	}
	next, err := url.ParseQuery(u.RawQuery)
	if err != nil || !next.Has("page[limit]") || next.Encode() == current.Encode() {
		return nil, errors.New("links.next does not lead on")
	}
	return next, nil
}

// Completions implements lmsapi.Lister: one page of users, each with all enrollments. A page may end early, where the
// budget or Adobe does after some of it was read.
func (c *Client) Completions(ctx context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	from, query, err := parsePosition(cursor)
	if err != nil {
		return lmsapi.Page{}, err
	}
	people, next, err := c.list(ctx, users, nil, query)
	if err != nil {
		return lmsapi.Page{}, err
	}
	var page lmsapi.Page
	for i := from.Skip; i < len(people); i++ {
		found, err := c.ofUser(ctx, w, people[i].ID)
		if err != nil && (i == from.Skip || ctx.Err() != nil) {
			return lmsapi.Page{}, err
		}
		if err != nil { // who was read counts, and the next call meets the trouble
			page.Next = position{Query: from.Query, Skip: i}.cursor()
			return page, nil
		}
		page.Completions = append(page.Completions, found.Completions...)
		page.Unreadable = append(page.Unreadable, found.Unreadable...)
	}
	if next != nil {
		page.Next = position{Query: next.Encode()}.cursor()
	}
	return page, nil
}

// ofUser is a user's completions inside the window.
func (c *Client) ofUser(ctx context.Context, w lmsapi.Window, user string) (lmsapi.Page, error) {
	var page lmsapi.Page
	if !userID.MatchString(user) {
		page.Unreadable = append(page.Unreadable, "id of a user: want a number")
		return page, nil
	}
	query := url.Values{"page[limit]": {pageLimit}, "page[offset]": {"0"}}
	for range mostPages {
		found, next, err := c.list(ctx, enrollments, []string{user}, query)
		if err != nil {
			return lmsapi.Page{}, err
		}
		for _, r := range found {
			collect(&page, w, user, r)
		}
		if next == nil {
			return page, nil
		}
		query = next
	}
	return lmsapi.Page{}, training.Fail(training.FailureMisread, listing, enrollments, "the pages do not end")
}

// collect adds what the enrollment is to the page.
func collect(page *lmsapi.Page, w lmsapi.Window, user string, r resource) {
	at, precision, completed, err := r.completedAt()
	if !completed || (err == nil && !w.Holds(at)) {
		return
	}
	var completion training.Completion
	if err == nil {
		completion, err = r.completion(user, at, precision)
	}
	if err != nil {
		page.Unreadable = append(page.Unreadable, err.Error())
		return
	}
	page.Completions = append(page.Completions, completion)
}
