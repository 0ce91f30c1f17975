//! A server to ask.

use std::net::SocketAddr;
use std::time::Duration;

use callslip::Host;
use callslip::service::{Server, Service, ServiceLimits};
use tokio::net::TcpListener;

pub use callslip_tests::http::{Response, get, post, request, send};

pub async fn serve(host: Host, limits: ServiceLimits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let server = Server::new(&Service::new(host).with_limits(limits));
        server.serve(listener, std::future::pending(), Duration::ZERO).await
    });
    address
}

/// What is for those who run the service of a host.
pub async fn serve_operators(host: Host) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Service::new(host).admin_router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Waits until no connection is lent.
pub async fn wait_until_idle(host: &Host) {
    wait_until_lent(host, 0).await;
}

/// Waits until so many connections are lent.
pub async fn wait_until_lent(host: &Host, count: usize) {
    let started = std::time::Instant::now();
    loop {
        let status = host.pool().unwrap().status();
        if status.size.checked_sub(status.available) == Some(count) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
