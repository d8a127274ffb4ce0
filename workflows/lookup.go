package workflows

import (
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// budgetPatience is how long a completion waits for its turn at an LMS whose budget of calls is used up: a backlog of
// some thousand at 1,000 calls an hour is nobody's fault, and no question for a person.
const budgetPatience = 24 * time.Hour

// lookUp has the LMS asked for what the event lacks. A failure follows the schedule of every step; only a budget that
// is used up has the schedule begun anew.
func (c *completion) lookUp(ctx workflow.Context) (*training.Failure, error) {
	until := workflow.Now(ctx).Add(budgetPatience)
	for again := false; ; again = true {
		_, failure, err := readOnly[struct{}](ctx, c, lookUp, func(ref Ref) any {
			ref.Again = ref.Again || again
			return ref
		})
		limited := failure != nil && failure.Class == training.FailureLMSRateLimited
		if err != nil || !limited || !workflow.Now(ctx).Before(until) {
			return failure, err
		}
		gap := c.in.Policy.Retry.Maximum
		if err := c.showRetrying(ctx, failure, gap, c.in.Policy.Retry); err != nil {
			return nil, err
		}
		if err := c.together(ctx, newPause(ctx, gap, "the LMS's budget of calls is used up")); err != nil {
			return nil, err
		}
		c.showTried(ctx)
	}
}
