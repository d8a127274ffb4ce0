package arena

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"countersign/internal/qms"
	"countersign/internal/training"
)

var _ qms.Lister = (*Client)(nil)

const (
	// listed is the contract's longest page.
	listed = 400
	// overlap is by how much the next page begins before the end of the last one: Arena orders by the last
	// change, and each record that changes meanwhile moves those behind it forward.
	overlap = 20
)

// Completed lists the records that are COMPLETED since a time, oldest change first. The cursor is an offset.
func (c *Client) Completed(ctx context.Context, since time.Time, cursor string) ([]training.Record, string, error) {
	call := call{
		operation: "list completed records", key: "/training/records", method: http.MethodGet,
		template: "/training/records", path: "/training/records",
	}
	misread := func(detail string) error {
		return training.Fail(training.FailureMisread, call.operation, call.key, detail)
	}
	offset := 0
	if cursor != "" {
		var err error
		if offset, err = strconv.Atoi(cursor); err != nil || offset < 0 {
			return nil, "", training.Fail(training.FailureDefect, call.operation, call.key, "not a cursor")
		}
	}
	call.query = url.Values{
		"status": {string(training.RecordCompleted)}, "completedSince": {since.UTC().Format(time.RFC3339)},
		"offset": {strconv.Itoa(offset)},
	}
	var body struct {
		Count   *int         `json:"count"`
		Results []wireRecord `json:"results"`
	}
	if err := c.list(ctx, call, listed, &body); err != nil {
		return nil, "", err
	}
	if body.Count == nil {
		return nil, "", misread("list without a count")
	}
	var page []training.Record
	for _, item := range body.Results {
		record, err := item.record()
		if err != nil {
			return nil, "", misread(err.Error())
		}
		if record.Status == training.RecordCompleted && !record.CompletedAt.Before(since.Truncate(time.Second)) {
			page = append(page, record)
		}
	}
	end := offset + len(body.Results)
	if len(body.Results) <= overlap || end >= *body.Count {
		return page, "", nil
	}
	return page, strconv.Itoa(end - overlap), nil
}
