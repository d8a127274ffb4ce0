package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"countersign/internal/training"
)

// awaitingAtMost bounds how many completions are looked at for one enrollment.
const awaitingAtMost = 5000

// AwaitingRecord lists the completions of this learner and course that are in review because the employee had no
// open training record, the oldest first.
func (j *Journal) AwaitingRecord(ctx context.Context, tenant, source string, l training.Learner, c training.Course) ([]training.Fingerprint, error) {
	type candidate struct {
		fingerprint training.Fingerprint
		document    string
	}
	candidates, err := list(ctx, j, j.read, func(row scanner) (candidate, error) {
		var found candidate
		err := row.Scan(&found.fingerprint, &found.document)
		return found, err
	}, `SELECT fingerprint, completion FROM completions
		WHERE `+started+` AND state = 'IN_REVIEW' AND failure_class = ? AND tenant = ? AND source = ?
		ORDER BY updated_at LIMIT ?`, string(training.FailureRecordMissing), tenant, source, awaitingAtMost)
	if err != nil {
		return nil, fmt.Errorf("list completions without a record: %w", err)
	}
	var all []training.Fingerprint
	for _, candidate := range candidates {
		var completion training.Completion
		if err := json.Unmarshal([]byte(candidate.document), &completion); err != nil {
			return nil, fmt.Errorf("stored completion %s: %w", candidate.fingerprint, err)
		}
		if completion.Learner.Key() == l.Key() && completion.Course.Key() == c.Key() {
			all = append(all, candidate.fingerprint)
		}
	}
	return all, nil
}
