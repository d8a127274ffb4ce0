package arena

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

const (
	pageSize = 100
	// smallestPage is the page after which no smaller one is asked for. It is larger than overlap.
	smallestPage = 25
	// mostPages ends a listing that never ends: no employee has 10,000 records of one training.
	mostPages = 100
)

// Employee checks that Arena knows the employee by exactly this id, with its case and leading
// zeros (R100, R114). Who is known is not asked for again for five minutes. The id is kept out of
// the failure.
func (c *Client) Employee(ctx context.Context, employeeID string) error {
	call := call{
		operation: "check employee", key: "/users/…", method: http.MethodGet,
		template: "/users/{employeeId}", path: "/users/" + url.PathEscape(employeeID),
	}
	if !outbound.Segment(employeeID) {
		return training.Fail(training.FailureEmployeeUnknown, call.operation, call.key, "not an employee id")
	}
	if c.employees.known(employeeID, c.now()) {
		return nil
	}
	var user struct {
		EmployeeID string `json:"employeeId"`
	}
	if err := c.do(ctx, call, &user); err != nil {
		return err
	}
	if user.EmployeeID != employeeID {
		return training.Fail(training.FailureEmployeeUnknown, call.operation, call.key, "the QMS spells this id differently")
	}
	c.employees.remember(employeeID, c.now())
	return nil
}

// Record reads one training record.
func (c *Client) Record(ctx context.Context, recordID string) (training.Record, error) {
	call := call{
		operation: "read record", key: recordID, method: http.MethodGet,
		template: "/training/records/{id}", path: "/training/records/" + url.PathEscape(recordID),
	}
	if !outbound.Segment(recordID) {
		return training.Record{}, training.Fail(training.FailureRecordMissing, call.operation, call.key, "not a record id")
	}
	var body wireRecord
	if err := c.do(ctx, call, &body); err != nil {
		return training.Record{}, err
	}
	record, err := body.record()
	if err != nil {
		return training.Record{}, training.Fail(training.FailureMisread, call.operation, call.key, err.Error())
	}
	if record.ID != recordID {
		return training.Record{}, training.Fail(training.FailureMisread, call.operation, call.key, "another record than asked for")
	}
	return record, nil
}

// list asks for a page of at most limit records; where it is larger than is read of an answer, for a smaller one from
// the same place.
func (c *Client) list(ctx context.Context, call call, limit int, out any) error {
	for {
		call.query.Set("limit", strconv.Itoa(limit))
		err := c.do(ctx, call, out)
		if !outbound.TooLarge(err) || limit <= smallestPage {
			return err
		}
		limit /= 4
	}
}

// Records lists the employee's records of a training, all pages. A record of somebody else in
// the answer is a misread and not a hit: it would be completed for the wrong person.
func (c *Client) Records(ctx context.Context, employeeID, trainingID string) ([]training.Record, error) {
	call := call{
		operation: "list records of training", key: trainingID, method: http.MethodGet,
		template: "/training/records", path: "/training/records",
	}
	misread := func(detail string) error {
		return training.Fail(training.FailureMisread, call.operation, call.key, detail)
	}
	if employeeID == "" || trainingID == "" { // an empty filter is no filter
		return nil, training.Fail(training.FailureDefect, call.operation, call.key, "employee and training are required")
	}
	var found []training.Record
	seen := map[string]bool{}
	for offset, page := 0, 0; page < mostPages; page++ {
		call.query = url.Values{
			"employeeId": {employeeID}, "trainingId": {trainingID},
			"offset": {strconv.Itoa(offset)},
		}
		var body struct {
			Count   *int         `json:"count"`
			Results []wireRecord `json:"results"`
		}
		if err := c.list(ctx, call, pageSize, &body); err != nil {
			return nil, err
		}
		if body.Count == nil {
			return nil, misread("list without a count")
		}
		for _, item := range body.Results {
			record, err := item.record()
			switch {
			case err != nil:
				return nil, misread(err.Error())
			case record.EmployeeID != employeeID || record.TrainingID != trainingID:
				return nil, misread("list holds records that were not asked for")
			case !seen[record.ID]:
				seen[record.ID] = true
				found = append(found, record)
			}
		}
		offset += len(body.Results)
		if offset < *body.Count && len(body.Results) > 0 {
			continue
		}
		if len(found) != *body.Count { // the list moved between two pages; one may be missing
			return nil, misread("list and its count disagree")
		}
		return found, nil
	}
	return nil, misread("list does not end")
}

// ExternalUpdatesAllowed reads Arena's switch "Allow external status updates" (R109).
func (c *Client) ExternalUpdatesAllowed(ctx context.Context) (bool, error) {
	call := call{
		operation: "read configuration", key: "/training/config", method: http.MethodGet,
		template: "/training/config", path: "/training/config",
	}
	var body struct {
		Allowed *bool `json:"allowExternalStatusUpdates"`
	}
	if err := c.do(ctx, call, &body); err != nil {
		return false, err
	}
	if body.Allowed == nil {
		return false, training.Fail(training.FailureMisread, call.operation, call.key, "allowExternalStatusUpdates is missing")
	}
	return *body.Allowed, nil
}
