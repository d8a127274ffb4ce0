-- +goose Up

-- The journal side of a reconciliation, oldest first.
CREATE INDEX completions_received ON completions (tenant, received_at, fingerprint);

-- What of a tenant is open; it stays as small as the open work.
CREATE INDEX completions_open_of ON completions (tenant, fingerprint)
    WHERE state NOT IN ('COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW');

CREATE INDEX links_updated ON links (tenant, updated_at);
CREATE INDEX links_record ON links (tenant, record_id);

-- Who finished, as hashes of each id that an LMS knows a person by: how a row of a listing finds the
-- completion that came as an event. It is filled by reconciliations, off the way of an acknowledgement.
CREATE TABLE completion_people (
    tenant       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    PRIMARY KEY (tenant, source, person, fingerprint)
) STRICT;

-- Up to which time of arrival completion_people is filled.
CREATE TABLE completion_people_until (
    tenant      TEXT    NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE reconciliations (
    tenant     TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    previous   TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    upload     TEXT    NOT NULL,
    dry_run    INTEGER NOT NULL,
    from_at    INTEGER NOT NULL,
    to_at      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    PRIMARY KEY (tenant, run)
) STRICT;

CREATE INDEX reconciliations_started ON reconciliations (tenant, started_at);

-- How far each part of a run has come. cursor moves with everything that its page has found, in one transaction.
CREATE TABLE reconciliation_parts (
    tenant   TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    part     TEXT    NOT NULL,
    cursor   TEXT    NOT NULL,
    done     INTEGER NOT NULL,
    pages    INTEGER NOT NULL,
    looked   INTEGER NOT NULL,
    failure  TEXT    NOT NULL,
    PRIMARY KEY (tenant, run, part)
) STRICT;

-- The completions that a run has found in a listing; emptied when it ends.
CREATE TABLE reconciliation_seen (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (tenant, run, fingerprint)
) STRICT;

-- What did not agree, as each run has found it. since is when a run first found it.
CREATE TABLE mismatches (
    tenant      TEXT    NOT NULL,
    run         TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    origin      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    record_id   TEXT    NOT NULL,
    course      TEXT    NOT NULL,
    happened_at INTEGER,
    lms         TEXT    NOT NULL,
    qms         TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    started     INTEGER NOT NULL,
    carried     INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    PRIMARY KEY (tenant, run, kind, id)
) STRICT;
