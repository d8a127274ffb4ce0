-- +goose Up

-- What a tenant's completions need from outside, and whether anything is asked of it. incident is '' when
-- nothing is the matter; it outlives the hold until what was held has gone on.
CREATE TABLE targets (
    tenant     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('ANSWERING', 'HELD', 'PAUSED')),
    since      BIGINT NOT NULL,
    until      BIGINT,
    incident   TEXT    NOT NULL,
    began_at   BIGINT NOT NULL,
    class      TEXT    NOT NULL DEFAULT '',
    detail     TEXT    NOT NULL DEFAULT '',
    example    TEXT    NOT NULL DEFAULT '',
    decided_by TEXT    NOT NULL DEFAULT '',
    reason     TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, target)
);

-- Every change of a target, by whom and why: '' where nobody has decided it.
CREATE TABLE target_changes (
    tenant     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    changed_at BIGINT NOT NULL,
    incident   TEXT    NOT NULL,
    class      TEXT    NOT NULL,
    decided_by TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant, target, n)
);

-- How much of a budget of calls is taken in the period that began at period.
CREATE TABLE budgets (
    tenant TEXT    NOT NULL,
    target TEXT    NOT NULL,
    period BIGINT NOT NULL,
    used   BIGINT NOT NULL,
    PRIMARY KEY (tenant, target, period)
);

-- Whose failure it was, '' for none of the targets, and when the completion was last said to have failed.
ALTER TABLE completions ADD COLUMN failure_target TEXT NOT NULL DEFAULT '';
ALTER TABLE completions ADD COLUMN failed_at BIGINT;

-- What goes on when a target answers again, oldest first.
CREATE INDEX completions_held ON completions (tenant, failure_target, received_at, fingerprint)
    WHERE failure_target <> '' AND state IN ('RETRYING', 'IN_REVIEW');

CREATE TRIGGER target_changes_no_delete BEFORE DELETE OR TRUNCATE ON target_changes
    EXECUTE FUNCTION refuse('a change of a target is never deleted');

CREATE TRIGGER target_changes_no_rewrite BEFORE UPDATE ON target_changes
    EXECUTE FUNCTION refuse('a change of a target is never rewritten');
