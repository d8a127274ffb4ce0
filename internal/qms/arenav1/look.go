package arenav1

import (
	"context"
)

// Training reports whether the workspace has the plan, and the item in it; what an approval would be it does
// not know.
func (c *Client) Training(ctx context.Context, trainingID string) (known bool, approval *bool, err error) {
	ref, _ := splitTraining(trainingID)
	v, err := c.look(ctx, ref, since{plan: c.now(), items: c.now()})
	if err == nil {
		_, err = v.required(trainingID)
	}
	if unmapped(err) {
		return false, nil, nil
	}
	return err == nil, nil, err
}
