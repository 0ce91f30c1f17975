use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callslip::cluster::Cluster;

use crate::connect;
use crate::pgbouncer::run_as_owner;

/// How long a replica may take to start, and to stop.
const WITHIN: Duration = Duration::from_secs(60);

/// What [`Cluster`] needs to have replicas, as settings of its own.
pub const REPLICATED: [(&str, &str); 3] =
    [("wal_level", "replica"), ("max_wal_senders", "10"), ("wal_keep_size", "256MB")];

/// Runs a server for as long as standard input stays open: the pipe that only we hold the other end of, so that it ends when we do,
/// whatever ends us. A terminal's signals are for us.
const KEEPER: &str = "trap '' INT TERM HUP PIPE\n\
    \"$1\" -D \"$2\" </dev/null >>\"$2.log\" 2>&1 &\n\
    while read -r _; do :; done\n\
    kill -QUIT $!\n\
    wait $!";

/// A streaming replica of a private PostgreSQL, with its socket in the folder of that one.
#[derive(Debug)]
pub struct Replica {
    /// The folder of the cluster.
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    /// Its keeper, while it runs.
    keeper: Option<Child>,
}

impl Replica {
    /// Copies a cluster that was started with [`REPLICATED`], and starts the copy. The port is that in the name of its socket, and
    /// no other's of the cluster.
    ///
    /// # Panics
    /// If the cluster can't be copied, or the copy does not start.
    pub async fn start(cluster: &Cluster, port: u16) -> Self {
        let (folder, programs) = (cluster.folder().to_owned(), cluster.binaries().folder().to_owned());
        let mut replica = Self { folder, programs, port, keeper: None };
        // By SQL, since not every PostgreSQL comes with its programs for clients.
        let [begin, end] = match cluster.binaries().major() {
            ..15 => [
                "SELECT pg_start_backup('replica', true, false)",
                "SELECT labelfile FROM pg_stop_backup(false, false)",
            ],
            _ => ["SELECT pg_backup_start('replica', true)", "SELECT labelfile FROM pg_backup_stop(false)"],
        };
        let owner = connect(&cluster.config()).await;
        owner.batch_execute(begin).await.expect("a copy can be made");
        replica.shell("cp -a data \"$1\" && rm \"$1\"/postmaster.*", "");
        let label: String = owner.query_one(end, &[]).await.expect("the copy can be used").get(0);
        let settings = format!(
            "port = {port}\nprimary_conninfo = 'host=''{}'' port=5432 user=postgres'\n",
            replica.folder.display()
        );
        replica.shell("cat >\"$1/backup_label\"", &label);
        replica.shell("cat >>\"$1/postgresql.auto.conf\" && : >\"$1/standby.signal\"", &settings);
        replica.resume();
        replica
    }

    /// Does something with its data, `$1`, as the user whose they are.
    fn shell(&self, script: &str, input: &str) {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "replica"]).arg(self.data()).current_dir(&self.folder);
        run_as_owner(&mut shell, &self.folder);
        let mut shell = shell.stdin(Stdio::piped()).spawn().expect("a shell");
        let mut stdin = shell.stdin.take().expect("it is ours");
        stdin.write_all(input.as_bytes()).expect("it takes what it is given");
        drop(stdin);
        assert!(shell.wait().is_ok_and(|status| status.success()), "{script}");
    }

    /// Where its data is; its log is beside that.
    fn data(&self) -> PathBuf {
        self.folder.join(format!("replica{}", self.port))
    }

    /// Starts it, after [`Replica::stop`].
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&mut self) {
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, "replica"]).arg(self.programs.join("postgres")).arg(self.data());
        keeper.current_dir(&self.folder).process_group(0);
        run_as_owner(&mut keeper, &self.folder);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            keeper.env_remove(name);
        }
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.keeper = Some(keeper.spawn().expect("a shell"));
        let start = Instant::now();
        let pid_file = self.data().join("postmaster.pid");
        let is_ready = || {
            let state = fs::read_to_string(&pid_file).unwrap_or_default();
            state.lines().nth(7).is_some_and(|line| line.starts_with("ready"))
        };
        while !is_ready() {
            let log = || fs::read_to_string(self.data().with_extension("log")).unwrap_or_default();
            assert!(start.elapsed() < WITHIN, "the replica does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it at once, with all that runs there.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            _ = keeper.wait();
        }
    }

    /// Its URL, from that of the same on the cluster.
    pub fn url(&self, direct: &str) -> String {
        format!("{direct}&port={}", self.port)
    }

    /// How the configuration names it.
    pub fn place(&self) -> String {
        format!("host={} port={}", self.folder.display(), self.port)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop();
    }
}
