package journal

import (
	"context"
	"fmt"
)

// Unmapped lists deliveries of a tenant with verdict unmapped that no replay has understood yet, by
// their ids, which is the order in which they came, from the first one after the id after, without
// bodies. source "" means those of all its sources.
func (j *Journal) Unmapped(ctx context.Context, tenant, source, after string, limit int) ([]Delivery, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (Delivery, error) { return scanDelivery(row) },
		`SELECT `+deliveryColumns+` FROM deliveries
		WHERE verdict = 'unmapped' AND replayed_as = '' AND tenant = ? AND (? = '' OR source = ?) AND id > ?
		ORDER BY id LIMIT ?`, tenant, source, source, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list unmapped deliveries: %w", err)
	}
	return found, nil
}

// Replayed records as which delivery a delivery was read again; the first replay stays (R142). The row
// itself keeps what it says: what came in, and what became of it then.
func (j *Journal) Replayed(ctx context.Context, tenant, id, as string) error {
	_, err := j.exec(ctx, `UPDATE deliveries SET replayed_as = ?
		WHERE id = ? AND tenant = ? AND replayed_as = ''`, as, id, tenant)
	if err != nil {
		return fmt.Errorf("mark delivery %s replayed: %w", id, err)
	}
	return nil
}
