package journal

import (
	"context"
	"time"
)

// claimLook is what a claim would find.
type claimLook struct {
	// inFlight is how many are STARTING or RUNNING, lapsed how many of them have a lease that is over.
	inFlight, lapsed int
	queued           bool
}

// look looks before a claim, which most of the time would find all slots taken or nothing queued: it is asked for after
// every commit, and must then cost neither the turn of those who write nor the lock of the claims. What changes between
// the look and the claim, the claim sees, but for a lease that lapses meanwhile: that one waits for the next.
func (j *Journal) look(ctx context.Context, lease time.Duration) (claimLook, error) {
	now := j.now()
	return one(ctx, j, j.read, func(row scanner) (l claimLook, err error) {
		err = row.Scan(&l.inFlight, &l.lapsed, &l.queued)
		return l, err
	}, lookQueued, micros(now), micros(now.Add(lease+ahead)))
}

// The least tenant is found at the end of the index; EXISTS would let PostgreSQL look through the table for the
// first one that is queued, past all that have ended.
const lookQueued = `SELECT count(*), count(CASE WHEN ` + lapsed + ` THEN 1 END),
		(SELECT min(tenant) FROM completions WHERE ` + queued + `) IS NOT NULL
	FROM completions WHERE ` + started + ` AND state IN ('STARTING', 'RUNNING')`
