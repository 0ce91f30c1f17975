//! A client of a server, over a socket as any other.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server has answered.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and headers, in lower case.
    pub head: String,
    /// What comes after them, without its framing.
    pub body: Vec<u8>,
    /// Whether the body ended as its framing says; a transfer that was broken off did not.
    pub whole: bool,
}

impl Response {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as a problem of this status and code.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(self.head.contains("application/problem+json"), "{}", self.head);
        problem
    }
}

/// Sends these bytes, and reads until the server closes the connection.
///
/// # Panics
/// If nobody listens there, or no whole head comes within a minute.
pub async fn send(address: SocketAddr, request: impl AsRef<[u8]>) -> Response {
    let mut stream = TcpStream::connect(address).await.expect("a server listens");
    // A server may refuse what it has not read to its end.
    _ = stream.write_all(request.as_ref()).await;
    let mut bytes = Vec::new();
    // A transfer that is broken off may end in a reset.
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes)).await;
    _ = read.expect("the server answers");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head[9..12].parse().expect("a status");
    let rest = &bytes[end..];
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map(|length| length.parse::<usize>().expect("a length"));
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
        let size = str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("the size of a chunk");
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

/// The head of a request that has no body.
pub fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

/// A GET.
///
/// # Panics
/// As [`send`].
pub async fn get(address: SocketAddr, path: &str) -> Response {
    send(address, request("GET", path)).await
}

/// A POST.
///
/// # Panics
/// As [`send`].
pub async fn post(address: SocketAddr, path: &str, content_type: &str, body: &str) -> Response {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    send(address, head + body).await
}
