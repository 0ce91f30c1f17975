use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether hosts connect through a pooler: `pgbouncer`, or nothing.
const WANTED: &str = "CALLSLIP_TEST_POOLER";
/// The program of `host/setup/pgbouncer.sh`.
const PROGRAM: &str = "CALLSLIP_PGBOUNCER";
/// The port in the name of its socket.
pub(crate) const PORT: u16 = 6432;
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Runs PgBouncer for as long as standard input stays open: the pipe that only we hold the other end of, so that it ends when
/// we do, whatever ends us. A terminal's signals are for us.
const KEEPER: &str = "trap '' INT TERM HUP PIPE\n\
    \"$1\" pgbouncer.ini </dev/null >/dev/null 2>&1 &\n\
    while read -r _; do :; done\n\
    kill -KILL $!";

/// A private PgBouncer in transaction mode before a private PostgreSQL. Every client of it shares three sessions with all
/// others of its role in its database, and needs no password.
#[derive(Debug)]
pub(crate) struct Pooler(Child);

/// Whether the hosts of this run of the tests connect through a pooler, as `CALLSLIP_TEST_POOLER=pgbouncer` says.
///
/// # Panics
/// If it asks for another one.
pub fn is_pooled() -> bool {
    match env::var(WANTED).as_deref() {
        Err(_) | Ok("") => false,
        Ok("pgbouncer") => true,
        Ok(other) => panic!("{WANTED} is pgbouncer or nothing, not {other}"),
    }
}

/// A configuration for hosts that connect as [`Database::url`](crate::Database::url) says, through a pooler or not.
///
/// # Panics
/// As [`is_pooled`].
pub fn configured(text: &str) -> String {
    const SETTING: &str = "[pool]\npooler = \"transaction\"\n";
    match (is_pooled(), text.split_once("[pool]\n")) {
        (false, _) => text.to_owned(),
        (true, Some((before, after))) => format!("{before}{SETTING}{after}"),
        (true, None) => format!("{text}\n{SETTING}"),
    }
}

impl Pooler {
    /// Starts it with its socket, beside the server's own, in the folder of a cluster, as the user whose folder that is.
    ///
    /// # Panics
    /// If there is no PgBouncer on this machine, or it does not start.
    pub fn start(folder: &Path) -> Self {
        let shown = folder.display();
        let settings = format!(
            "[databases]\n\
             * = host={shown} port=5432 auth_user=postgres\n\
             [pgbouncer]\n\
             pool_mode = transaction\n\
             default_pool_size = 3\n\
             max_client_conn = 500\n\
             unix_socket_dir = {shown}\n\
             listen_port = {PORT}\n\
             auth_type = trust\n\
             auth_query = SELECT rolname, '' FROM pg_catalog.pg_roles WHERE rolname = $1\n\
             logfile = {shown}/pgbouncer.log\n"
        );
        fs::write(folder.join("pgbouncer.ini"), settings).expect("the cluster's folder takes a file");
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, "pooler"]).arg(program()).current_dir(folder).process_group(0);
        run_as_owner(&mut keeper, folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let pooler = Self(keeper.spawn().expect("a shell"));
        let (socket, started) = (folder.join(format!(".s.PGSQL.{PORT}")), Instant::now());
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let log = || fs::read_to_string(folder.join("pgbouncer.log")).unwrap_or_default();
            assert!(started.elapsed() < STARTS_WITHIN, "PgBouncer does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Has a command run as the user whose folder it is. Only root may say so, and needs to: neither PostgreSQL nor PgBouncer runs
/// as root.
pub(crate) fn run_as_owner(command: &mut Command, folder: &Path) {
    let owner = fs::metadata(folder).expect("the cluster's folder is there");
    if owner.uid() != fs::metadata("/proc/self").map_or(owner.uid(), |own| own.uid()) {
        command.uid(owner.uid()).gid(owner.gid());
    }
}

fn program() -> PathBuf {
    if let Some(program) = env::var_os(PROGRAM).filter(|program| !program.is_empty()) {
        return program.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // Not everybody's PATH has the folder where Debian has it.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!("there is no PgBouncer; host/setup/pgbouncer.sh brings it, {PROGRAM} says where it is")
    })
}
