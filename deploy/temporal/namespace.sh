#!/bin/sh
# Creates the namespace, or brings an existing one up to date: how long closed workflows are kept,
# and the search attributes that workflows carry. Harmless to repeat.
set -eu

export TEMPORAL_NAMESPACE="${TEMPORAL_NAMESPACE:?}" TEMPORAL_ADDRESS="${TEMPORAL_ADDRESS:?}"
retention="${RETENTION:?}"

# A new namespace is not known to every part of the server at once.
persist() {
    tries=30
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 2
    done
}

persist temporal operator cluster health
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
fi
persist temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name CountersignTenant --type Keyword \
    --name CountersignState --type Keyword \
    --name CountersignPlatform --type Keyword \
    --name CountersignCourse --type Keyword \
    --name CountersignRecord --type Keyword \
    --name CountersignFailure --type Keyword
