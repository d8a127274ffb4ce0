package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"countersign/internal/training"
)

// awaitingPage is how many completions are read at once for one enrollment.
const awaitingPage = 1000

// AwaitingRecord lists the completions of this learner and course that are in review because the employee had no
// open training record, the oldest first.
func (j *Journal) AwaitingRecord(ctx context.Context, tenant, source string, l training.Learner, c training.Course) ([]training.Fingerprint, error) {
	var all []training.Fingerprint
	for after := (awaitingRow{receivedAt: -1}); ; {
		page, err := list(ctx, j, j.read, scanAwaiting, awaiting, string(training.FailureRecordMissing), tenant, source,
			after.receivedAt, after.receivedAt, string(after.fingerprint), awaitingPage)
		if err != nil {
			return nil, fmt.Errorf("list completions without a record: %w", err)
		}
		for _, row := range page {
			var completion training.Completion
			if err := json.Unmarshal([]byte(row.document), &completion); err != nil {
				return nil, fmt.Errorf("stored completion %s: %w", row.fingerprint, err)
			}
			if completion.Learner.Key() == l.Key() && completion.Course.Key() == c.Key() {
				all = append(all, row.fingerprint)
			}
		}
		if len(page) < awaitingPage {
			return all, nil
		}
		after = page[len(page)-1]
	}
}

// awaiting goes through what of a tenant is started in the order in which it came, which nothing changes meanwhile.
const awaiting = `SELECT fingerprint, received_at, completion FROM completions
	WHERE ` + started + ` AND state = 'IN_REVIEW' AND failure_class = ? AND tenant = ? AND source = ?
	AND (received_at > ? OR received_at = ? AND fingerprint > ?)
	ORDER BY received_at, fingerprint LIMIT ?`

type awaitingRow struct {
	fingerprint training.Fingerprint
	receivedAt  int64
	document    string
}

func scanAwaiting(row scanner) (awaitingRow, error) {
	var found awaitingRow
	err := row.Scan(&found.fingerprint, &found.receivedAt, &found.document)
	return found, err
}

// LinkedSince is the training record that an enrollment of this completion's learner and course was linked to since the
// completion came, the latest one; "" for none. Whatever was linked before, the completion's search has found, and the
// record that it is known to belong to is no news.
func (j *Journal) LinkedSince(ctx context.Context, tenant string, fp training.Fingerprint) (recordID string, err error) {
	stored, err := one(ctx, j, j.read, scanAwaiting,
		`SELECT fingerprint, received_at, completion FROM completions WHERE tenant = ? AND fingerprint = ?`, tenant, string(fp))
	if err != nil {
		return "", fmt.Errorf("find links of completion %s: %w", fp, err)
	}
	var c training.Completion
	if err := json.Unmarshal([]byte(stored.document), &c); err != nil {
		return "", fmt.Errorf("stored completion %s: %w", fp, err)
	}
	found, err := list(ctx, j, j.read, scanString, `SELECT record_id FROM links
		WHERE tenant = ? AND source = ? AND learner_key = ? AND course_key = ? AND updated_at >= ?
		AND record_id <> (SELECT known.record_id FROM completions known WHERE known.tenant = ? AND known.fingerprint = ?)
		ORDER BY updated_at DESC, record_id LIMIT 1`,
		tenant, c.Source, c.Learner.Key(), c.Course.Key(), stored.receivedAt, tenant, string(fp))
	if err != nil {
		return "", fmt.Errorf("find links of completion %s: %w", fp, err)
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}
