package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Enrichment is what an LMS said of a completion beyond its event, as the activities write it. It holds
// personal data.
type Enrichment struct {
	Document []byte
	// LookedUpAt is when it was stored.
	LookedUpAt time.Time
}

// PutEnrichment stores document in place of earlier, which is nil where there was none. It returns what is stored
// then: if another writer came before, its document, which earlier no longer is. ErrNotFound if the tenant has no
// such completion.
func (j *Journal) PutEnrichment(ctx context.Context, tenant string, fp training.Fingerprint, document, earlier []byte) (Enrichment, error) {
	var stored Enrichment
	err := j.inTx(ctx, func(tx *sql.Tx) error {
		if err := j.exists(ctx, tx, key{tenant, fp}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`INSERT INTO enrichments (tenant, fingerprint, document, looked_up_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, fingerprint) DO UPDATE SET document = excluded.document, looked_up_at = excluded.looked_up_at
			WHERE enrichments.document = ?`),
			tenant, string(fp), document, micros(j.now()), append([]byte{}, earlier...))
		if err != nil {
			return err
		}
		stored, err = j.enrichment(ctx, tx, tenant, fp)
		return err
	})
	if err != nil {
		return Enrichment{}, fmt.Errorf("put enrichment of %s: %w", fp, err)
	}
	return stored, nil
}

// Enrichment reads what was looked up; the zero value where nothing was.
func (j *Journal) Enrichment(ctx context.Context, tenant string, fp training.Fingerprint) (Enrichment, error) {
	e, err := j.enrichment(ctx, j.read, tenant, fp)
	if errors.Is(err, ErrNotFound) {
		return Enrichment{}, nil
	}
	if err != nil {
		return Enrichment{}, fmt.Errorf("read enrichment of %s: %w", fp, err)
	}
	return e, nil
}

func (j *Journal) enrichment(ctx context.Context, from querier, tenant string, fp training.Fingerprint) (Enrichment, error) {
	return one(ctx, j, from, func(row scanner) (Enrichment, error) {
		var e Enrichment
		var at int64
		err := row.Scan(&e.Document, &at)
		e.LookedUpAt = instant(at)
		return e, err
	}, `SELECT document, looked_up_at FROM enrichments WHERE tenant = ? AND fingerprint = ?`, tenant, string(fp))
}
