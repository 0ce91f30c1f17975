//! A server under 256 clients that never pause, while its plugin is exchanged every second, its PostgreSQL is restarted, and one
//! client in ten goes away in the middle of a reply.
//!
//! What must hold: no reply is wrong or looks whole without being so, no reload is lost, whoever is refused is refused with a
//! clean 503, and memory does not grow. Replies that are cut, as they must be when the database goes away under them, are counted apart.
//!
//! `CALLSLIP_SOAK_S` says for how many seconds; `make soak` takes two minutes.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod client;
#[path = "../service/served.rs"]
#[allow(dead_code, reason = "it is made for the tests of the service")]
mod served;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callslip_tests::{Database, component};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::client::{Client, Ended};
use crate::served::{SOON, Served};

const CLIENTS: usize = 256;
/// What there is to see: one before the database restarts, the one while it is away, and one after.
const LEAST_RELOADS: u32 = 3;

/// Which requests are made, and what is answered.
type Expected = Arc<BTreeMap<String, Vec<u8>>>;

#[derive(Default)]
struct Counts {
    whole: AtomicU64,
    refused: AtomicU64,
    cut: AtomicU64,
    left: AtomicU64,
    unreached: AtomicU64,
}

fn seconds() -> u64 {
    std::env::var("CALLSLIP_SOAK_S").map_or(15, |seconds| seconds.parse().expect("a number of seconds"))
}

/// The component with other bytes, which mean nothing: another version for whoever looks at its digest.
fn version(component: &[u8], number: u32) -> Vec<u8> {
    let mut version = component.to_vec();
    // A custom section: its id, its size, the length of its name, its name, and what it holds.
    version.extend_from_slice(&[0, 9, 4]);
    version.extend_from_slice(b"soak");
    version.extend_from_slice(&number.to_le_bytes());
    version
}

/// Replaces a file whole.
fn replace(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, file).unwrap();
}

/// The memory of a process, in KiB.
fn memory(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn expected(address: SocketAddr) -> Expected {
    let mut paths = vec!["/q/language/ratings".to_owned(), "/q/language/ratings?format=csv".to_owned()];
    paths.extend((1..=8).map(|id| format!("/q/language/position?id={id}")));
    paths.extend((1..=4).map(|company| format!("/q/hiring/funnel?company={company}")));
    let mut client = Client::new(address);
    let mut expected = BTreeMap::new();
    for path in paths {
        match client.get(&path, false).await {
            Ended::Whole { status: 200, body, .. } => expected.insert(path, body),
            other => panic!("{path}: {other:?}"),
        };
    }
    Arc::new(expected)
}

/// A client that asks until it is over.
async fn ask(
    number: usize,
    address: SocketAddr,
    expected: Expected,
    counts: Arc<Counts>,
    over: Arc<AtomicBool>,
) {
    let mut client = Client::new(address);
    // Any sequence that is another one for each client.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let paths: Vec<&String> = expected.keys().collect();
    while !over.load(Ordering::Relaxed) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let path = paths[(random >> 33) as usize % paths.len()];
        let leaves = (random >> 20).is_multiple_of(10);
        let count = match client.get(path, leaves).await {
            Ended::Whole { status: 200, body, .. } => {
                assert!(body == expected[path], "{path}: another reply of {} bytes", body.len());
                &counts.whole
            }
            Ended::Whole { status: 503, head, body } => {
                let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem");
                assert!(problem["code"].as_str().is_some_and(|code| code.starts_with("CS")), "{problem}");
                assert!(head.contains("retry-after: "), "{head}");
                &counts.refused
            }
            Ended::Whole { status, body, .. } => {
                panic!("{path}: {status} {}", String::from_utf8_lossy(&body));
            }
            Ended::Cut { status: 200 } => &counts.cut,
            Ended::Cut { status } => panic!("{path}: a cut reply of status {status}"),
            Ended::Left => &counts.left,
            Ended::Unreached => &counts.unreached,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_holds() {
    let database = Arc::new(Database::new(&[("max_connections", "60")]).await);
    let (hiring, language) = (component("example-plugins/hiring"), component("tests/guests/language"));
    let folder = tempfile::tempdir().unwrap();
    let (bytes, file) = (fs::read(hiring).unwrap(), folder.path().join("hiring.wasm"));
    replace(&file, &version(&bytes, 0));
    let config = format!(
        "[pool]\nsize = 16\nwait_ms = 2000\n[limits]\ncall_ms = 60000\n[reload]\nwatch = false\n\
         [telemetry]\nlog_filter = \"warn,callslip=info,callslip::audit=off,callslip::call=off\"\n\
         [plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\nrelations = [\"public.*\"]\n\
         [plugins.language]\ncomponent = {language:?}\n[plugins.language.grants]\nrelations = [\"public.*\"]\n"
    );
    let served = Served::start_in(folder, &database.url(), &config, &[]);
    let address = served.address();
    let expected = expected(address).await;
    let (counts, over) = (Arc::<Counts>::default(), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(ask(number, address, expected.clone(), counts.clone(), over.clone())))
        .collect();
    let (began, lasts) = (Instant::now(), Duration::from_secs(seconds()));
    let (mut reloads, mut is_restarted, mut sizes) = (0, false, Vec::new());
    // On a slow machine it goes on until there is something to see.
    while began.elapsed() < lasts || (reloads < LEAST_RELOADS && began.elapsed() < 20 * lasts) {
        reloads += 1;
        replace(&file, &version(&bytes, reloads));
        let lines = served.lines().len();
        let second = Instant::now();
        served.signal(Signal::SIGHUP);
        if !is_restarted && began.elapsed() > lasts / 2 {
            is_restarted = true;
            let database = database.clone();
            let restart = move || {
                database.stop();
                std::thread::sleep(Duration::from_secs(1));
                database.restart();
            };
            tokio::task::spawn_blocking(restart).await.unwrap();
        }
        // Also the one that was asked for when the database was away is served when it is back.
        tokio::task::block_in_place(|| served.wait_for_after(lines, "the new version"));
        sizes.push(memory(served.pid()));
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(second.elapsed())).await;
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        tokio::time::timeout(SOON, client).await.expect("a client ends").unwrap();
    }
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (whole, cut) = (count(&counts.whole), count(&counts.cut));
    println!(
        "{} s: {whole} whole replies, {} refused, {cut} cut, {} left by their clients, {} not reached, {reloads} \
         reloads; memory {} to {} MiB",
        began.elapsed().as_secs(),
        count(&counts.refused),
        count(&counts.left),
        count(&counts.unreached),
        sizes.iter().min().unwrap() / 1024,
        sizes.iter().max().unwrap() / 1024,
    );
    assert!(is_restarted && reloads >= LEAST_RELOADS, "{reloads} reloads");
    assert!(whole > 100, "{whole} whole replies");
    assert!(count(&counts.left) > 10);
    // Whatever was under way when the database went away, and nothing else.
    assert!(cut <= CLIENTS as u64, "{cut} cut replies");
    assert_eq!(count(&counts.unreached), 0);
    // Its last quarter is as its second, when everybody has been there.
    let median = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    };
    let quarter = sizes.len() / 4;
    if quarter >= 4 {
        let (early, late) = (median(&sizes[quarter..2 * quarter]), median(&sizes[3 * quarter..]));
        assert!(late < early + early / 5 + (16 << 10), "from {early} to {late} KiB");
    }
}
