//! A real `callslip serve`, which is told by a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use callslip_tests::component;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{Live, config, fragile, next, until};

struct Server {
    process: Child,
    address: String,
    operators: String,
    _folder: tempfile::TempDir,
}

impl Server {
    /// One that neither listens nor polls.
    fn start(url: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("callslip.toml");
        std::fs::write(
            &file,
            format!("{config}[catalog]\nlisten = false\npoll_s = 0\n[admin]\nlisten = \"127.0.0.1:0\"\n"),
        )
        .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_callslip-command"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(file).env("DATABASE_URL", url);
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        let mut address_after = |words: &str| {
            loop {
                line.clear();
                assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
                if let Some((_, address)) = line.split_once(words) {
                    return address.trim().to_owned();
                }
            }
        };
        let operators = address_after("administration at http://");
        let address = address_after("listening on http://");
        // A log that nobody reads would fill its pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Self { process, address, operators, _folder: folder }
    }

    fn hang_up(&self) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    }

    fn get(&self, path: &str) -> (u16, Value) {
        Self::get_of(&self.address, path)
    }

    fn get_of(address: &str, path: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn health(&self) -> Value {
        Self::get_of(&self.operators, "/admin/health").1
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_loads_new_versions_and_looks_at_the_database() {
    let live = Live::new("hangup").await;
    let (old, of_fragile) = fragile();
    let folder = tempfile::tempdir().unwrap();
    let deployed = folder.path().join("fragile.wasm");
    std::fs::copy(&old, &deployed).unwrap();
    let amounts = component("tests/guests/live");
    let server = Server::start(
        &live.url,
        &config(&[("fragile", &deployed, of_fragile), ("amounts", &amounts, "\"amount\"")]),
    );
    let health = server.health();
    assert_eq!(health["plugins"], json!({"amounts": "served", "fragile": "served"}));
    assert_eq!(health["databases"]["default"]["generation"], 1);

    std::fs::copy(next(), &deployed).unwrap();
    server.hang_up();
    until("the new version waits", async || server.health()["waiting"]["fragile"]["findings"] == 1).await;
    assert_eq!(server.health()["plugins"]["fragile"], "served");
    assert_eq!(server.get("/q/fragile/names").0, 200);

    live.execute("ALTER TABLE live.fragile ADD COLUMN nickname text").await;
    server.hang_up();
    until("it is served", async || server.health()["waiting"] == json!({})).await;
    let (status, rows) = server.get("/q/fragile/names");
    assert_eq!((status, &rows[0]), (200, &json!({"id": 1, "name": "one", "nickname": null})));

    live.execute("DROP TABLE live.fragile; ALTER TABLE live.amount RENAME COLUMN amount TO cents").await;
    server.hang_up();
    until("they are degraded", async || {
        server.health()["plugins"] == json!({"amounts": "degraded", "fragile": "refused"})
    })
    .await;
    let (status, problem) = server.get("/q/amounts/amounts");
    assert_eq!((status, problem["code"].as_str()), (503, Some("CS1205")), "{problem}");
    assert_eq!(server.get("/q/amounts/ids_of?table=amount").0, 200);
}
