#!/bin/sh
# Makes sure that cargo-deny is there, by which `make lint` checks what this project stands on. Prints on stdout the program,
# and on stderr what was there or what it did:
#
#   "$(host/setup/cargo-deny.sh)" check licenses
#
# It is of one version, so that it finds the same everywhere. Building it takes a minute or two, once.
set -eu

version=0.20.2
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/callslip
folder=$cache/cargo-deny-$version

say() { echo "cargo-deny: $*" >&2; }

# Prints the first of some programs that is of the version, and ends.
use_if_there() {
    for program in "$@"; do
        if [ "$("$program" --version 2>/dev/null)" = "cargo-deny $version" ]; then
            say "version $version in $program"
            echo "$program"
            exit 0
        fi
    done
}

program=$(command -v cargo-deny) || program=
use_if_there "$folder/bin/cargo-deny" ${program:+"$program"}
mkdir -p "$cache"
# It has its name once it is whole.
build=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM
say "building version $version, which takes a minute or two"
# Without optimisation it is built in a quarter of the time, and takes two seconds for what it does here. What is in force for
# this project's own builds is not for it.
if ! env -u RUSTFLAGS -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$build/target" \
    cargo install cargo-deny --version "=$version" --locked --debug --quiet --root "$build/root" >&2; then
    echo "error: cargo-deny $version could not be built; install it by hand, so that it is in PATH" >&2
    exit 1
fi
rm -rf "$folder"
mv "$build/root" "$folder"
use_if_there "$folder/bin/cargo-deny"
echo "error: $folder/bin/cargo-deny does not run" >&2
exit 1
