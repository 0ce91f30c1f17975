#!/bin/sh
# Makes sure that PgBouncer is there, which the tests put between a host and its database. Prints on stdout the program, and on
# stderr what was there or what it did. No PgBouncer is started: not now, and not when the machine starts.
#
#   CALLSLIP_PGBOUNCER=$(host/setup/pgbouncer.sh) cargo test
#
# CALLSLIP_PGBOUNCER, where set, is the program.
set -eu

say() { echo "PgBouncer: $*" >&2; }

# Prints the program and ends, where there is one. Not everybody's PATH has /usr/sbin.
use_if_there() {
    program=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "${CALLSLIP_PGBOUNCER:-pgbouncer}") || return 0
    version=$("$program" --version 2>/dev/null | sed -n 's/^PgBouncer //p' | grep .) || return 0
    say "version $version in $program"
    echo "$program"
    exit 0
}

use_if_there
if [ -n "${CALLSLIP_PGBOUNCER:-}" ]; then
    echo "error: CALLSLIP_PGBOUNCER=$CALLSLIP_PGBOUNCER is no PgBouncer that can be run" >&2
    exit 1
fi

if command -v apt-get >/dev/null; then
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    # On its own the package starts a service, at once and at every start of the machine. This is where Debian asks whether a
    # package may start one.
    may_start=/usr/sbin/policy-rc.d
    if [ ! -e $may_start ] && as_root true; then
        trap 'as_root rm -f $may_start' EXIT
        trap 'exit 1' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $may_start >/dev/null
        as_root chmod 755 $may_start
    fi
    apt_install pgbouncer || true
    as_root update-rc.d pgbouncer disable >/dev/null 2>&1 || true
    use_if_there
fi
cat >&2 <<'END'
error: there is no PgBouncer on this machine, which the tests put between a host and its database. One of these brings it;
where it is in a folder of its own, CALLSLIP_PGBOUNCER says which program it is:
  dnf install pgbouncer    (Fedora)
  pacman -S pgbouncer    (Arch)
  brew install pgbouncer    (macOS)
END
exit 1
