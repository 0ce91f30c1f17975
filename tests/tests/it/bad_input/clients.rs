//! Clients that send too little, read too slowly, or go away.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use callslip::service::ServiceLimits;
use callslip_tests::database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{assert_serving, assert_told};
use crate::client::{get, send, serve, wait_until_idle, wait_until_lent};
use crate::support::config;

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_sends_half_a_request_holds_nothing() {
    let host = database().host(&config("language", "tests/guests/language")).await;
    let mut limits = ServiceLimits::default();
    limits.request_time = Duration::from_millis(500);
    let address = serve(host.clone(), limits).await;
    let half_a_body = "POST /q/language/slices HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                       content-type: application/json\r\ncontent-length: 100\r\n\r\n{\"limit\": ";
    // They go away in the middle of it.
    for sent in ["", "GET /q/lang", "GET /q/language/slices?limit=1 HTTP/1.1\r\nhost", half_a_body] {
        drop(connect(address, sent).await);
        assert_serving(sent, address).await;
    }
    // They stay, and send nothing more.
    for sent in ["", "GET /q/lang", "GET /q/language/slices?limit=1 HTTP/1.1\r\nhost"] {
        let mut stream = connect(address, sent).await;
        let started = Instant::now();
        assert_serving(sent, address).await;
        _ = stream.read_to_end(&mut Vec::new()).await;
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{sent}: the connection was held for {took:?}");
    }
    let told = send(address, half_a_body).await;
    assert_told("half a body", &told, 408, "CS1008", "the body did not come within 500ms");
    assert_serving("half a body", address).await;
    assert_eq!(
        host.pool().unwrap().status().size,
        host.pool().unwrap().status().available,
        "nothing is lent"
    );
}

#[tokio::test]
async fn who_goes_away_leaves_no_connection_and_no_statement_behind() {
    let host = database().host(&config("language", "tests/guests/language")).await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    for _ in 0..20 {
        let mut stream = connect(address, "GET /q/language/ratings HTTP/1.1\r\nhost: x\r\n\r\n").await;
        // Some of the reply, so that it is under way.
        stream.read_exact(&mut [0; 100]).await.unwrap();
        // HEAD, which has no more of it than that.
        drop(connect(address, "HEAD /q/language/ratings HTTP/1.1\r\nhost: x\r\n\r\n").await);
    }
    wait_until_idle(&host).await;
    let running = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '/* callslip language.ratings %'";
    assert!(database().owner().await.query(running, &[]).await.unwrap().is_empty());
    assert_eq!(get(address, "/q/language/position?id=1").await.status, 200);
}

#[tokio::test]
async fn who_reads_nothing_does_not_keep_the_connections_of_others() {
    let text = format!("[pool]\nsize = 2\n{}", config("language", "tests/guests/language"));
    let host = database().host(&text).await;
    let mut limits = ServiceLimits::default();
    limits.stalled_after = Duration::from_millis(500);
    let address = serve(host.clone(), limits).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.write_all(b"GET /q/language/everything_rated HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        silent.push(stream);
    }
    wait_until_lent(&host, 2).await;
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
