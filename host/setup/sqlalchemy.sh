#!/bin/sh
# Makes sure that SQLAlchemy is there, which `make bench` reads a database with beside Callslip. Prints on stdout the Python that
# has it, and on stderr what was there or what it did. Where it can't be had it prints nothing but the reason, and the benchmark goes
# without.
set -eu

requirements=$(dirname "$0")/../../tests/benches/reflect/requirements.txt
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/callslip

say() { echo "SQLAlchemy: $*" >&2; }

go_without() {
    say "going without: $*"
    exit 0
}

# An environment for each set of requirements. It has its name once it is whole.
environment=$cache/sqlalchemy-$(cksum <"$requirements" | cut -d' ' -f1)
if "$environment/bin/python" -c 'import sqlalchemy, psycopg' 2>/dev/null; then
    say "$environment is there"
    echo "$environment/bin/python"
    exit 0
fi
command -v python3 >/dev/null || go_without 'there is no python3'
mkdir -p "$cache" 2>/dev/null || go_without "can't make $cache"
build=$(mktemp -d "$cache/build.XXXXXX" 2>/dev/null) || go_without "can't write to $cache"
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM
say "installing it with pip"
python3 -m venv "$build/root" >/dev/null || go_without 'python3 has no venv (Debian, Ubuntu: apt install python3-venv)'
"$build/root/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 -r "$requirements" >&2 ||
    go_without 'pip could not install it'
rm -rf "$environment"
mv "$build/root" "$environment" || go_without "can't write $environment"
say "$environment has it"
echo "$environment/bin/python"
