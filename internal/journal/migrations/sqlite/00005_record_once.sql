-- +goose Up

-- A COMPLETED training record never opens again, so its read-back proves one completion and no other:
-- one that is reported under two identities must not get two certificates.
CREATE UNIQUE INDEX effects_record ON effects (tenant, id) WHERE kind = 'record';
