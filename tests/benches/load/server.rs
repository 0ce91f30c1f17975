//! A server in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What it says when it listens.
const LISTENING: &str = "listening on http://";

/// A `callslip serve`, which is killed when this is dropped.
pub struct Server {
    child: Child,
    ready_after: Duration,
}

impl Server {
    /// Starts it with a configuration that is written to this folder, and waits until it is ready: until `/readyz` says so.
    pub fn start(folder: &Path, config: &str, url: &str) -> Self {
        let file = folder.join("callslip.toml");
        fs::write(&file, config).expect("it can be written");
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_callslip-command"))
            .args(["serve", "--listen", "127.0.0.1:0", "--strict", "--database-url", url, "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command is there");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let (mut line, mut all) = (String::new(), String::new());
        let address = loop {
            line.clear();
            let length = log.read_line(&mut line).expect("its log is text");
            assert!(length > 0, "it has ended:\n{all}");
            all += &line;
            if let Some((_, address)) = line.split_once(LISTENING) {
                break address.split_whitespace().next().unwrap_or_default().to_owned();
            }
        };
        // What it says after that goes nowhere, and must not be waited for.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream
            .write_all(
                format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes(),
            )
            .expect("it takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}\n{all}");
        Self { child, ready_after: begun.elapsed() }
    }

    /// How long that took.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The memory that it has now.
    pub fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        let kib = line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number");
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
