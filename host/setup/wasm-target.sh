#!/bin/sh
# Makes wasm32-unknown-unknown usable. Prints on stdout the rustc to build plugins with, and on stderr what
# was there or what it did:
#
#   CALLSLIP_WASM_RUSTC=$(host/setup/wasm-target.sh) cargo test
#
# CALLSLIP_WASM_TARGET says where the target's standard library comes from:
#   rustup   `rustup target add`: the normal way.
#   debian   the packages rustc-web, cargo-web, rust-web-src and lld-NN of Debian and Ubuntu, from which the
#            standard library is built once, without any other download, into a sysroot in the cache folder.
#   auto     whichever is there already, else rustup where there is one, else debian. The default.
# CALLSLIP_WASM_RUSTC, where set, is a rustc that has the target already: it is checked and printed.
set -eu

target=wasm32-unknown-unknown
oldest=1.95 # `rust-version` of the workspace: plugins inherit it.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/callslip
debian_rustc=/usr/bin/rustc
debian_cargo=/usr/bin/cargo

say() { echo "wasm target: $*" >&2; }
fail() {
    echo "error: $*" >&2
    exit 1
}

# Whether a rustc finds the target's standard library.
has_std() {
    folder=$("$1" --print target-libdir --target $target 2>/dev/null) || return 1
    for library in "$folder"/libstd-*.rlib; do
        [ ! -e "$library" ] || return 0
    done
    return 1
}

# Prints the chosen rustc, and ends.
use() {
    say "$2"
    echo "$1"
    exit 0
}

# Prints one line of `rustc -vV`, such as `release` or `host`, of Debian's rustc.
debian_rustc_says() { "$debian_rustc" -vV | sed -n "s/^$1: //p"; }

# Where the sysroot of Debian's rustc belongs; fails where there is no such rustc.
sysroot_folder() {
    [ -x "$debian_rustc" ] || return 1
    echo "$cache/wasm-sysroot-$(debian_rustc_says release)"
}

# A sysroot is whole once it has its name, since it is built under another one. Its links lead to packages,
# which may have gone since.
sysroot_is_usable() { [ -x "$1/bin/rustc" ] && [ -x "$1/lib/rustlib/$(debian_rustc_says host)/bin/rust-lld" ]; }

use_debian_if_there() {
    sysroot=$(sysroot_folder) || return 0
    if sysroot_is_usable "$sysroot"; then
        use "$sysroot/bin/rustc" "$sysroot is there"
    elif has_std "$debian_rustc"; then
        use "$debian_rustc" "$debian_rustc has it"
    fi
}

use_rustup() {
    has_std rustc && use rustc "$(rustc -V) has it"
    say "rustup target add $target"
    # A network that swallows packets must not hang the build.
    limit=
    ! command -v timeout >/dev/null || limit="timeout 600"
    # $limit is two words or nothing.
    # shellcheck disable=SC2086
    $limit rustup target add $target >&2 && has_std rustc && use rustc "rustup added it"
    say "rustup could not add it"
}

use_debian() {
    use_debian_if_there
    command -v apt-get >/dev/null || return 0
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    apt_install rustc-web cargo-web rust-web-src || return 0
    release=$(debian_rustc_says release)
    if [ "$(printf '%s\n' "$oldest" "$release" | sort -V | head -n 1)" != "$oldest" ]; then
        say "$debian_rustc is $release, but plugins want $oldest or newer"
        return 0
    fi
    llvm=$(debian_rustc_says 'LLVM version' | cut -d. -f1)
    apt_install "lld-$llvm" || return 0
    use_debian_if_there
    build_sysroot "$(sysroot_folder)" "$(debian_rustc_says host)" "/usr/lib/llvm-$llvm/bin/lld"
    use_debian_if_there
}

