-- +goose Up

-- Whose failure it was, '' for none of the targets, and when the enrollment was last said to have failed.
ALTER TABLE enrollments ADD COLUMN failure_target TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollments ADD COLUMN failed_at INTEGER;

-- What goes on when a target answers again, oldest first.
CREATE INDEX enrollments_held ON enrollments (tenant, failure_target, received_at, key)
    WHERE failure_target <> '' AND state IN ('RETRYING', 'IN_REVIEW');

DROP TRIGGER enrollments_final;

-- +goose StatementBegin
CREATE TRIGGER enrollments_final BEFORE UPDATE OF state ON enrollments
WHEN OLD.state = 'LINKED' AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'an ended enrollment never moves again'); END;
-- +goose StatementEnd

-- One that ended without a record may be begun again, and only if its last decision says so (R142).
-- +goose StatementBegin
CREATE TRIGGER enrollments_reopened BEFORE UPDATE OF state ON enrollments
WHEN OLD.state IN ('CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state AND (NEW.state <> 'QUEUED'
    OR coalesce((SELECT action FROM enrollment_decisions d WHERE d.tenant = OLD.tenant AND d.key = OLD.key
        ORDER BY round DESC LIMIT 1), '') <> 'replay')
BEGIN SELECT RAISE(ABORT, 'an ended enrollment moves again only by a replay'); END;
-- +goose StatementEnd
