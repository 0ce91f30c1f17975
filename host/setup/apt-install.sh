# Sourced by the other scripts.
# shellcheck shell=sh

# Runs a command as root, through sudo where that is needed.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "error: this needs root, or sudo: $*" >&2
        return 1
    fi
}

# Installs what is missing of some Debian or Ubuntu packages. It asks nothing, waits for another apt-get, tries
# again when a mirror stumbles, and removes nothing that the machine has.
apt_install() {
    # shellcheck disable=SC2016  # ${…} is dpkg-query's
    installed=$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed) || true
    [ "$installed" -lt $# ] || return 0
    as_root true || return 1

    echo "installing with apt-get: $*" >&2
    for pause in 5 15 30 0; do
        if {
            as_root apt-get update -q &&
                as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
                    --no-remove -o DPkg::Lock::Timeout=300 "$@"
        } </dev/null >&2; then
            return 0
        fi
        [ "$pause" = 0 ] || echo "apt-get failed; trying again in $pause s" >&2
        sleep "$pause"
    done
    echo "error: apt-get could not install $*" >&2
    return 1
}
