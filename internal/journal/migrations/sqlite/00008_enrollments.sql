-- +goose Up

-- What the LMSs report of enrollments (R98). Like a completion, one is never deleted, rewritten or ended twice.
CREATE TABLE enrollments (
    tenant         TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    platform       TEXT    NOT NULL,
    delivery_id    TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    course_label   TEXT    NOT NULL,
    enrollment     TEXT    NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'QUEUED',
    lease_until    INTEGER,
    failure_class  TEXT    NOT NULL DEFAULT '',
    failure_detail TEXT    NOT NULL DEFAULT '',
    record_id      TEXT    NOT NULL DEFAULT '',
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, key),
    CHECK ((state = 'STARTING') = (lease_until IS NOT NULL))
) STRICT;

CREATE INDEX enrollments_queued ON enrollments (tenant, received_at, key) WHERE state = 'QUEUED';

CREATE INDEX enrollments_open ON enrollments (state, updated_at)
    WHERE state NOT IN ('LINKED', 'CLOSED', 'EXPIRED_IN_REVIEW');

CREATE TABLE enrollment_decisions (
    tenant     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    round      INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    decided_by TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    decided_at INTEGER NOT NULL,
    via        TEXT    NOT NULL,
    PRIMARY KEY (tenant, key, round),
    FOREIGN KEY (tenant, key) REFERENCES enrollments (tenant, key)
) STRICT;

-- Under which reference a record of this employee and training is being created, so that an enrollment and a completion
-- that come at once create one.
CREATE TABLE record_refs (
    tenant      TEXT    NOT NULL,
    employee_id TEXT    NOT NULL,
    training_id TEXT    NOT NULL,
    ref         TEXT    NOT NULL,
    reserved_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, employee_id, training_id)
) STRICT;

-- Which training a course is, and which employee a learner, where an import says so. source '' is every source.
CREATE TABLE course_map (
    tenant   TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    training TEXT    NOT NULL,
    approval TEXT    NOT NULL, -- true or false
    PRIMARY KEY (tenant, source, kind, value)
) STRICT;

CREATE TABLE employee_map (
    tenant      TEXT NOT NULL,
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    value       TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    PRIMARY KEY (tenant, source, kind, value)
) STRICT;

-- Who has imported what, and why.
CREATE TABLE imports (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    imported_by TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    imported_at INTEGER NOT NULL,
    sha256      TEXT    NOT NULL,
    added       INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    removed     INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER enrollments_no_delete BEFORE DELETE ON enrollments
BEGIN SELECT RAISE(ABORT, 'an enrollment is never deleted: its key is unique for ever'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER enrollments_no_rewrite
BEFORE UPDATE OF tenant, key, source, platform, delivery_id, received_at, enrollment ON enrollments
BEGIN SELECT RAISE(ABORT, 'an enrollment is never rewritten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER enrollments_final BEFORE UPDATE OF state ON enrollments
WHEN OLD.state IN ('LINKED', 'CLOSED', 'EXPIRED_IN_REVIEW') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'an ended enrollment never moves again'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER enrollment_decisions_no_delete BEFORE DELETE ON enrollment_decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER enrollment_decisions_no_rewrite BEFORE UPDATE ON enrollment_decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never rewritten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER imports_no_delete BEFORE DELETE ON imports
BEGIN SELECT RAISE(ABORT, 'who has imported what is never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER imports_no_rewrite BEFORE UPDATE ON imports
BEGIN SELECT RAISE(ABORT, 'who has imported what is never rewritten'); END;
-- +goose StatementEnd
