# Keeps a private PostgreSQL for as long as standard input stays open, and leaves nothing behind.
# Arguments: the folder for its folder, the folder of PostgreSQL's programs, lines of postgresql.conf, seconds to start in.
# Says on standard output: `folder <its folder>`, then `ready` or `failed`.

# A terminal's signals are for the program that we keep it for; when that is gone, our output is too.
trap '' INT TERM HUP PIPE
umask 077
parent=$1 programs=$2 settings=$3 seconds=$4 postmaster=

folder=$(mktemp -d "$parent/callslip-XXXXXXXX" 2>&1) || { echo "failed $folder"; exit 1; }
cd "$folder" || exit 1
echo "folder $folder"

make() {
  "$programs/initdb" --pgdata=data --username=postgres --auth-local=trust --auth-host=reject \
    --encoding=UTF8 --locale=C --no-sync --no-instructions &&
    printf "%s\nunix_socket_directories = '%s'\n" "$settings" "$folder" >>data/postgresql.conf
}

start() {
  "$programs/postgres" -D data &
  postmaster=$!
  tries=$((seconds * 50))
  while [ "$tries" -gt 0 ] && kill -0 "$postmaster"; do
    case $(sed -n 8p data/postmaster.pid) in ready*) return ;; esac
    tries=$((tries - 1))
    sleep 0.02
  done 2>/dev/null
  return 1
}

if make </dev/null >>log 2>&1 && start </dev/null >>log 2>&1; then echo ready; else echo failed; fi

while read -r _; do :; done

if [ -n "$postmaster" ]; then
  kill -QUIT "$postmaster" # an immediate shutdown
  wait "$postmaster"
fi
cd / && rm -rf "$folder"
