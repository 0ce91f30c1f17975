//! What is in the log of the server and of the commands: each failure once, where the host says it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callslip_tests::{configured, database};

use crate::client::{get, send};
use crate::command::callslip;
use crate::support::config;

/// A server, and the lines of its log.
struct Server {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = config("language", "tests/guests/language");
    std::fs::write(folder.path().join("callslip.toml"), configured(&text)).unwrap();
    folder
}

impl Server {
    fn start(filter: &str) -> Self {
        let folder = folder();
        let mut command = callslip();
        command.args(["serve", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
        command.env("DATABASE_URL", database().url()).env("RUST_LOG", filter).env("NO_COLOR", "1");
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        std::thread::spawn(move || lines.for_each(|line| kept.lock().unwrap().push(line.unwrap())));
        Self { process, log, _folder: folder }
    }

    /// The first line that holds this; it may take its time.
    fn line(&self, part: &str) -> String {
        let started = Instant::now();
        loop {
            if let [first, ..] = &self.lines(part)[..] {
                return first.clone();
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no {part} in {:#?}",
                self.log.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn lines(&self, part: &str) -> Vec<String> {
        self.log.lock().unwrap().iter().filter(|line| line.contains(part)).cloned().collect()
    }
}

#[tokio::test]
async fn a_server_says_once_what_became_of_each_call() {
    let server = Server::start("callslip=info,callslip::call=debug,callslip::service=debug");
    let line = server.line("listening on http://");
    let address = line.split_once("http://").unwrap().1.trim().parse().unwrap();
    let before = server.lines("language").len();
    let cases = [
        ("/q/language/position?id=1", 200, "INFO", "outcome=\"complete\""),
        ("/q/language/position?id=2000000000", 404, "INFO", "outcome=\"missing\""),
        ("/q/language/position?id=seven", 400, "DEBUG", "code=\"CS1005\""),
        ("/q/language/made_up", 404, "DEBUG", "code=\"CS1002\""),
        ("/q/language/slices?limit=-1", 400, "WARN", "code=\"CS1012\""),
        ("/q/language/search?words=panic", 500, "ERROR", "code=\"CS1201\""),
        // After some of it was sent.
        ("/q/language/breaking", 200, "ERROR", "code=\"CS1103\""),
    ];
    let mut failures = 0;
    for (n, (path, status, level, says)) in cases.into_iter().enumerate() {
        assert_eq!(get(address, path).await.status, status, "{path}");
        let line = server.line(says);
        assert!(line.contains(level), "{path}: {line}");
        assert!(line.contains("plugin=\"language\""), "{path}: {line}");
        let told = server.lines("a call has ended");
        assert_eq!(told.len(), n + 1, "{path}");
        assert!(told[n].contains("ran_on=\"pool\"") && told[n].contains("caller=\"127.0.0.1:"), "{told:?}");
        // Why it has failed is said by itself.
        failures += usize::from(says.starts_with("code="));
        let count = before + n + 1 + failures;
        assert_eq!(server.lines("language").len(), count, "{path}: another says something");
    }
    assert!(server.line("code=\"CS1103\"").contains("division by zero"), "what PostgreSQL said");

    // What the service can't buffer for a client of HTTP/1.0 is said too, and once.
    let found = send(address, "GET /q/language/everything_rated HTTP/1.0\r\n\r\n").await;
    let problem = found.assert_problem(500, "CS1108");
    assert!(problem["detail"].as_str().unwrap().contains("16777216 for clients of HTTP/1.0"), "{problem}");
    assert!(server.line("code=\"CS1108\"").contains("ERROR"));
    assert_eq!(server.lines("everything_rated").len(), 2);
}

#[test]
fn a_command_says_by_itself_what_became_of_its_call() {
    let folder = folder();
    for (verbose, times) in [("-q", 1), ("--", 1), ("-v", 1), ("-vv", 2)] {
        let mut command = callslip();
        let flags = Some(verbose).filter(|flag| *flag != "--");
        command.args(["run", "language", "slices", "limit=-1"]).args(flags).current_dir(folder.path());
        let output = command.env("DATABASE_URL", database().url()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches("LIMIT must not be negative").count(), times, "{verbose}: {said}");
        assert!(!output.status.success());
    }
}
