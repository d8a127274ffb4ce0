package arena

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"countersign/internal/training"
)

// NeededScopes are the permissions without which no completion is carried to its end (R113).
func (c *Client) NeededScopes() []string {
	return []string{ScopeRecordsWrite, ScopeStatusUpdate, ScopeUserRead}
}

// GrantedScopes is what the present token may do. stated is false where the token's answer did not say it: then
// it is what was asked for (RFC 6749 §5.1), and only a call shows whether that is so (R118).
func (c *Client) GrantedScopes(ctx context.Context) (granted []string, stated bool, err error) {
	token, err := c.tokens.Get(ctx, nil)
	if err != nil {
		return nil, false, err
	}
	if token.Granted == nil {
		return slices.Clone(c.scopes), false, nil
	}
	return slices.Clone(token.Granted), true, nil
}

// Training asks for a training program by its id (contract §6). approval says whether its workflow has an
// approval step, nil where the answer does not.
func (c *Client) Training(ctx context.Context, trainingID string) (known bool, approval *bool, err error) {
	call := call{
		operation: "find training", key: trainingID, method: http.MethodGet,
		template: "/trainings", path: "/trainings", query: url.Values{"number": {trainingID}},
	}
	if trainingID == "" { // an empty filter is no filter
		return false, nil, training.Fail(training.FailureDefect, call.operation, call.key, "a training is required")
	}
	var body struct {
		Count   *int `json:"count"`
		Results []struct {
			ID               string `json:"id"`
			ApprovalRequired *bool  `json:"approvalRequired"`
		} `json:"results"`
	}
	if err := c.do(ctx, call, &body); err != nil {
		return false, nil, err
	}
	if body.Count == nil {
		return false, nil, training.Fail(training.FailureMisread, call.operation, call.key, "list without a count")
	}
	for _, found := range body.Results {
		if found.ID == trainingID {
			return true, found.ApprovalRequired, nil
		}
	}
	return false, nil, nil
}
