#!/bin/sh
# Makes sure that componentize-js is there, with which the tests make a plugin in JavaScript. Prints on stdout the folder that
# has it, and on stderr what was there or what it did:
#
#   CALLSLIP_COMPONENTIZE_JS=$(host/setup/componentize-js.sh) cargo test
#
# It comes from npm, for Linux on x86-64. Where it can't be had, this prints nothing, and the tests go without and say so.
#
# CALLSLIP_COMPONENTIZE_JS, where set, is the folder. CALLSLIP_EVERY_LANGUAGE=1 makes it an error if it can't be had, here and
# in the tests; npm is then installed if need be.
set -eu
umask 022

package=@bytecodealliance/componentize-js
version=0.23.0
integrity=sha512-Qc2+lrwJHU7lq4CBMyVVYE8ASyUFeegMYdRnMVG0wNpNiATzGDF/mWpjDNTeVZeT8L9chhK3vuLaQE9FVANvfw==

cache=${CALLSLIP_COMPONENTIZE_JS:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/callslip/componentize-js-$version}

say() { echo "componentize-js: $*" >&2; }

# Ends, with the reason why it is missing.
go_without() {
    if [ "${CALLSLIP_EVERY_LANGUAGE:-}" = 1 ]; then
        echo "error: there is no componentize-js, which CALLSLIP_EVERY_LANGUAGE=1 asks for: $*" >&2
        exit 1
    fi
    say "going without: $*"
    exit 0
}

is_there() { [ -f "$cache/node_modules/$package/src/componentize.js" ] && command -v node >/dev/null; }

if is_there; then
    say "it is in $cache"
    echo "$cache"
    exit 0
fi
[ "$(uname -sm)" = 'Linux x86_64' ] || go_without "it is not for $(uname -sm)"
if ! command -v npm >/dev/null; then
    # It brings hundreds of packages, which nobody expects of `make test`.
    if [ "${CALLSLIP_EVERY_LANGUAGE:-}" != 1 ] || ! command -v apt-get >/dev/null; then
        go_without 'there is no npm'
    fi
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    apt_install npm || go_without 'there is no npm'
fi

# Made under another name first, so that what has its name is whole.
say "installing $version from npm"
mkdir -p "$(dirname "$cache")" 2>/dev/null || go_without "can't make $(dirname "$cache")"
copy=$(mktemp -d "$cache.XXXXXX") || go_without "can't write to $(dirname "$cache")"
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
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
# Another run may have been quicker, which is as good.
mv -T "$copy" "$cache" 2>/dev/null || true
is_there || go_without "$cache has no $package"
echo "$cache"
