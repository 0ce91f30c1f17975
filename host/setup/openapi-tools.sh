#!/bin/sh
# Makes sure that openapi-spec-validator and schemathesis are there, with which the tests hold `/openapi.json` to the
# specification of OpenAPI, and the server to it. Prints on stdout the Python that has them, and on stderr what was there or what
# it did:
#
#   CALLSLIP_OPENAPI_PYTHON=$(host/setup/openapi-tools.sh) cargo test
#
# They come from PyPI, of the versions in tests/tests/service/openapi/requirements.txt. Where they can't be had, this prints
# nothing, and the tests go without and say so.
#
# CALLSLIP_OPENAPI_PYTHON, where set, is the Python. CALLSLIP_EVERY_TOOL=1 makes it an error if they can't be had, here and in the
# tests; what Python lacks for it is then installed if need be.
set -eu
umask 022

requirements=$(dirname "$0")/../../tests/tests/service/openapi/requirements.txt
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/callslip

say() { echo "openapi tools: $*" >&2; }

# Ends, with the reason why they are missing.
go_without() {
    if [ "${CALLSLIP_EVERY_TOOL:-}" = 1 ]; then
        echo "error: there are no OpenAPI tools, which CALLSLIP_EVERY_TOOL=1 asks for: $*" >&2
        exit 1
    fi
    say "going without: $*"
    exit 0
}

has_them() { "$1" -c 'import openapi_spec_validator, schemathesis' 2>/dev/null; }

if [ -n "${CALLSLIP_OPENAPI_PYTHON:-}" ]; then
    has_them "$CALLSLIP_OPENAPI_PYTHON" || go_without "$CALLSLIP_OPENAPI_PYTHON does not have them"
    say "$CALLSLIP_OPENAPI_PYTHON has them"
    echo "$CALLSLIP_OPENAPI_PYTHON"
    exit 0
fi

# An environment for each set of requirements. It has its name once it is whole.
environment=$cache/openapi-tools-$(cksum <"$requirements" | cut -d' ' -f1)
if has_them "$environment/bin/python"; then
    say "$environment is there"
    echo "$environment/bin/python"
    exit 0
fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "${CALLSLIP_EVERY_TOOL:-}" != 1 ] || ! command -v apt-get >/dev/null; then
        go_without 'there is no python3 with venv (Debian, Ubuntu: apt install python3-venv)'
    fi
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    apt_install python3-venv || go_without 'there is no python3 with venv'
fi
mkdir -p "$cache" 2>/dev/null || go_without "can't make $cache"
build=$(mktemp -d "$cache/build.XXXXXX" 2>/dev/null) || go_without "can't write to $cache"
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM
say 'installing them with pip'
python3 -m venv "$build/root" >/dev/null || go_without 'python3 could not make an environment'
# A network that swallows packets must not hang the tests.
limit=
! command -v timeout >/dev/null || limit='timeout 600'
# $limit is two words or nothing.
# shellcheck disable=SC2086
$limit "$build/root/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 -r "$requirements" >&2 ||
    go_without 'pip could not install them; it needs the network once'
# What is there does not work. Another run may have been quicker, which is as good.
has_them "$environment/bin/python" || rm -rf "$environment"
mv -T "$build/root" "$environment" 2>/dev/null || true
has_them "$environment/bin/python" || go_without "can't write $environment"
say "$environment has them"
echo "$environment/bin/python"
