package journal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Effect is one of the things a completion has exactly once (law 2).
type Effect struct {
	Tenant      string
	Fingerprint training.Fingerprint
	Kind        training.EffectKind
	// ID is the certificate's number, the statement's id or the record's id.
	ID          string
	ContentType string
	Bytes       []byte
	// SHA256 of Bytes, 64 hexadecimal digits; the journal computes it.
	SHA256    string
	CreatedAt time.Time
	// DeliveredAt is zero until MarkDelivered.
	DeliveredAt time.Time
}

// PutEffect stores e unless the completion has an effect of this kind already, and returns the one
// that is stored: the first wins for ever (R92), so what is handed out is always what was
// returned here. A zero CreatedAt means now. ErrNotFound if the tenant has no such completion;
// ErrConflict if the read-back of a training record already proves another completion.
func (j *Journal) PutEffect(ctx context.Context, e Effect) (Effect, error) {
	stored, err := j.putEffect(ctx, e)
	if err != nil {
		return Effect{}, fmt.Errorf("put effect %s of %s: %w", e.Kind, e.Fingerprint, err)
	}
	return stored, nil
}

func (j *Journal) putEffect(ctx context.Context, e Effect) (stored Effect, err error) {
	if err := checkText(string(e.Kind), e.ID, e.ContentType); err != nil {
		return Effect{}, err
	}
	if e.Bytes == nil {
		e.Bytes = []byte{} // nil would be NULL
	}
	if e.CreatedAt.IsZero() {
		e.CreatedAt = j.now()
	}
	digest := sha256.Sum256(e.Bytes)
	e.SHA256 = hex.EncodeToString(digest[:])
	e.CreatedAt, e.DeliveredAt = kept(e.CreatedAt), kept(e.DeliveredAt)
	inserted, err := j.exec(ctx,
		`INSERT INTO effects (tenant, fingerprint, kind, id, content_type, bytes, sha256, created_at, delivered_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.Tenant, string(e.Fingerprint), string(e.Kind), e.ID, e.ContentType, e.Bytes,
		e.SHA256, micros(e.CreatedAt), nullable(e.DeliveredAt))
	switch {
	case err != nil && j.dialect.missesReference(err):
		return Effect{}, ErrNotFound
	case err != nil:
		return Effect{}, err
	case inserted > 0:
		return e, nil
	}
	stored, err = j.effect(ctx, j.read, e.Tenant, e.Fingerprint, e.Kind)
	if errors.Is(err, ErrNotFound) {
		// Another row stood in its way, and nobody has asked yet whether there is such a completion.
		return Effect{}, cmp.Or(j.exists(ctx, j.read, key{e.Tenant, e.Fingerprint}), ErrConflict)
	}
	return stored, err
}

// kept is t as the journal keeps it.
func kept(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return instant(micros(t))
}

// Effect reads an effect; ErrNotFound if there is none yet.
func (j *Journal) Effect(ctx context.Context, tenant string, fp training.Fingerprint, kind training.EffectKind) (Effect, error) {
	e, err := j.effect(ctx, j.read, tenant, fp, kind)
	if err != nil {
		return Effect{}, fmt.Errorf("read effect %s of %s: %w", kind, fp, err)
	}
	return e, nil
}

func (j *Journal) effect(ctx context.Context, from querier, tenant string, fp training.Fingerprint, kind training.EffectKind) (Effect, error) {
	return one(ctx, j, from, func(row scanner) (Effect, error) {
		var (
			e           Effect
			createdAt   int64
			deliveredAt sql.NullInt64
		)
		err := row.Scan(&e.Tenant, &e.Fingerprint, &e.Kind, &e.ID, &e.ContentType, &e.Bytes, &e.SHA256,
			&createdAt, &deliveredAt)
		e.CreatedAt = instant(createdAt)
		if deliveredAt.Valid {
			e.DeliveredAt = instant(deliveredAt.Int64)
		}
		return e, err
	}, `SELECT tenant, fingerprint, kind, id, content_type, bytes, sha256, created_at, delivered_at
		FROM effects WHERE tenant = ? AND fingerprint = ? AND kind = ?`, tenant, string(fp), string(kind))
}

// MarkDelivered records that the effect reached the other side. The first time counts; ErrNotFound
// if there is no such effect.
func (j *Journal) MarkDelivered(ctx context.Context, tenant string, fp training.Fingerprint, kind training.EffectKind) error {
	found, err := j.exec(ctx, `UPDATE effects SET delivered_at = coalesce(delivered_at, ?)
		WHERE tenant = ? AND fingerprint = ? AND kind = ?`, micros(j.now()), tenant, string(fp), string(kind))
	if err == nil && found == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("mark effect %s of %s delivered: %w", kind, fp, err)
	}
	return nil
}
