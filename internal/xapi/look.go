package xapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"countersign/internal/training"
)

// Readable reads one statement at most: it proves that an LRS answers at this address, and version and credentials, as
// far as they are for reading, and writes nothing. What is read is thrown away.
func (c *Client) Readable(ctx context.Context) error {
	const operation = "read a statement"
	answer, err := c.do(ctx, operation, "", http.MethodGet, "/statements", url.Values{"limit": {"1"}}, nil)
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return answer.failure(operation, "")
	}
	if !listsStatements(answer.body) {
		return training.Fail(training.FailureMisread, operation, "", "200, and no list of statements")
	}
	return nil
}

// listsStatements reports whether a text is a StatementResult (xAPI 1.0.3 Data, 2.5), as far as its list begins: an LRS that
// cares for no limit sends more than is read.
func listsStatements(text []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return false
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return false
		}
		if name == "statements" {
			begin, err := decoder.Token()
			return err == nil && begin == json.Delim('[')
		}
		var other json.RawMessage
		if err := decoder.Decode(&other); err != nil {
			return false
		}
	}
	return false
}
