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

DROP TRIGGER completions_final ON completions;
DROP TRIGGER completions_ended ON completions;

CREATE TRIGGER completions_final BEFORE UPDATE OF state ON completions FOR EACH ROW
    WHEN (OLD.state IN ('COMPLETED', 'REJECTED') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION refuse('an ended completion never moves again');

-- One that ended without its effect may be started again, and only if its last decision says so (R142).
-- +goose StatementBegin
CREATE FUNCTION only_by_replay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'RUNNING' OR coalesce((SELECT action FROM decisions d
        WHERE d.tenant = OLD.tenant AND d.fingerprint = OLD.fingerprint
        ORDER BY round DESC LIMIT 1), '') <> 'replay' THEN
        RAISE EXCEPTION 'an ended completion moves again only by a replay' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION uncount_ending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE endings SET n = n - 1 WHERE state = OLD.state AND slot = left(OLD.fingerprint, 1);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER completions_reopened BEFORE UPDATE OF state ON completions FOR EACH ROW
    WHEN (OLD.state IN ('CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION only_by_replay();

CREATE TRIGGER completions_ended AFTER UPDATE OF state ON completions FOR EACH ROW
    WHEN (NEW.state IN ('COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION count_ending();

CREATE TRIGGER completions_begun_again AFTER UPDATE OF state ON completions FOR EACH ROW
    WHEN (OLD.state IN ('CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION uncount_ending();
