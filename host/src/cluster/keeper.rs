use std::{
    env, fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe,
};

use super::{Binaries, ClusterError, account::Account};

const SCRIPT: &str = include_str!("keeper.sh");

/// How long a server may take to stop, and its folder to go.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked whether it is gone.
const POLL: Duration = Duration::from_millis(5);

/// How much of a log an error shows, in bytes.
const LOG_END: usize = 4096;

/// The length of a unix socket's path is limited, to 104 bytes on some systems; the folder's own name and the socket's
/// take 33.
const LONGEST_PARENT: usize = 70;

/// The process that runs the server, and that stops it and removes its folder when its standard input ends.
///
/// Only this process holds the other end of that pipe, and no child of it inherits it, so it ends when we do, whatever
/// ends us.
#[derive(Debug)]
pub(super) struct Keeper {
    process: Child,
    /// Open for as long as the server is wanted.
    wanted: Option<ChildStdin>,
    /// Empty until the keeper has said it.
    folder: PathBuf,
}

impl Keeper {
    /// Makes a cluster and waits until it is ready.
    pub(super) async fn start(
        binaries: &Binaries,
        settings: &str,
        timeout: Duration,
    ) -> Result<Self, ClusterError> {
        let account = Account::to_become()?;
        let parent = parent_folder(&env::temp_dir(), account.is_some());
        let (mut keeper, said) = Self::spawn(binaries, settings, timeout, account, &parent)?;
        match tokio::time::timeout(timeout, keeper.listen(said)).await {
            Ok(Ok(())) => Ok(keeper),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let log = keeper.log();
                let _ = keeper.sweep();
                Err(ClusterError::StartTimeout { after: timeout, log })
            }
        }
    }

    fn spawn(
        binaries: &Binaries,
        settings: &str,
        timeout: Duration,
        account: Option<Account>,
        parent: &Path,
    ) -> Result<(Self, pipe::Receiver), ClusterError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "callslip-keeper"]).arg(parent).arg(binaries.folder()).arg(settings);
        // A little longer than ourselves, so that it is we who report a timeout.
        command.arg((timeout.as_secs() + 5).to_string());
        command.current_dir(parent).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Its own group: a terminal's Ctrl-C is not for it.
        command.process_group(0);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        if let Some(account) = account {
            // Giving up root this way drops the supplementary groups as well.
            command.gid(account.gid).uid(account.uid);
        }
        let mut process = command.spawn().map_err(ClusterError::Keeper)?;
        let wanted = process.stdin.take();
        let said = process.stdout.take().map(OwnedFd::from);
        let keeper = Self { process, wanted, folder: PathBuf::new() };
        let said = said.ok_or_else(|| ClusterError::Keeper(io::ErrorKind::BrokenPipe.into()))?;
        let said = pipe::Receiver::from_owned_fd(said).map_err(ClusterError::Keeper)?;
        Ok((keeper, said))
    }

    /// Hears from the keeper until the server is ready.
    async fn listen(&mut self, said: pipe::Receiver) -> Result<(), ClusterError> {
        let mut lines = BufReader::new(said).lines();
        while let Some(line) = lines.next_line().await.map_err(ClusterError::Keeper)? {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("folder", folder) => self.folder = PathBuf::from(folder),
                ("ready", _) => return Ok(()),
                ("failed", "") => return Err(ClusterError::StartFailed { log: self.log() }),
                ("failed", why) => return Err(ClusterError::StartFailed { log: why.to_owned() }),
                _ => {}
            }
        }
        Err(ClusterError::Keeper(io::Error::other("it ended before the server was ready")))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The end of the log of `initdb` and the server.
    fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        let end = &bytes[bytes.len().saturating_sub(LOG_END)..];
        String::from_utf8_lossy(end).trim().to_owned()
    }

    /// Stops the server and waits until its folder is gone.
    pub(super) async fn stop(&mut self) -> Result<(), ClusterError> {
        self.wanted = None;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !self.ended() && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        self.sweep()
    }

    fn ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Ends the server and removes its folder without the keeper, which something ended, or which hangs.
    fn sweep(&mut self) -> Result<(), ClusterError> {
        if !self.ended() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        if self.folder.as_os_str().is_empty() || !self.folder.exists() {
            return Ok(());
        }
        if let Some(postmaster) = self.postmaster() {
            let _ = kill(postmaster, Signal::SIGQUIT);
            let deadline = Instant::now() + STOP_TIMEOUT;
            // Its file goes when it ends; its number may stay, where nobody collects orphans.
            while self.postmaster().is_some() && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
        }
        // Whatever else the keeper had started: `initdb`.
        let _ = killpg(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGKILL);
        fs::remove_dir_all(&self.folder).map_err(|_| ClusterError::StopFailed { folder: self.folder.clone() })
    }

    /// The server's process, by the file that it keeps while it runs.
    fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        // While `initdb` runs a server of its own there, the number is negative.
        file.lines().next()?.trim().parse().ok().filter(|pid| *pid > 0).map(Pid::from_raw)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.wanted = None;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !self.ended() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _ = self.sweep();
    }
}

/// Where the folder is made: in the machine's temporary folder, if its path is short and plain, and another user can use it
/// where there is one.
fn parent_folder(temporary: &Path, shared: bool) -> PathBuf {
    let plain = |path: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+".contains(&b);
        path.starts_with('/') && path.len() <= LONGEST_PARENT && path.bytes().all(plain)
    };
    let mode = |folder: &Path| fs::metadata(folder).map_or(0, |about| about.permissions().mode());
    let open = || mode(temporary) & 0o003 == 0o003 && temporary.ancestors().all(|a| mode(a) & 0o001 != 0);
    if temporary.to_str().is_some_and(plain) && (!shared || open()) {
        temporary.to_owned()
    } else {
        PathBuf::from("/tmp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_a_socket_fits_and_the_server_may_write() {
        let other = PathBuf::from("/tmp");
        assert_eq!(parent_folder(Path::new("/var/tmp"), false), Path::new("/var/tmp"));
        assert_eq!(parent_folder(Path::new("/var/folders/it's"), false), other);
        assert_eq!(parent_folder(Path::new("relative"), false), other);
        assert_eq!(parent_folder(Path::new(&format!("/{}", "x".repeat(70))), false), other);
        // A folder of our own: for us, but for nobody else.
        let own = tempfile::tempdir().unwrap();
        assert_eq!(parent_folder(own.path(), false), own.path());
        assert_eq!(parent_folder(own.path(), true), other);
    }
}
