//! `callslip serve`, in a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::time::{clock_getcpuclockid, clock_gettime};

use crate::affinity::starting_on;
use crate::served::{Served, command};

/// Calls are not written to the log, which would measure that. Exports are as long as they are.
const SETTINGS: &str = r#"
[pool]
size = 16
statement_timeout_ms = 600000
[limits]
rows = 1000000000
reply_mib = 1000000
call_ms = 600000
[reload]
watch = false
[catalog]
poll_s = 0
[telemetry]
log_filter = "warn,callslip=info,callslip::audit=off,callslip::call=off"
"#;

/// What a server is started with.
pub struct Setup {
    url: String,
    config: String,
}

impl Setup {
    /// These plugins, by their names, each of which may read these relations of a database. Compiled plugins are kept in the
    /// folder `cache`, which the server makes.
    pub fn new(url: &str, cache: &Path, relations: &str, plugins: &[(String, impl AsRef<Path>)]) -> Self {
        let mut config = format!("{SETTINGS}[cache]\nfolder = {cache:?}\nmax_mib = 4096\n");
        for (name, component) in plugins {
            let component = component.as_ref();
            let plugin = format!(
                "[plugins.{name}]\ncomponent = {component:?}\n[plugins.{name}.grants]\nrelations = [{relations:?}]\n"
            );
            config.push_str(&plugin);
        }
        Self { url: url.to_owned(), config }
    }

    /// Compiles and proves all of it, and says how long that took.
    pub fn check(&self) -> Duration {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("callslip.toml"), &self.config).expect("a file");
        let began = Instant::now();
        let output = command()
            .args(["serve", "--check", "--database-url", &self.url])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the command starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        began.elapsed()
    }

    /// Starts a server on these processors, and waits until it serves.
    pub fn start(&self, processors: &[usize]) -> Server {
        let began = Instant::now();
        let served = starting_on(processors, || Served::start(&self.url, &self.config, &["--strict"]));
        let address = served.address();
        Server { served, address, ready_after: began.elapsed() }
    }
}

/// A server that serves.
pub struct Server {
    served: Served,
    pub address: SocketAddr,
    /// From its start until it listened, with every plugin proven.
    pub ready_after: Duration,
}

impl Server {
    /// How long processors have worked for it.
    pub fn worked(&self) -> Duration {
        clock_getcpuclockid(self.served.pid()).and_then(clock_gettime).expect("it runs").into()
    }

    /// Its memory, in MiB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most that this was since `forget_peak`.
    pub fn peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.served.pid()), "5").expect("a process of ours");
    }

    fn status(&self, line: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.served.pid())).expect("it runs");
        let kib = status.lines().find_map(|told| told.strip_prefix(line)?.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<f64>().ok()).expect("a number of KiB") / 1024.0
    }
}
