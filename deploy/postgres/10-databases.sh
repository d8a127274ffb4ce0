#!/bin/sh
# Runs once, when the data volume is empty: a role and databases for Temporal, and a role and a
# database for the journal. Neither role can read what belongs to the other.
set -eu

# Passwords are read by psql itself, so that they stand in no process's arguments.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<SQL
\set temporal \`cat "${SECRETS:-/run/secrets}/temporal_db_password"\`
\set journal \`cat "${SECRETS:-/run/secrets}/journal_db_password"\`

CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

CREATE ROLE countersign LOGIN PASSWORD :'journal';
CREATE DATABASE countersign OWNER countersign;

REVOKE CONNECT ON DATABASE temporal, temporal_visibility, countersign FROM PUBLIC;
SQL
