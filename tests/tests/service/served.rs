//! A server in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long anything may take that takes no time of note on a machine that is not busy.
pub const SOON: Duration = Duration::from_secs(60);

/// A `callslip serve` with a folder of its own, which has its configuration. It is killed when this is dropped.
pub struct Served {
    child: Child,
    folder: TempDir,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Served {
    /// Starts it on a database, with this configuration and further arguments. It takes a port that is free.
    pub fn start(url: &str, config: &str, arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), url, config, arguments)
    }

    /// The same with these variables in its environment.
    pub fn start_with(url: &str, config: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_process(tempfile::tempdir().unwrap(), url, config, arguments, variables)
    }

    /// The same in a folder, which may have files that the configuration names.
    pub fn start_in(folder: TempDir, url: &str, config: &str, arguments: &[&str]) -> Self {
        Self::start_process(folder, url, config, arguments, &[])
    }

    /// The same with both.
    pub fn start_process(
        folder: TempDir,
        url: &str,
        config: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        fs::write(folder.path().join("callslip.toml"), config).unwrap();
        let mut child = command()
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", url])
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::<Log>::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let writer = log.clone();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                writer.lines.lock().unwrap().push(line);
                writer.more.notify_all();
            }
        });
        Self { child, folder, log }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder().join("callslip.toml")
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// The address that it listens on, once it does.
    pub fn address(&self) -> SocketAddr {
        self.address_after("listening on http://")
    }

    /// The address in the first line of its log that has these words, right after them.
    pub fn address_after(&self, words: &str) -> SocketAddr {
        let line = self.wait_for(words);
        let (_, address) = line.split_once(words).unwrap();
        address.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Waits for a line of its log that has these words.
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_for_after(0, words)
    }

    /// The same, after so many lines: see [`Served::lines`].
    pub fn wait_for_after(&self, lines: usize, words: &str) -> String {
        let deadline = Instant::now() + SOON;
        let mut log = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = log.iter().skip(lines).find(|line| line.contains(words)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {words:?} in {:#?}", &log[lines.min(log.len())..]);
            log = self.log.more.wait_timeout(log, left).unwrap().0;
        }
    }

    /// What it has logged so far.
    pub fn lines(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().clone()
    }

    /// Waits until it has ended by itself, and says with which code.
    pub fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + SOON;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None if Instant::now() > deadline => panic!("it goes on: {:#?}", self.lines()),
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The `callslip` command. Nothing that the machine is configured for reaches it.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callslip-command"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}
