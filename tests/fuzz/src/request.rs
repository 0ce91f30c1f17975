//! Bytes on a connection to the service, with a plugin and a PostgreSQL behind it. Whatever they are,
//!
//! - every answer is well-formed HTTP, and is JSON with status 200, or a problem of RFC 9457 with a code and a status that says
//!   that the caller is at fault: the database is there, the plugin is proven, and so nothing else can be;
//! - a request that is whole is answered, and no connection stays open for long.
//!
//! The first byte says what the others are: all that is sent, or, in a request that is well-formed, the query string of a GET, the
//! body of a POST, the same in chunks, or a path and a body.

#![no_main]

#[path = "declared.rs"]
mod declared;
#[path = "http.rs"]
mod http;
#[path = "told.rs"]
mod told;

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use callslip::cluster::{Cluster, ClusterOptions};
use callslip::loan::ConnectionSettings;
use callslip::service::{Server, ServiceLimits};
use callslip::{Config, Host};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use told::assert_told;

struct Service {
    runtime: Runtime,
    address: SocketAddr,
    _cluster: Cluster,
}

/// How long an answer is waited for before the client says that it sends no more.
const ENOUGH: Duration = Duration::from_millis(20);
/// How long the server may take for anything, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let (address, cluster) = runtime.block_on(async {
        let cluster = Cluster::start(ClusterOptions::default()).await.expect("PostgreSQL");
        let component = cluster.folder().join("plugin.wasm");
        std::fs::write(&component, declared::plugin()).expect("a file");
        let text = "[database]\nallow = [\"superuser\"]\n[plugins.p]\ncomponent = \"plugin.wasm\"";
        let config = Config::parse(text, cluster.folder()).expect("a configuration");
        let settings = ConnectionSettings::resolve(Some(&cluster.url("postgres")), &|_| None).expect("a URL");
        let host = Host::start(&config, &settings).await.expect("a host");
        for (_, plugin) in host.generation().plugins() {
            plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
        }
        let mut limits = ServiceLimits::default();
        limits.body_bytes = 2_048;
        limits.query_string_bytes = 1_024;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Server::new(&callslip::service::Service::new(host).with_limits(limits));
        tokio::spawn(async move { server.serve(listener, std::future::pending(), PATIENCE).await });
        (address, cluster)
    });
    Service { runtime, address, _cluster: cluster }
});

/// What is sent, and whether it is a whole request, which has to be answered.
fn sent(how: u8, data: &[u8]) -> (Vec<u8>, bool) {
    let query = ["every", "o", "opened"][usize::from(how >> 4) % 3];
    let head = |method: &str, path: &[u8], rest: &str| {
        let end = format!(" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{rest}\r\n");
        [method.as_bytes(), b" ", path, end.as_bytes()].concat()
    };
    let typed = |rest: String| format!("content-type: application/json\r\n{rest}");
    let sized = |body: &[u8]| typed(format!("content-length: {}\r\n", body.len()));
    match how % 5 {
        0 => (data.to_vec(), false),
        1 => {
            let path = [format!("/q/p/{query}?").as_bytes(), data].concat();
            // Where the line ends is up to the bytes.
            (head("GET", &path, ""), !data.iter().any(|byte| byte.is_ascii_control() || *byte == b' '))
        }
        2 => ([&head("POST", format!("/q/p/{query}").as_bytes(), &sized(data)), data].concat(), true),
        3 => {
            let chunked = typed("transfer-encoding: chunked\r\n".to_owned());
            let mut bytes = head("POST", format!("/q/p/{query}").as_bytes(), &chunked);
            for chunk in data.chunks(usize::from(how >> 4) + 1) {
                bytes.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            (bytes, true)
        }
        _ => {
            let (path, body) =
                data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
            let is_whole = path.starts_with(b"/") && path.iter().all(|byte| byte.is_ascii_graphic());
            ([&head("POST", path, &sized(body)), body].concat(), is_whole)
        }
    }
}

/// Sends bytes and gives all that comes back.
async fn answered(address: SocketAddr, bytes: &[u8], is_whole: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the service listens");
    // It may refuse, and close, before it has read all of it.
    _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    if !is_whole {
        // An answer may come before the end, and what has no end is ended.
        let mut piece = [0; 4_096];
        while let Ok(Ok(length @ 1..)) = timeout(ENOUGH, stream.read(&mut piece)).await {
            answer.extend_from_slice(&piece[..length]);
        }
        _ = stream.shutdown().await;
    }
    let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset is an end, too.
    _ = ended.expect("the service closes its connections");
    answer
}

fn check(answer: &http::Answer, has_body: bool) {
    let http::Answer { status, body, .. } = answer;
    let media_type = answer.header("content-type");
    assert!(*status < 500, "{answer:?}");
    let problem: Value = match (status, has_body) {
        (_, false) => return,
        (200, _) => {
            assert_eq!(media_type, Some("application/json"), "{answer:?}");
            serde_json::from_slice::<Value>(body).expect("JSON");
            return;
        }
        (400..500, _) => serde_json::from_slice(body).expect("JSON"),
        _ => panic!("a status that nobody gives: {answer:?}"),
    };
    assert_eq!(media_type, Some("application/problem+json"), "{answer:?}");
    assert_eq!(problem["status"], *status, "{problem}");
    assert!(
        problem["code"].as_str().is_some_and(|code| code.starts_with("CS10") || code == "CS1103"),
        "{problem}"
    );
    for member in ["type", "title", "detail"] {
        assert_told(problem[member].as_str().expect("a text"));
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    let (bytes, is_whole) = sent(*how, data);
    let Service { runtime, address, .. } = &*SERVICE;
    let answers = runtime.block_on(answered(*address, &bytes, is_whole));
    assert!(!is_whole || !answers.is_empty(), "a request is not answered");
    // What answers a HEAD has a length and no body, and among many requests nobody knows which it is.
    let has_body = !bytes.windows(4).any(|window| window == b"HEAD");
    let mut rest = answers.as_slice();
    while !rest.is_empty() {
        let (answer, after) = match http::answer(rest, has_body) {
            Ok(read) => read,
            // Who says that nothing more comes before all is answered has gone.
            Err(http::Wrong::BreaksOff) if !is_whole => return,
            Err(wrong) => panic!("{wrong:?}: {:?}", String::from_utf8_lossy(&answers)),
        };
        check(&answer, has_body);
        rest = if has_body { after } else { &[] };
    }
});
