package activities

import (
	"context"
	"slices"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/activity"
)

// mostAttempts bounds what is told of one step: a heartbeat and an error are small things.
const mostAttempts = 20

// attemptsBefore are the attempts of this activity that have failed, as the last one has left them in
// its heartbeat. One whose worker was killed is missing. Temporal itself keeps their number only.
func attemptsBefore(ctx context.Context) []training.Attempt {
	if !activity.HasHeartbeatDetails(ctx) {
		return nil
	}
	var earlier []training.Attempt
	if err := activity.GetHeartbeatDetails(ctx, &earlier); err != nil {
		return nil // a heartbeat of another version: nothing hangs on it
	}
	return earlier
}

// attemptsWith are the earlier attempts and the one that fails now; of very many, the last ones.
func attemptsWith(earlier []training.Attempt, failure *training.Failure) []training.Attempt {
	all := append(slices.Clip(earlier), training.Attempt{
		At: time.Now().UTC().Truncate(time.Second), Class: failure.Class, Detail: failure.Detail,
	})
	return all[max(0, len(all)-mostAttempts):]
}
