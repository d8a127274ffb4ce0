package xapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/training"
)

// Standing is how a statement of ours stands in the LRS.
type Standing string

// The standings.
const (
	Held      Standing = "held"      // as it was sent
	Different Standing = "different" // another statement has its id
	Voided    Standing = "voided"    // somebody has taken it back (xAPI 1.0.3 Data, 2.3.2); its id is never used again
	Missing   Standing = "missing"   // nothing has its id, voided or not
)

// Shown is what an LRS shows under the id of a statement.
type Shown struct {
	Standing Standing
	// Part is the first part in which a different statement differs: actor, verb, object, result or timestamp.
	Part string
	// Through is up to when the LRS shows what it has taken (X-Experience-API-Consistent-Through), zero where it
	// does not say. What is missing and was taken later may only not be shown yet.
	Through time.Time
}

// ReadBack compares what the LRS shows under id with body, the bytes that were put there, as a 409 is settled: names and
// definitions do not count. It writes nothing, and makes two requests for what is voided or missing, else one.
//
// An answer that is no statement is FailureMisread. That a statement is missing means nothing where Readable fails:
// many a server that is no LRS answers 404.
func (c *Client) ReadBack(ctx context.Context, id string, body []byte) (Shown, error) {
	const operation = "read statement back"
	answer, err := c.do(ctx, operation, id, http.MethodGet, "/statements", url.Values{"statementId": {id}}, nil)
	if err != nil {
		return Shown{}, err
	}
	switch answer.status {
	case http.StatusOK:
	case http.StatusNotFound: // what is voided is not found by statementId (Communication, 2.1.3)
		return c.readVoided(ctx, id)
	default:
		return Shown{}, answer.failure(operation, id)
	}
	if answer.cut {
		return Shown{}, answer.tooLarge(operation, id)
	}
	difference, err := compare(body, answer.body)
	switch {
	case err != nil:
		return Shown{}, &training.Failure{Class: training.FailureMisread, Operation: operation, Key: id, Detail: err.Error(), Err: err}
	case difference != "":
		return Shown{Standing: Different, Part: difference}, nil
	}
	return Shown{Standing: Held}, nil
}

// readVoided tells a statement that somebody has voided from one that is not there.
func (c *Client) readVoided(ctx context.Context, id string) (Shown, error) {
	const operation = "read voided statement"
	answer, err := c.do(ctx, operation, id, http.MethodGet, "/statements", url.Values{"voidedStatementId": {id}}, nil)
	if err != nil {
		return Shown{}, err
	}
	switch answer.status {
	case http.StatusOK:
		return Shown{Standing: Voided}, nil
	case http.StatusNotFound:
		return Shown{Standing: Missing, Through: answer.through()}, nil
	}
	return Shown{}, answer.failure(operation, id)
}

// through reads X-Experience-API-Consistent-Through (xAPI 1.0.3 Communication, 2.1.3), zero where it is absent or senseless.
func (a answer) through() time.Time {
	at, err := time.Parse(time.RFC3339Nano, a.header.Get("X-Experience-API-Consistent-Through"))
	if err != nil {
		return time.Time{}
	}
	return at
}
