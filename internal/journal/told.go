package journal

import (
	"context"
	"errors"
	"fmt"
)

// Told reports whether a notice went out over a channel of the tenant.
func (j *Journal) Told(ctx context.Context, tenant, notice, channel string) (bool, error) {
	_, err := one(ctx, j, j.read, func(row scanner) (int64, error) {
		var at int64
		err := row.Scan(&at)
		return at, err
	}, `SELECT told_at FROM notices_told WHERE tenant = ? AND notice = ? AND channel = ?`, tenant, notice, channel)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read notice %s: %w", notice, err)
	}
	return true, nil
}

// MarkTold remembers that a notice went out over a channel; twice is once.
func (j *Journal) MarkTold(ctx context.Context, tenant, notice, channel string) error {
	_, err := j.exec(ctx, `INSERT INTO notices_told (tenant, notice, channel, told_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, notice, channel) DO NOTHING`, tenant, notice, channel, micros(j.now()))
	if err != nil {
		return fmt.Errorf("mark notice %s told: %w", notice, err)
	}
	return nil
}
