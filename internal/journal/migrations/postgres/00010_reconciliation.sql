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
);

-- Up to which time of arrival completion_people is filled.
CREATE TABLE completion_people_until (
    tenant      TEXT    NOT NULL PRIMARY KEY,
    received_at BIGINT  NOT NULL
);

CREATE TABLE reconciliations (
    tenant     TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    previous   TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    upload     TEXT    NOT NULL,
    dry_run    BIGINT  NOT NULL,
    from_at    BIGINT  NOT NULL,
    to_at      BIGINT  NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (tenant, run)
);

CREATE INDEX reconciliations_started ON reconciliations (tenant, started_at);

-- How far each part of a run has come. cursor moves with everything that its page has found, in one transaction.
CREATE TABLE reconciliation_parts (
    tenant   TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    part     TEXT    NOT NULL,
    cursor   TEXT    NOT NULL,
    done     BIGINT  NOT NULL,
    pages    BIGINT  NOT NULL,
    looked   BIGINT  NOT NULL,
    failure  TEXT    NOT NULL,
    PRIMARY KEY (tenant, run, part)
);

-- The completions that a run has found in a listing; emptied when it ends.
CREATE TABLE reconciliation_seen (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (tenant, run, fingerprint)
);

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
    happened_at BIGINT,
    lms         TEXT    NOT NULL,
    qms         TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    started     BIGINT  NOT NULL,
    carried     BIGINT  NOT NULL,
    since       BIGINT  NOT NULL,
    PRIMARY KEY (tenant, run, kind, id)
);
