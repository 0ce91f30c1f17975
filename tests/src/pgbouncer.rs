use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;

/// Whether hosts connect through a pooler: `pgbouncer`, or nothing.
const WANTED: &str = "CALLSLIP_TEST_POOLER";
/// The program of `host/setup/pgbouncer.sh`.
const PROGRAM: &str = "CALLSLIP_PGBOUNCER";
/// The port in the name of its socket.
const PORT: u16 = 6432;
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
pub struct PgBouncer(Child);

/// Whether the hosts of this run of the tests connect through a pooler, as `CALLSLIP_TEST_POOLER=pgbouncer` says.
///
/// # Panics
/// If `CALLSLIP_TEST_POOLER` names another one.
pub fn is_pooled() -> bool {
    match env::var(WANTED).as_deref() {
        Err(_) | Ok("") => false,
        Ok("pgbouncer") => true,
        Ok(other) => panic!("{WANTED} is pgbouncer or nothing, not {other}"),
    }
}

/// Whether a test is to be left out since hosts connect through a pooler, for a reason that lies in what it tests. Says so on
/// standard error.
///
/// # Panics
/// If `CALLSLIP_TEST_POOLER` names another pooler.
pub fn is_left_out(reason: &str) -> bool {
    if is_pooled() {
        let thread = std::thread::current();
        // The test harness keeps to itself what `eprintln!` prints.
        let _ = writeln!(
            io::stderr(),
            "left out behind PgBouncer: {}: {reason}",
            thread.name().unwrap_or("a test")
        );
    }
    is_pooled()
}

/// A configuration for hosts that connect as [`Database::url`](crate::Database::url) says, through a pooler or not.
///
/// # Panics
/// If `CALLSLIP_TEST_POOLER` names another pooler.
pub fn configured(text: &str) -> String {
    const SETTING: &str = "[pool]\npooler = \"transaction\"\n";
    match (is_pooled(), text.split_once("[pool]\n")) {
        (false, _) => text.to_owned(),
        (true, Some((before, after))) => format!("{before}{SETTING}{after}"),
        (true, None) => format!("{text}\n{SETTING}"),
    }
}

impl PgBouncer {
    /// Starts it with its socket, beside the server's own, in the folder of a cluster, as the user whose folder that is. The
    /// settings are lines more of its file.
    ///
    /// # Panics
    /// If there is no PgBouncer on this machine, or it does not start.
    pub fn start(folder: &Path, settings: &str) -> Self {
        let shown = folder.display();
        let file = format!(
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
             server_login_retry = 0.1\n\
             logfile = {shown}/pgbouncer.log\n{settings}"
        );
        fs::write(folder.join("pgbouncer.ini"), file).expect("the cluster's folder takes a file");
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, "pooler"]).arg(program()).current_dir(folder).process_group(0);
        run_as_owner(&mut keeper, folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let pgbouncer = Self(keeper.spawn().expect("a shell"));
        let (socket, started) = (folder.join(format!(".s.PGSQL.{PORT}")), Instant::now());
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let log = || fs::read_to_string(folder.join("pgbouncer.log")).unwrap_or_default();
            assert!(started.elapsed() < STARTS_WITHIN, "PgBouncer does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        pgbouncer
    }

    /// The URL of a database behind it, which is one of its cluster's.
    pub fn url(&self, direct: &str) -> String {
        format!("{direct}&port={PORT}")
    }

    /// Waits until it has a session of its own behind a client of this URL, after its server was away.
    ///
    /// # Panics
    /// If that takes too long.
    pub(crate) fn wait_for_session(&self, url: &str) {
        let config: tokio_postgres::Config = url.parse().expect("a URL");
        let asked = async {
            loop {
                if let Ok((client, connection)) = config.connect(NoTls).await {
                    let driver = tokio::spawn(connection);
                    let answered = client.batch_execute("SELECT 1").await;
                    driver.abort();
                    if answered.is_ok() {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // On a thread of its own: the test's may be of a runtime.
        let waited = std::thread::scope(|scope| {
            let wait = || {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                runtime.block_on(async { tokio::time::timeout(STARTS_WITHIN, asked).await })
            };
            scope.spawn(wait).join()
        });
        waited.expect("it waits").expect("PgBouncer has a session again");
    }
}

impl Drop for PgBouncer {
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
