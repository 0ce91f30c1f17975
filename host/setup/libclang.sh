#!/bin/sh
# Makes sure that libclang is there with its headers, by which the tests' SQL parser (`pg_query`) is bound to Rust. Only
# the tests and the lints of the whole workspace need it. Says on stderr what was there or what it did.
#
# LIBCLANG_PATH, where set, is the folder of a libclang, or the library itself. One without its own headers finds a
# compiler's by BINDGEN_EXTRA_CLANG_ARGS:
#
#   LIBCLANG_PATH=… BINDGEN_EXTRA_CLANG_ARGS="-I$(gcc -print-file-name=include)" cargo test
set -eu

say() { echo "libclang: $*" >&2; }

# Prints the first libclang of some folders; fails where there is none. The names are those that its users look for.
library_in() {
    for folder in "$@"; do
        for library in "$folder"/libclang.so "$folder"/libclang-*.so "$folder"/libclang.so.* \
            "$folder"/libclang-*.so.* "$folder"/libclang.dylib; do
            case $library in
            *-cpp.*) continue ;;
            esac
            if [ -e "$library" ]; then
                echo "$library"
                return 0
            fi
        done
    done
    return 1
}

# Whether the headers that belong to every compiler are there: beside the library, or a clang's, or others that are told.
has_headers() {
    [ -z "${BINDGEN_EXTRA_CLANG_ARGS:-}" ] || return 0
    ! command -v clang >/dev/null || return 0
    beside=$(dirname "$(readlink -f "$1")")
    for header in "$beside"/clang/*/include/stdbool.h /usr/lib/llvm-*/lib/clang/*/include/stdbool.h \
        /usr/lib*/clang/*/include/stdbool.h; do
        [ ! -e "$header" ] || return 0
    done
    return 1
}

# Ends, where there is a libclang.
end_if_there() {
    if library=$(library_in /usr/lib/llvm-*/lib /usr/lib /usr/lib64 /usr/lib/*-linux-gnu* /usr/local/lib \
        /usr/local/llvm*/lib /usr/local/opt/llvm*/lib \
        /Library/Developer/CommandLineTools/usr/lib \
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib) &&
        has_headers "$library"; then
        say "$library"
        exit 0
    fi
}

if [ -n "${LIBCLANG_PATH:-}" ]; then
    if [ -f "$LIBCLANG_PATH" ] || library_in "$LIBCLANG_PATH" >/dev/null; then
        say "LIBCLANG_PATH=$LIBCLANG_PATH"
        exit 0
    fi
    echo "error: LIBCLANG_PATH=$LIBCLANG_PATH has no libclang" >&2
    exit 1
fi
end_if_there
if command -v apt-get >/dev/null; then
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    apt_install libclang-dev || true
    end_if_there
fi
cat >&2 <<'END'
error: there is no libclang with its headers on this machine, which the tests' SQL parser is built with. One of these
brings it; where it is in a folder of its own, LIBCLANG_PATH says which:
  dnf install clang-devel    (Fedora)
  pacman -S clang    (Arch)
  brew install llvm, with LIBCLANG_PATH=$(brew --prefix llvm)/lib    (macOS)
END
exit 1
