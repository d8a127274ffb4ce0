package arenav1

import (
	"context"
	"net/url"
	"strconv"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

const (
	// pageSize is the most that Arena gives at once.
	pageSize = 400
	// smallestPage is the page after which no smaller one is asked for: each try is a request of the day's budget.
	smallestPage = 25
	// mostPages ends a listing that never ends: 40,000 entries, more than any plan has.
	mostPages = 100
)

// list reads every page; where one is larger than is read of an answer, smaller ones. key names an entry: a list that moves between two pages may show one twice. Whether
// "count" is that of the whole list or of the page is not known, so a page that is full is never the last
// one unless the count says so of the whole.
func list[T any](ctx context.Context, c *Client, call call, key func(T) string) ([]T, error) {
	misread := func(detail string) ([]T, error) {
		return nil, training.Fail(training.FailureMisread, call.operation, call.key, detail)
	}
	var all []T
	seen := map[string]bool{}
	asked := call.query
	paged := true // the counts can be those of pages
	limit := pageSize
	for offset, page := 0, 0; page < mostPages*(pageSize/limit); page++ {
		call.query = url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(limit)}}
		for name, values := range asked {
			call.query[name] = values
		}
		var body struct {
			Count   *int `json:"count"`
			Results []T  `json:"results"`
		}
		err := c.read(ctx, call, &body)
		if outbound.TooLarge(err) && limit > smallestPage {
			limit /= 4
			continue
		}
		if err != nil {
			return nil, err
		}
		if body.Count == nil {
			return misread("list without a count")
		}
		for _, entry := range body.Results {
			switch id := key(entry); {
			case id == "":
				return misread("list holds an entry without a guid")
			case !seen[id]:
				seen[id] = true
				all = append(all, entry)
			}
		}
		got := len(body.Results)
		offset += got
		paged = paged && *body.Count == got
		if got > 0 && (offset < *body.Count || paged && got >= limit) {
			continue
		}
		if total := *body.Count == len(all); !total && !(paged && offset == len(all)) { // it moved between two pages; one may be missing
			return misread("list and its count disagree")
		}
		return all, nil
	}
	return misread("list does not end")
}