# Builds the target's standard library from Debian's sources into a sysroot of its own:
#   lib/rustlib/$target/lib     what is built here
#   lib/rustlib/$host/lib       a link to Debian's, for build scripts and procedural macros
#   lib/rustlib/$host/bin       the linker, under the name that rustc looks for
#   bin/rustc                   Debian's rustc with this sysroot
build_sysroot() {
    sysroot=$1 host=$2 lld=$3
    source=$(readlink -f "$("$debian_rustc" --print sysroot)/lib/rustlib/src/rust")
    say "building the standard library from $source (half a minute, once)"
    mkdir -p "$cache"
    build=$(mktemp -d "$cache/build.XXXXXX")
    trap 'rm -rf "$build"' EXIT
    trap 'exit 1' HUP INT TERM

    # cargo builds a standard library only along with a crate.
    mkdir "$build/src"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$build/Cargo.toml"
    : >"$build/src/lib.rs"
    # The dependencies are in Debian's source package; CARGO_HOME keeps a user's own settings out. Places
    # within the standard library read as those of the official builds.
    (
        cd "$build"
        unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
        export CARGO_HOME="$build/home" CARGO_TARGET_DIR="$build/target"
        export RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 # -Zbuild-std is for nightly builds only.
        hash=$(debian_rustc_says commit-hash)
        links=$("$debian_rustc" --print sysroot)/lib/rustlib/src/rust
        export RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$source=/rustc/$hash --remap-path-prefix=$links=/rustc/$hash"
        "$debian_cargo" build --quiet --offline --release --target $target -Zbuild-std=std,panic_abort \
            --config 'source.crates-io.replace-with="debian"' \
            --config "source.debian.directory=\"$source/library/vendor\""
    ) >&2

    rustlib=$build/root/lib/rustlib
    mkdir -p "$build/root/bin" "$rustlib/$target/lib" "$rustlib/$host/bin"
    cp "$build/target/$target/release/deps/"*.rlib "$rustlib/$target/lib/"
    rm "$rustlib/$target/lib/libempty-"*
    ln -s "$("$debian_rustc" --print sysroot)/lib/rustlib/$host/lib" "$rustlib/$host/lib"
    ln -s "$lld" "$rustlib/$host/bin/rust-lld"
    # The folder of the script itself, so that a cache can be moved.
    cat >"$build/root/bin/rustc" <<END
#!/bin/sh
exec $debian_rustc --sysroot "\$(dirname "\$(dirname "\$(readlink -f "\$0")")")" "\$@"
END
    chmod 755 "$build/root/bin/rustc"

    # What is there now, if anything, was unusable; or another run was quicker, which is as good.
    sysroot_is_usable "$sysroot" || rm -rf "$sysroot"
    mv -T "$build/root" "$sysroot" 2>/dev/null || sysroot_is_usable "$sysroot" ||
        fail "can't write $sysroot"
}

if [ -n "${CALLSLIP_WASM_RUSTC:-}" ]; then
    has_std "$CALLSLIP_WASM_RUSTC" || fail "CALLSLIP_WASM_RUSTC=$CALLSLIP_WASM_RUSTC has no $target"
    use "$CALLSLIP_WASM_RUSTC" "CALLSLIP_WASM_RUSTC has it"
fi
case ${CALLSLIP_WASM_TARGET:-auto} in
rustup)
    command -v rustup >/dev/null || fail "there is no rustup: see https://rustup.rs"
    use_rustup
    ;;
debian) use_debian ;;
auto)
    ! has_std rustc || use rustc "$(rustc -V) has it"
    use_debian_if_there
    ! command -v rustup >/dev/null || use_rustup
    use_debian
    ;;
*) fail "CALLSLIP_WASM_TARGET is rustup, debian or auto, not $CALLSLIP_WASM_TARGET" ;;
esac
fail "no rustc here has $target. One of these brings it:
  rustup target add $target
  dnf install rust-std-static-$target    (Fedora)
  pacman -S rust-wasm    (Arch)"
