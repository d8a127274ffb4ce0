-- +goose Up

-- Times are Unix microseconds in UTC. Empty text means "none"; NULL is used for times only.

CREATE TABLE deliveries (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    method       TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    remote_addr  TEXT    NOT NULL,
    header       TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    verdict      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    announced_at INTEGER
) STRICT;

CREATE INDEX deliveries_unannounced ON deliveries (received_at, id)
    WHERE verdict = 'unmapped' AND announced_at IS NULL;

-- No foreign key to the delivery: raw deliveries may be pruned one day, completions never.
CREATE TABLE completions (
    tenant         TEXT    NOT NULL,
    fingerprint    TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    platform       TEXT    NOT NULL,
    delivery_id    TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    course_label   TEXT    NOT NULL,
    completion     TEXT    NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'QUEUED',
    lease_until    INTEGER,
    failure_class  TEXT    NOT NULL DEFAULT '',
    failure_detail TEXT    NOT NULL DEFAULT '',
    record_id      TEXT    NOT NULL DEFAULT '',
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, fingerprint),
    CHECK ((state = 'STARTING') = (lease_until IS NOT NULL))
) STRICT;

-- What dispatch claims from, tenant by tenant, oldest first.
CREATE INDEX completions_queued ON completions (tenant, received_at, fingerprint)
    WHERE state = 'QUEUED';

-- What is in flight, stale or counted; it stays as small as the open work.
CREATE INDEX completions_open ON completions (state, updated_at)
    WHERE state NOT IN ('COMPLETED', 'REJECTED', 'CLOSED');

-- How many ended, kept by a trigger because the ended grow for ever. The slot spreads
-- concurrent writers over 16 rows.
CREATE TABLE endings (
    state TEXT    NOT NULL,
    slot  TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (state, slot)
) STRICT;

CREATE TABLE effects (
    tenant       TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    bytes        BLOB    NOT NULL,
    sha256       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    delivered_at INTEGER,
    PRIMARY KEY (tenant, fingerprint, kind),
    FOREIGN KEY (tenant, fingerprint) REFERENCES completions (tenant, fingerprint)
) STRICT;

CREATE TABLE decisions (
    tenant      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    round       INTEGER NOT NULL,
    action      TEXT    NOT NULL,
    decided_by  TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    decided_at  INTEGER NOT NULL,
    via         TEXT    NOT NULL,
    PRIMARY KEY (tenant, fingerprint, round),
    FOREIGN KEY (tenant, fingerprint) REFERENCES completions (tenant, fingerprint)
) STRICT;

CREATE TABLE links (
    tenant        TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    enrollment_id TEXT    NOT NULL,
    learner_key   TEXT    NOT NULL,
    course_key    TEXT    NOT NULL,
    employee_id   TEXT    NOT NULL,
    record_id     TEXT    NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX links_by_enrollment ON links (tenant, source, enrollment_id)
    WHERE enrollment_id <> '';
CREATE UNIQUE INDEX links_without_enrollment ON links (tenant, source, learner_key, course_key)
    WHERE enrollment_id = '';
CREATE INDEX links_by_learner ON links (tenant, source, learner_key, course_key);

-- One row that a readiness probe writes to.
CREATE TABLE probe (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    written_at INTEGER NOT NULL
) STRICT;
INSERT INTO probe (id, written_at) VALUES (1, 0);

-- The laws that hold even against a slip in the code: the key is for ever, an outcome is final,
-- effects and decisions are never rewritten.

-- +goose StatementBegin
CREATE TRIGGER completions_no_delete BEFORE DELETE ON completions
BEGIN SELECT RAISE(ABORT, 'a completion is never deleted: its key is unique for ever'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER completions_no_rewrite
BEFORE UPDATE OF tenant, fingerprint, source, platform, delivery_id, received_at, completion ON completions
BEGIN SELECT RAISE(ABORT, 'a completion is never rewritten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER completions_final BEFORE UPDATE OF state ON completions
WHEN OLD.state IN ('COMPLETED', 'REJECTED', 'CLOSED') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'an ended completion never moves again'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER completions_ended AFTER UPDATE OF state ON completions
WHEN NEW.state IN ('COMPLETED', 'REJECTED', 'CLOSED') AND NEW.state <> OLD.state
BEGIN
    INSERT INTO endings (state, slot, n) VALUES (NEW.state, substr(NEW.fingerprint, 1, 1), 1)
    ON CONFLICT (state, slot) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER effects_no_delete BEFORE DELETE ON effects
BEGIN SELECT RAISE(ABORT, 'an effect is never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER effects_no_rewrite
BEFORE UPDATE OF tenant, fingerprint, kind, id, content_type, bytes, sha256, created_at ON effects
BEGIN SELECT RAISE(ABORT, 'an effect is never rewritten'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER decisions_no_rewrite BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never rewritten'); END;
-- +goose StatementEnd
