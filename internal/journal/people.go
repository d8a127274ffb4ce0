package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

// arrivals is how far apart the arrival of a delivery and its commit can lie, on clocks of several starters:
// what came that long before the last completion that is indexed may have been committed since.
const arrivals = 2 * time.Minute

// IndexPeople makes the next limit completions of a tenant findable by FindOfPerson, from the first one behind
// after on; the zero Place begins where the index ends. more says that there may be others behind next. It
// is done by reconciliations, because nothing else needs it, and an acknowledgement must not wait for it.
func (j *Journal) IndexPeople(ctx context.Context, tenant string, after Place, limit int) (next Place, more bool, err error) {
	next, more, err = j.indexPeople(ctx, tenant, after, limit)
	if err != nil {
		return after, false, fmt.Errorf("index people of %s: %w", tenant, err)
	}
	return next, more, nil
}

func (j *Journal) indexPeople(ctx context.Context, tenant string, after Place, limit int) (Place, bool, error) {
	if after.ReceivedAt.IsZero() {
		until, err := one(ctx, j, j.read, func(row scanner) (until int64, err error) {
			err = row.Scan(&until)
			return until, err
		}, `SELECT coalesce(max(received_at), 0) FROM completion_people_until WHERE tenant = ?`, tenant)
		if err != nil {
			return after, false, err
		}
		after = Place{ReceivedAt: instant(until).Add(-arrivals)}
	}
	found, err := j.Received(ctx, tenant, time.Time{}, after, limit)
	if err != nil || len(found) == 0 {
		return after, false, err
	}
	last := found[len(found)-1]
	next := Place{last.ReceivedAt, last.Fingerprint}
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		for _, s := range found {
			if err := j.insertPeople(ctx, tx, tenant, s.Completion.Source, s.Fingerprint, s.Completion.Learner); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO completion_people_until (tenant, received_at) VALUES (?, ?)
			ON CONFLICT (tenant) DO UPDATE SET received_at = excluded.received_at
			WHERE completion_people_until.received_at < excluded.received_at`), tenant, micros(next.ReceivedAt))
		return err
	})
	return next, len(found) == limit, err
}

// IndexPerson makes a completion findable also by ids of its learner that its event lacked. Twice is once.
func (j *Journal) IndexPerson(ctx context.Context, tenant, source string, f training.Fingerprint, l training.Learner) error {
	if len(people(l)) == 0 {
		return nil
	}
	err := j.inTx(ctx, func(tx *sql.Tx) error { return j.insertPeople(ctx, tx, tenant, source, f, l) })
	if err != nil {
		return fmt.Errorf("index the person of %s: %w", f, err)
	}
	return nil
}

func (j *Journal) insertPeople(ctx context.Context, tx *sql.Tx, tenant, source string, f training.Fingerprint, l training.Learner) error {
	for _, person := range people(l) {
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO completion_people (tenant, source, person, fingerprint)
			VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`), tenant, source, person, string(f))
		if err != nil {
			return err
		}
	}
	return nil
}

// FindOfPerson lists completions of a source whose learner shares an id with l, as far as IndexPeople has come, by
// fingerprint, from the first one behind after on. Whether it is the same person the caller decides: two may share
// an address, and a whole shop floor may.
func (j *Journal) FindOfPerson(ctx context.Context, tenant, source string, l training.Learner, after training.Fingerprint, limit int) ([]Stored, error) {
	ids := people(l)
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{tenant, tenant, source, string(after)}
	for _, id := range ids {
		args = append(args, id)
	}
	found, err := list(ctx, j, j.read, scanStored, selectStored()+` WHERE tenant = ? AND fingerprint IN (
			SELECT p.fingerprint FROM completion_people p WHERE p.tenant = ? AND p.source = ? AND p.fingerprint > ? AND p.person IN `+tuples(1, len(ids))+`)
		ORDER BY fingerprint LIMIT ?`, append(args, max(limit, 0))...)
	if err != nil {
		return nil, fmt.Errorf("find completions of a person: %w", err)
	}
	return found, nil
}

// people are the hashes of every id that l has, so that the index itself names nobody.
func people(l training.Learner) []string {
	var all []string
	for _, id := range [][2]string{
		{"id", l.ID}, {"externalId", l.ExternalID}, {"username", l.Username}, {"email", strings.ToLower(l.Email)},
	} {
		if id[1] != "" {
			sum := sha256.Sum256([]byte(id[0] + "\x00" + id[1]))
			all = append(all, hex.EncodeToString(sum[:16]))
		}
	}
	return slices.Clip(all)
}
