-- +goose Up

-- The delivery as which a replay read this one again, '' while none has.
ALTER TABLE deliveries ADD COLUMN replayed_as TEXT NOT NULL DEFAULT '';

-- What a replay still has to read, by tenant.
CREATE INDEX deliveries_unmapped ON deliveries (tenant, id)
    WHERE verdict = 'unmapped' AND replayed_as = '';
