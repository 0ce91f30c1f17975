//! The server, asked over a socket as any client would.

use std::net::SocketAddr;
use std::time::Duration;

use callslip::Host;
use callslip::service::{ServiceLimits, router, serve_until};
use callslip_tests::{component, database};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{assert_same_rows, config};

pub struct Response {
    pub status: u16,
    head: String,
    body: Vec<u8>,
    /// Whether the body ended as its framing says; a transfer that was broken off did not.
    whole: bool,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(self.head.contains("application/problem+json"), "{}", self.head);
        problem
    }
}

pub async fn server() -> SocketAddr {
    let text = config("language", "tests/guests/language") + &config("hiring", "example-plugins/hiring");
    let missing = "\n[plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n";
    let host = database().host(&(text + missing)).await;
    serve(host, ServiceLimits::default()).await
}

async fn serve(host: Host, limits: ServiceLimits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_until(listener, router(host, limits), std::future::pending(), Duration::ZERO));
    address
}

/// Waits until no connection is lent.
async fn wait_until_idle(host: &Host) {
    let started = std::time::Instant::now();
    while host.pool().status().size != host.pool().status().available {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", host.pool().status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn send(address: SocketAddr, request: &str) -> Response {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A transfer that is broken off may end in a reset.
    _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head[9..12].parse().unwrap();
    let rest = &bytes[end..];
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map(|n| n.parse::<usize>().unwrap());
    let (body, whole) = match length {
        Some(length) => (rest.to_vec(), rest.len() == length),
        None if head.contains("transfer-encoding: chunked") => unchunk(rest),
        None => (rest.to_vec(), true),
    };
    Response { status, head, body, whole }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
    (body, false)
}

pub async fn get(address: SocketAddr, path: &str) -> Response {
    send(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}

pub async fn post(address: SocketAddr, path: &str, content_type: &str, body: &str) -> Response {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    send(address, &(head + body)).await
}

#[tokio::test]
async fn a_query_is_answered_to_get_and_to_post() {
    let address = server().await;
    let expected =
        database().rows("SELECT DISTINCT location FROM position ORDER BY location NULLS FIRST LIMIT 3").await;
    let found = get(address, "/q/language/slices?limit=3&nulls_first=true").await;
    assert_eq!(found.status, 200, "{}", found.head);
    assert!(found.head.contains("content-type: application/json"), "{}", found.head);
    assert_same_rows("get", &found.json(), &expected);
    let found = post(
        address,
        "/q/language/slices",
        "application/json; charset=utf-8",
        r#"{"limit": 3, "nulls_first": true}"#,
    )
    .await;
    assert_same_rows("post", &found.json(), &expected);
    let found = get(address, "/q/language/search?words=senior+engineer%20").await;
    assert_eq!(found.status, 200);
}

#[tokio::test]
async fn several_statements_are_an_object_and_one_row_is_an_object_or_404() {
    let address = server().await;
    let found = get(address, "/q/hiring/overview?company=1").await;
    assert_eq!(found.status, 200, "{}", String::from_utf8_lossy(&found.body));
    let found = found.json();
    assert!(found.as_object().is_some_and(|named| named.len() > 1), "{found}");

    let found = get(address, "/q/language/position?id=1").await;
    assert_eq!(found.status, 200);
    assert_eq!(found.json()["id"], 1);
    let found = get(address, "/q/language/position?id=2000000000").await;
    found.assert_problem(404, "CS1010");
}

#[tokio::test]
async fn bad_requests_get_their_code_and_status() {
    let address = server().await;
    for (path, status, code) in [
        ("/q/nobody/funnel", 404, "CS1001"),
        ("/q/language/slice", 404, "CS1002"),
        ("/q/gone/query", 503, "CS1205"),
        ("/elsewhere", 404, "CS1002"),
        ("/q/language/slices?limit=3&offse=1", 400, "CS1003"),
        ("/q/language/slices", 400, "CS1004"),
        ("/q/language/slices?limit=x", 400, "CS1005"),
        ("/q/language/slices?limit=3&nulls_first=maybe", 400, "CS1005"),
        ("/q/language/slices?limit=%FF", 400, "CS1008"),
        ("/q/language/slices?limit=-1", 400, "CS1012"),
        ("/q/%ff/slices", 404, "CS1002"),
        ("/q/language/search?words=%20", 422, "CS1009"),
        ("/q/language/search?words=panic", 500, "CS1201"),
        ("/q/language/mine", 403, "CS1006"),
    ] {
        let found = get(address, path).await;
        found.assert_problem(status, code);
    }
    let found = get(address, &format!("/q/language/slices?limit={}", "1".repeat(70_000))).await;
    assert!((400..500).contains(&found.status), "{}", found.head);
    for (content_type, body, status, code) in [
        ("application/json", "{", 400, "CS1008"),
        ("application/json", "[1]", 400, "CS1008"),
        ("application/json", r#"{"limit": 1, "limit": 2}"#, 400, "CS1008"),
        ("text/plain", r#"{"limit": 1}"#, 415, "CS1008"),
        ("application/json", r#"{"limit": 1.5}"#, 400, "CS1005"),
    ] {
        let found = post(address, "/q/language/slices", content_type, body).await;
        found.assert_problem(status, code);
    }
    let found = post(address, "/q/language/slices?limit=3", "application/json", "{}").await;
    found.assert_problem(400, "CS1008");
    let large = format!("{{\"limit\": \"{}\"}}", "1".repeat(2 << 20));
    let found = post(address, "/q/language/slices", "application/json", &large).await;
    found.assert_problem(413, "CS1008");
    let found =
        send(address, "DELETE /q/language/slices HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    found.assert_problem(405, "CS1008");
}

#[tokio::test]
async fn a_reply_that_fails_half_way_does_not_look_whole() {
    let address = server().await;
    let found = get(address, "/q/language/breaking").await;
    assert_eq!(found.status, 200, "rows were sent before it failed");
    assert!(found.body.len() > 1000 && !found.whole, "{} bytes, whole: {}", found.body.len(), found.whole);
    // A client of HTTP/1.0 could not tell, so it gets nothing but the error.
    let found = send(address, "GET /q/language/breaking HTTP/1.0\r\n\r\n").await;
    let problem = found.assert_problem(500, "CS1103");
    assert_eq!(problem["sqlstate"], "22012");
    assert!(!problem.to_string().contains("division"), "PostgreSQL's words are for the log: {problem}");
    assert_eq!(get(address, "/q/language/position?id=1").await.status, 200);
}

#[tokio::test]
async fn clients_that_go_away_leave_no_connection_and_no_statement_behind() {
    let host = database().host(&config("language", "tests/guests/language")).await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /q/language/ratings HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        // Some of the reply, so that it is under way.
        stream.read_exact(&mut [0; 100]).await.unwrap();
    }
    wait_until_idle(&host).await;
    let running = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '/* callslip language.ratings %'";
    assert!(database().owner().await.query(running, &[]).await.unwrap().is_empty());
    assert_eq!(get(address, "/q/language/position?id=1").await.status, 200);
}

#[tokio::test]
async fn clients_that_read_nothing_do_not_keep_the_connections_of_others() {
    let text = format!("[pool]\nsize = 2\n{}", config("language", "tests/guests/language"));
    let host = database().host(&text).await;
    let mut limits = ServiceLimits::default();
    limits.stalled_after = Duration::from_millis(500);
    let address = serve(host.clone(), limits).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.write_all(b"GET /q/language/everything_rated HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        silent.push(stream);
    }
    while host.pool().status().available > 0 || host.pool().status().size < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        get(address, "/q/language/position?id=1").await.status,
        200,
        "it waits for its turn and has it"
    );
    wait_until_idle(&host).await;
    // What they have been sent does not end as a whole reply does.
    let mut stream = silent.remove(0);
    let mut bytes = Vec::new();
    _ = stream.read_to_end(&mut bytes).await;
    assert!(!bytes.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn health_names_what_is_served_and_what_is_refused() {
    let address = server().await;
    let found = get(address, "/healthz").await;
    assert_eq!(found.status, 200);
    let expected =
        json!({"status": "ok", "plugins": {"gone": "refused", "hiring": "served", "language": "served"}});
    assert_eq!(found.json(), expected);
    assert!(component("example-plugins/hiring").exists());
}
