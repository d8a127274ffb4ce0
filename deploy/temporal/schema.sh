#!/bin/sh
# Brings Temporal's two databases to the schema of this server version. Harmless to repeat.
set -eu

SQL_PASSWORD="$(cat "${SECRETS:-/run/secrets}/temporal_db_password")"
export SQL_PASSWORD

for database in temporal:temporal temporal_visibility:visibility; do
    name="${database%%:*}"
    schema="postgresql/v12/${database##*:}"
    temporal-sql-tool --database "$name" setup-schema --version 0.0
    temporal-sql-tool --database "$name" update-schema --schema-name "$schema"
done
