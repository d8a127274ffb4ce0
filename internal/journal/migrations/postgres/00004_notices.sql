-- +goose Up

-- Over which channels a notice went out, so that a resend goes only over the others.
CREATE TABLE notices_told (
    tenant  TEXT   NOT NULL,
    notice  TEXT   NOT NULL,
    channel TEXT   NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, notice, channel)
);
