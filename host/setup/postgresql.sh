#!/bin/sh
# Makes sure that PostgreSQL's server programs are there, 14 or newer. Prints on stdout the folder that holds
# them, and on stderr what was there or what it did. No server is started and no cluster is made.
set -eu

oldest=14

say() { echo "PostgreSQL: $*" >&2; }

# The major version of the server in a folder; fails where there is none.
version_in() {
    [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
    "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p' | grep .
}

# Prints the folders that may hold a server, one a line, the likeliest first.
folders() {
    # A program in PATH is often a link into the folder.
    ! command -v postgres >/dev/null || dirname "$(readlink -f "$(command -v postgres)")"
    ! command -v pg_config >/dev/null || pg_config --bindir
    # Debian and Ubuntu; Fedora; packages of postgresql.org; Homebrew; Postgres.app. The newest first.
    printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/*/bin | sort -Vr
}

# Prints the folder and ends, where there is a server.
use_if_there() {
    folders >"$list" || true
    while read -r folder; do
        version=$(version_in "$folder") || continue
        if [ "$version" -lt $oldest ]; then
            say "$folder has version $version, which is too old"
            continue
        fi
        say "version $version in $folder"
        echo "$folder"
        exit 0
    done <"$list"
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
use_if_there

if command -v apt-get >/dev/null; then
    # shellcheck source=host/setup/apt-install.sh
    . "$(dirname "$0")/apt-install.sh"
    # On its own the package makes a cluster and starts it.
    no_cluster=/etc/postgresql-common/createcluster.d/callslip.conf
    as_root mkdir -p "$(dirname $no_cluster)"
    echo 'create_main_cluster = false' | as_root tee $no_cluster >/dev/null
    apt_install postgresql || true
    as_root rm $no_cluster
    use_if_there
fi
cat >&2 <<END
error: there is no PostgreSQL server, $oldest or newer, on this machine. One of these brings it:
  dnf install postgresql-server    (Fedora)
  pacman -S postgresql    (Arch)
  brew install postgresql@17    (macOS)
END
exit 1
