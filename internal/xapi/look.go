package xapi

import (
	"context"
	"net/http"
	"net/url"
)

// Readable reads one statement at most: it proves address, version and credentials, as far as they are for reading,
// and writes nothing. What is read is thrown away.
func (c *Client) Readable(ctx context.Context) error {
	const operation = "read a statement"
	answer, err := c.do(ctx, operation, "", http.MethodGet, "/statements", url.Values{"limit": {"1"}}, nil)
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return answer.failure(operation, "")
	}
	return nil
}
