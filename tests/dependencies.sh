#!/bin/sh
# Checks what this project stands on: its licences, where it comes from, what there is of it twice, and what advisories there
# are, as deny.toml says. The argument is the program cargo-deny.
#
#   tests/dependencies.sh "$(host/setup/cargo-deny.sh)"
#
# The advisories are fetched each time. Where they can't be, everything else is checked, and a line says so;
# CALLSLIP_ADVISORIES=1 makes that an error.
set -eu

deny=$1
cd "$(dirname "$0")/.."

# Has a workspace checked for some things: `check MANIFEST WHAT…`.
check() {
    manifest=$1
    shift
    echo "dependencies of $manifest: $*" >&2
    # $offline is a word or nothing.
    # shellcheck disable=SC2086
    "$deny" $offline --locked --log-level error --manifest-path "$manifest" --config deny.toml check --hide-inclusion-graph "$@"
}
offline=

# What is allowed is what there is, of all that is in the project; the guests have less.
of_guests='tests/guests/hostile/Cargo.toml tests/guests/forbidden-import/Cargo.toml'
check Cargo.toml -D license-not-encountered -D license-exception-not-encountered licenses bans sources
for manifest in $of_guests; do
    check "$manifest" -A license-not-encountered -A license-exception-not-encountered licenses bans sources
done

# A network that swallows packets must not hang the lints.
limit=
! command -v timeout >/dev/null || limit='timeout 120'
# $limit is several words or nothing.
# shellcheck disable=SC2086
if fetched=$($limit "$deny" --log-level error --config deny.toml fetch db 2>&1); then
    offline=--offline
    for manifest in Cargo.toml $of_guests; do
        check "$manifest" advisories
    done
elif [ "${CALLSLIP_ADVISORIES:-}" = 1 ]; then
    echo "$fetched" >&2
    echo 'error: the advisories can'"'"'t be fetched, which CALLSLIP_ADVISORIES=1 asks for' >&2
    exit 1
else
    echo "$fetched" | tail -n 3 >&2
    echo 'WARNING: ADVISORIES ARE NOT CHECKED: they can'"'"'t be fetched from here. Whoever releases has to check them: CALLSLIP_ADVISORIES=1 make lint' >&2
fi
