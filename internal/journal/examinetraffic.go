package journal

import (
	"context"
	"fmt"
	"time"
)

// Traffic is what a source has sent lately.
type Traffic struct {
	Tenant, Source string
	// LastAt is when its latest delivery came.
	LastAt time.Time
	// Streak is how many of its latest deliveries were rejected in a row, connection tests left out: the sender sees
	// failures, and some senders give up after ten (R136). Reason is why the latest one was.
	Streak int
	Reason string
	// Unmapped is how many deliveries wait for a mapping that understands them.
	Unmapped int
}

// Traffic looks at the latest deliveries of all tenants, at most window of them; a source that has none among
// them is missing. partial says that there are older ones.
func (e *Examiner) Traffic(ctx context.Context, window int) (all []Traffic, partial bool, err error) {
	rows, err := e.journal.read.QueryContext(ctx, e.journal.dialect.rebind(
		`SELECT tenant, source, received_at, verdict, reason, replayed_as FROM deliveries ORDER BY id DESC LIMIT ?`), window+1)
	if err != nil {
		return nil, false, fmt.Errorf("look at deliveries: %w", err)
	}
	defer rows.Close()
	type counted struct {
		*Traffic
		broken bool // the streak
	}
	bySource := map[[2]string]*counted{}
	var order [][2]string
	for seen := 0; rows.Next(); seen++ {
		if seen == window {
			partial = true
			break
		}
		var (
			key                [2]string
			receivedAt         int64
			verdict            Verdict
			reason, replayedAs string
		)
		if err := rows.Scan(&key[0], &key[1], &receivedAt, &verdict, &reason, &replayedAs); err != nil {
			return nil, false, fmt.Errorf("look at deliveries: %w", err)
		}
		c, ok := bySource[key]
		if !ok {
			c = &counted{Traffic: &Traffic{Tenant: key[0], Source: key[1], LastAt: instant(receivedAt)}}
			bySource[key], order = c, append(order, key)
		}
		switch {
		case verdict == VerdictUnmapped && replayedAs == "":
			c.Unmapped++
			c.broken = true
		case verdict == VerdictRejected && !c.broken:
			if c.Streak++; c.Streak == 1 {
				c.Reason = reason
			}
		case verdict != VerdictRejected && verdict != VerdictTest:
			c.broken = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("look at deliveries: %w", err)
	}
	for _, key := range order {
		all = append(all, *bySource[key].Traffic)
	}
	return all, partial, nil
}
