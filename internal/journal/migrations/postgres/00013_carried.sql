-- +goose Up

-- What is queued again after it was started, by the record that it is being carried into. What is queued for the first
-- time has no record yet and does not stand here, so an acknowledgement does not pay for it.
CREATE INDEX completions_requeued ON completions (tenant, record_id) WHERE state = 'QUEUED' AND record_id <> '';
