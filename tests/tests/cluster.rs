//! A private PostgreSQL starts, answers, and leaves nothing behind, whatever ends the process that started it.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::{
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use callslip::cluster::{Cluster, ClusterError, ClusterOptions};
use callslip_tests::connect;
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio_postgres::Client;

async fn setting(client: &Client, name: &str) -> String {
    client.query_one("SELECT current_setting($1)", &[&name]).await.unwrap().get(0)
}

fn postmaster(folder: &Path) -> Pid {
    let file = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
}

fn runs(process: Pid) -> bool {
    kill(process, None).is_ok()
}

#[tokio::test]
async fn it_answers_its_superuser_on_its_socket_alone() {
    let options =
        ClusterOptions::default().setting("max_connections", "17").setting("shared_buffers", "16MB");
    let cluster = Cluster::start(options).await.unwrap();
    let folder = cluster.folder().to_owned();
    let server = postmaster(&folder);

    let client = connect(&cluster.config()).await;
    assert_eq!(setting(&client, "max_connections").await, "17");
    assert_eq!(setting(&client, "shared_buffers").await, "16MB");
    assert_eq!(setting(&client, "listen_addresses").await, "");
    assert_eq!(setting(&client, "server_encoding").await, "UTF8");
    assert_eq!(setting(&client, "is_superuser").await, "on");
    assert!(setting(&client, "server_version").await.starts_with(cluster.binaries().version()));

    // Another user of this machine can't reach the socket.
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    // Nor does the server keep rights of ours.
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap_or_default();
    for line in status.lines().filter(|line| nix::unistd::geteuid().is_root() && line.starts_with("Groups:"))
    {
        assert_eq!(line.trim(), "Groups:");
    }

    cluster.stop().await.unwrap();
    assert!(!runs(server) && !folder.exists());
}

#[tokio::test]
async fn databases_are_made_whatever_their_name() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let name = r#"a "b" & c/ü"#;
    let config = cluster.create_database(name).await.unwrap();
    for config in [config, cluster.url(name).parse().unwrap()] {
        let client = connect(&config).await;
        let database: String = client.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
        assert_eq!(database, name);
    }
    let again = cluster.create_database(name).await.unwrap_err();
    assert!(again.to_string().contains("already exists (SQLSTATE 42P04)"), "{again}");
}

#[tokio::test]
async fn two_run_side_by_side_and_dropping_one_removes_it() {
    let (one, two) =
        tokio::join!(Cluster::start(ClusterOptions::default()), Cluster::start(ClusterOptions::default()));
    let (one, two) = (one.unwrap(), two.unwrap());
    let (folder, server) = (one.folder().to_owned(), postmaster(one.folder()));
    drop(one);
    assert!(!runs(server) && !folder.exists());
    connect(&two.config()).await.simple_query("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_its_log() {
    let options = ClusterOptions::default().setting("shared_buffers", "banana");
    let error = Cluster::start(options).await.unwrap_err();
    assert!(matches!(error, ClusterError::StartFailed { .. }));
    assert!(error.to_string().contains("invalid value for parameter \"shared_buffers\""), "{error}");
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_given_up() {
    let error =
        Cluster::start(ClusterOptions::default().timeout(Duration::from_millis(100))).await.unwrap_err();
    assert!(matches!(error, ClusterError::StartTimeout { .. }), "{error}");
}

/// Not a test of its own: the process that the tests below end, in the midst of its work.
#[tokio::test]
async fn child_that_holds_a_cluster() {
    if std::env::var_os("CALLSLIP_TEST_CHILD").is_none() {
        return;
    }
    println!("child: starting");
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    // Another child of its own must not keep the pipe to the keeper open.
    let mut other = Command::new("sleep").arg("20").stdout(Stdio::null()).spawn().unwrap();
    println!("child: {} {}", postmaster(cluster.folder()), cluster.folder().display());
    other.wait().unwrap();
}

/// The child, and what it says, without waiting for it.
fn child(temporary: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_holds_a_cluster", "--nocapture"]);
    command.env("CALLSLIP_TEST_CHILD", "1").env("TMPDIR", temporary);
    let mut child = command.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines.filter_map(|line| line.split_once("child: ").map(|(_, said)| said.to_owned())))
}

/// A temporary folder that the server's user may write to as well.
fn temporary_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    folder
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn within_seconds(seconds: u64, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < deadline {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    for signal in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGHUP, Signal::SIGTERM] {
        let temporary = temporary_folder();
        let (mut child, mut said) = child(temporary.path());
        let said = said.nth(1).expect("the child says where its cluster is");
        let (server, folder) = said.split_once(' ').unwrap();
        let (server, folder) = (Pid::from_raw(server.parse().unwrap()), Path::new(folder));
        assert!(runs(server) && folder.starts_with(temporary.path()) && folder.exists());
        // As a terminal does on Ctrl-C: the whole group. On SIGKILL only the process, so that its own child survives.
        let id = Pid::from_raw(child.id().cast_signed());
        if signal == Signal::SIGKILL {
            kill(id, signal).unwrap()
        } else {
            killpg(id, signal).unwrap()
        }
        child.wait().unwrap();
        assert!(
            within_seconds(10, || !runs(server) && !folder.exists()),
            "{signal}: {server} {}",
            folder.display()
        );
        let _ = killpg(id, Signal::SIGKILL);
    }
}

#[test]
fn nothing_is_left_when_the_process_is_killed_while_it_starts() {
    let temporary = temporary_folder();
    let (mut child, mut said) = child(temporary.path());
    assert_eq!(said.next().as_deref(), Some("starting"));
    assert!(within_seconds(10, || !is_empty(temporary.path())));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!is_empty(temporary.path()));
    assert!(within_seconds(20, || is_empty(temporary.path())));
}

#[tokio::test]
async fn what_a_killed_keeper_leaves_is_removed_by_us() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let (folder, server) = (cluster.folder().to_owned(), postmaster(cluster.folder()));
    // The keeper leads the server's process group.
    kill(nix::unistd::getpgid(Some(server)).unwrap(), Signal::SIGKILL).unwrap();
    cluster.stop().await.unwrap();
    assert!(!folder.exists() && within_seconds(5, || !runs(server)));
}
