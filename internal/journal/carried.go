package journal

import (
	"context"
	"fmt"
	"slices"
)

// carriedAtOnce is how many records one statement asks for: a page of a QMS's listing.
const carriedAtOnce = 400

// Carried tells which of the training records a completion that has not ended is being carried into: a started one,
// or one that was queued again after it was started. It costs one look through what is started, for all of the records
// together, and nothing of what is queued for the first time, of which there may be any number.
func (j *Journal) Carried(ctx context.Context, tenant string, recordIDs []string) (map[string]bool, error) {
	carried := map[string]bool{}
	for some := range slices.Chunk(recordIDs, carriedAtOnce) {
		// Filled up to a few lengths, because each is a statement of its own that a connection keeps.
		length := (len(some) + 99) / 100 * 100
		var args []any
		for range 2 {
			args = append(args, tenant)
			for i := range length {
				args = append(args, some[min(i, len(some)-1)])
			}
		}
		found, err := list(ctx, j, j.read, scanString, selectCarried(length), args...)
		if err != nil {
			return nil, fmt.Errorf("find which of %d records are under way: %w", len(some), err)
		}
		for _, id := range found {
			carried[id] = true
		}
	}
	return carried, nil
}

// selectCarried asks for n records in one statement: between two a completion might go from one state to the other.
// Of what is queued only that which has a record stands in the index that the second half names by its conditions.
func selectCarried(n int) string {
	records := ` AND tenant = ? AND record_id IN ` + tuples(1, n)
	return `SELECT record_id FROM completions WHERE ` + started + records + `
		UNION ALL SELECT record_id FROM completions WHERE ` + queued + ` AND record_id <> ''` + records
}
