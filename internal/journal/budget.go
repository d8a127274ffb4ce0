package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Spend takes up to n calls from a target's budget of limit calls in the period that began at period,
// and returns how many it got: 0 when the budget is spent. What is taken and not used is not given back.
func (j *Journal) Spend(ctx context.Context, tenant, target string, period time.Time, limit, n int) (granted int, err error) {
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		// A write first: on PostgreSQL it makes a second one wait, which then sees what this one took.
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO budgets (tenant, target, period, used) VALUES (?, ?, ?, 0)
			ON CONFLICT (tenant, target, period) DO UPDATE SET used = budgets.used`), tenant, target, micros(period))
		if err != nil {
			return err
		}
		used, err := one(ctx, j, tx, func(row scanner) (used int, err error) {
			err = row.Scan(&used)
			return used, err
		}, `SELECT used FROM budgets WHERE tenant = ? AND target = ? AND period = ?`, tenant, target, micros(period))
		if err != nil {
			return err
		}
		if granted = max(0, min(n, limit-used)); granted == 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, j.dialect.rebind(`UPDATE budgets SET used = used + ? WHERE tenant = ? AND target = ? AND period = ?`),
			granted, tenant, target, micros(period))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("spend budget of %s/%s: %w", tenant, target, err)
	}
	return granted, nil
}

// BudgetUse is how much of a budget is taken.
type BudgetUse struct {
	Tenant, Target string
	Period         time.Time
	Used           int
}

// BudgetUses lists the latest period of each target that has a budget of a day.
func (j *Journal) BudgetUses(ctx context.Context) ([]BudgetUse, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (BudgetUse, error) {
		var (
			u      BudgetUse
			period int64
		)
		err := row.Scan(&u.Tenant, &u.Target, &period, &u.Used)
		u.Period = instant(period)
		return u, err
	}, `SELECT tenant, target, period, used FROM budgets b
		WHERE period = (SELECT max(period) FROM budgets l WHERE l.tenant = b.tenant AND l.target = b.target) ORDER BY tenant, target`)
	if err != nil {
		return nil, fmt.Errorf("list budgets: %w", err)
	}
	return found, nil
}
