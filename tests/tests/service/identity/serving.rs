//! A server in this process, whose configuration has files beside it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use callslip::service::{Server, Service};
use callslip::{Config, ConfigError, Host};
use callslip_tests::{component, configured, database, http};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub struct Serving {
    pub address: SocketAddr,
    pub host: Host,
    folder: TempDir,
    server: Server,
    service: Service,
}

impl Serving {
    /// Serves with a configuration, which has the plugin `language`, and with these files beside it.
    pub async fn start(config: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), files);
        let config = read(config, folder.path());
        let host =
            Host::start(&config, &database().connection()).await.unwrap_or_else(|error| panic!("{error}"));
        Self::of(host, &config, folder).await
    }

    /// The same with a host that is there.
    pub async fn of(host: Host, config: &Config, folder: TempDir) -> Self {
        let service =
            Service::configured(host.clone(), config, None).unwrap_or_else(|error| panic!("{error}"));
        let server = Server::new(&service);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let its = server.clone();
        tokio::spawn(async move { its.serve(listener, std::future::pending(), Duration::ZERO).await });
        Self { address, host, folder, server, service }
    }

    /// Reads a configuration and files anew, as on a reload.
    pub fn reload(&mut self, config: &str, files: &[(&str, &str)]) -> Result<(), ConfigError> {
        write(self.folder.path(), files);
        let config = read(config, self.folder.path());
        self.service = Service::configured(self.host.clone(), &config, Some(&self.service))?;
        self.server.exchange(&self.service);
        Ok(())
    }

    /// Asks with these headers.
    pub async fn ask(&self, path: &str, headers: &[&str]) -> http::Response {
        http::send(self.address, request("GET", path, headers)).await
    }

    /// Asks with a key or a token.
    pub async fn ask_as(&self, path: &str, credential: &str) -> http::Response {
        self.ask(path, &[&format!("authorization: Bearer {credential}")]).await
    }

    /// The ids of the rows that somebody is given.
    pub async fn ids(&self, path: &str, credential: &str) -> Vec<i64> {
        let answer = self.ask_as(path, credential).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        ids(answer.json().as_array().unwrap())
    }
}

/// A configuration with the plugin `language`, which may read positions, and these lines before it.
pub fn with_language(lines: &str) -> String {
    let component = component("tests/guests/language");
    format!(
        "{lines}\n[plugins.language]\ncomponent = {component:?}\n[plugins.language.grants]\nrelations = [\"position\"]\n"
    )
}

pub fn read(config: &str, folder: &Path) -> Config {
    Config::parse(&configured(config), folder).unwrap_or_else(|error| panic!("{error}"))
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

pub fn request(method: &str, path: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

pub fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The ids of a company's positions.
pub async fn of_company(company: i64) -> Vec<i64> {
    let sql = format!("SELECT id FROM position WHERE company_id = {company} ORDER BY id");
    let ids = ids(&database().rows(&sql).await);
    assert!(!ids.is_empty());
    ids
}
