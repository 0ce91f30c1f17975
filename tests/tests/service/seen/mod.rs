//! What the service tells of itself: metrics, traces, the log, and whether it is there and ready.

mod collector;
mod documented;
mod exposition;
mod logs;
mod metrics;
mod ready;
mod reloaded;
mod traces;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use callslip::service::{Server, Service, Telemetry};
use callslip::{Config, Host, TelemetryConfig};
use callslip_tests::{database, http};
use tokio::net::TcpListener;

use exposition::Exposition;

/// A service in this process, that counts: its public address, and that of those who run it.
pub struct Seen {
    pub host: Host,
    pub service: Service,
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

impl Seen {
    pub async fn start(config: &str) -> Self {
        let config = Config::parse(config, std::path::Path::new("")).unwrap();
        let telemetry = Telemetry::start(&TelemetryConfig::default()).unwrap();
        let builder = Host::builder().connect(&database().connection()).observe(telemetry.observer());
        let host = builder.start(&config).await.unwrap();
        let service = Service::new(host.clone()).with_telemetry(telemetry);
        let (public, admin) = (listener().await, listener().await);
        let addresses = (public.local_addr().unwrap(), admin.local_addr().unwrap());
        let server = Server::new(&service);
        tokio::spawn(async move { server.serve(public, pending(), Duration::ZERO).await });
        let router = service.admin_router();
        tokio::spawn(async move { axum::serve(admin, router).await });
        Self { host, service, public: addresses.0, admin: addresses.1 }
    }

    /// What Prometheus would read.
    pub async fn scrape(&self) -> Exposition {
        let answer = http::get(self.admin, "/metrics").await;
        assert_eq!(answer.status, 200);
        let media_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
        assert!(answer.head.contains(media_type), "{}", answer.head);
        Exposition::parse(&String::from_utf8(answer.body).unwrap())
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
