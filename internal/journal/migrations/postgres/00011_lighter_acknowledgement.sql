-- +goose Up

-- A delivery is acknowledged when its completion stands in every index that covers it, so what is queued is in the
-- key and in completions_queued only. The others take a completion up when it is started.

-- What is in flight, stale or counted; it stays as small as the open work.
DROP INDEX completions_open;
CREATE INDEX completions_started ON completions (state, updated_at)
    WHERE state NOT IN ('QUEUED', 'COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW');

-- What of a tenant is started and open, oldest first.
DROP INDEX completions_open_of;
CREATE INDEX completions_started_of ON completions (tenant, received_at, fingerprint)
    WHERE state NOT IN ('QUEUED', 'COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW');

-- Everything else of a tenant but what is queued, oldest first.
DROP INDEX completions_received;
CREATE INDEX completions_received ON completions (tenant, received_at, fingerprint) WHERE state <> 'QUEUED';
