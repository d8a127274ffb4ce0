-- +goose Up

-- What a decision says besides action, name and reason: the meaning of the signature (21 CFR 11.50), and
-- the record or the employee that a person has named. '' where it says nothing of it.
ALTER TABLE decisions ADD COLUMN meaning TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN record_id TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN employee_id TEXT NOT NULL DEFAULT '';

-- EXPIRED_IN_REVIEW is an end like the others.
DROP INDEX completions_open;
CREATE INDEX completions_open ON completions (state, updated_at)
    WHERE state NOT IN ('COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW');

DROP TRIGGER completions_final;
DROP TRIGGER completions_ended;

-- +goose StatementBegin
CREATE TRIGGER completions_final BEFORE UPDATE OF state ON completions
WHEN OLD.state IN ('COMPLETED', 'REJECTED') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'an ended completion never moves again'); END;
-- +goose StatementEnd

-- One that ended without its effect may be started again, and only if its last decision says so (R142).
-- +goose StatementBegin
CREATE TRIGGER completions_reopened BEFORE UPDATE OF state ON completions
WHEN OLD.state IN ('CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state AND (NEW.state <> 'RUNNING'
    OR coalesce((SELECT action FROM decisions d WHERE d.tenant = OLD.tenant AND d.fingerprint = OLD.fingerprint
        ORDER BY round DESC LIMIT 1), '') <> 'replay')
BEGIN SELECT RAISE(ABORT, 'an ended completion moves again only by a replay'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER completions_ended AFTER UPDATE OF state ON completions
WHEN NEW.state IN ('COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state
BEGIN
    INSERT INTO endings (state, slot, n) VALUES (NEW.state, substr(NEW.fingerprint, 1, 1), 1)
    ON CONFLICT (state, slot) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER completions_begun_again AFTER UPDATE OF state ON completions
WHEN OLD.state IN ('CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state
BEGIN
    UPDATE endings SET n = n - 1 WHERE state = OLD.state AND slot = substr(OLD.fingerprint, 1, 1);
END;
-- +goose StatementEnd
