-- +goose Up

-- What an LMS said of a completion when it was looked up (R15). The completion itself stays as it came: its
-- fingerprint is that of the event.
CREATE TABLE enrichments (
    tenant       TEXT   NOT NULL,
    fingerprint  TEXT   NOT NULL,
    document     BLOB   NOT NULL,
    looked_up_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, fingerprint),
    FOREIGN KEY (tenant, fingerprint) REFERENCES completions (tenant, fingerprint)
);
