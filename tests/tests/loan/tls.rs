//! TLS as libpq has it, to a real server that has certificates.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callslip::cluster::{Binaries, Cluster, ClusterOptions};
use callslip::loan::{Canceller, ConnectionSettings, Listener, Pool, PoolSettings, SettingsError};
use callslip_tests::{connect, servers};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio_postgres::Client;

use crate::proxy::{Cancels, Proxy};
use crate::support::{failure, one};

/// Who signs certificates.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Ca {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = folder.join(format!("{name}.crt"));
        fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// A certificate and its key, as files of these names, for these names.
    fn sign(&self, file: &Path, common_name: &str, names: &[&str], is_valid: bool) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        if !is_valid {
            (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        }
        let key = KeyPair::generate().unwrap();
        fs::write(file.with_extension("crt"), params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        let key_file = file.with_extension("key");
        fs::write(&key_file, key.serialize_pem()).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A server that has certificates of all kinds, and those of its clients.
struct Server {
    cluster: Cluster,
    owner: Client,
    port: u16,
    folder: TempDir,
    ca: Ca,
}

/// Any port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// One that lets in who comes as these lines say, with a certificate for `localhost`.
    async fn start(hba: &str) -> Self {
        Self::start_of(hba, Binaries::find().unwrap()).await
    }

    async fn start_of(hba: &str, binaries: Binaries) -> Self {
        let port = free_port();
        let options = ClusterOptions::default().loopback_port(port).binaries(binaries);
        let cluster = Cluster::start(options).await.unwrap();
        let owner = connect(&cluster.config()).await;
        let folder = tempfile::tempdir().unwrap();
        let ca = Ca::new(folder.path(), "ca");
        let server = Self { cluster, owner, port, folder, ca };
        server.ca.sign(&server.data("good"), "localhost", &["localhost"], true);
        server.ca.sign(&server.data("other"), "elsewhere", &["elsewhere.example"], true);
        server.ca.sign(&server.data("expired"), "localhost", &["localhost"], false);
        server.ca.sign(&server.file("client"), "reader", &[], true);
        fs::copy(&server.ca.file, server.data("roots.crt")).unwrap();
        let lines = format!("local all postgres trust\n{hba}\n");
        fs::write(server.data("pg_hba.conf"), lines).unwrap();
        let folder = fs::metadata(server.cluster.folder()).unwrap();
        for file in ["good", "other", "expired"] {
            for extension in ["crt", "key"] {
                chown(server.data(file).with_extension(extension), Some(folder.uid()), Some(folder.gid()))
                    .unwrap();
            }
        }
        server
            .execute(
                "CREATE ROLE reader LOGIN PASSWORD 'secret'; ALTER SYSTEM SET ssl_ca_file = 'roots.crt'; \
                 ALTER SYSTEM SET ssl_key_file = 'good.key'; ALTER SYSTEM SET ssl = on",
            )
            .await;
        server.has("good").await;
        server
    }

    /// A file of its own, in the folder of its data.
    fn data(&self, name: &str) -> PathBuf {
        self.cluster.folder().join("data").join(name)
    }

    /// A file of its clients'.
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn execute(&self, sql: &str) {
        for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
            self.owner.batch_execute(statement).await.unwrap();
        }
    }

    /// It shows this certificate from now on.
    async fn has(&self, name: &str) {
        self.execute(&format!(
            "ALTER SYSTEM SET ssl_cert_file = '{name}.crt'; ALTER SYSTEM SET ssl_key_file = '{name}.key'"
        ))
        .await;
        self.reload().await;
    }

    /// Waits until it has read its files again.
    async fn reload(&self) {
        let loaded = async || -> String {
            self.owner.query_one("SELECT pg_conf_load_time()::text", &[]).await.unwrap().get(0)
        };
        let before = loaded().await;
        self.execute("SELECT pg_reload_conf()").await;
        let start = Instant::now();
        // The postmaster has read them before it tells others to.
        while loaded().await == before {
            assert!(start.elapsed() < Duration::from_secs(30), "it reads nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn resolve(&self, settings: &str) -> Result<ConnectionSettings, SettingsError> {
        let port = self.port;
        let url = format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user=reader password=secret dbname=postgres {settings}"
        );
        ConnectionSettings::resolve(Some(&url), &|_| None)
    }

    fn pool(&self, settings: &str) -> Pool {
        let settings = self.resolve(settings).unwrap_or_else(|error| panic!("{settings}: {error}"));
        Pool::new(&settings, PoolSettings { size: 1, ..PoolSettings::default() }).unwrap()
    }

    /// Whether a session with these settings is encrypted, by what the server itself says of it; or why there is none.
    async fn encrypted(&self, settings: &str) -> Result<bool, String> {
        let pool = self.pool(settings);
        drop(pool.loan().await.map_err(|error| error.to_string())?);
        Ok(one(&pool, "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()").await)
    }

    async fn refused(&self, settings: &str, words: &[&str]) {
        let told = self.encrypted(settings).await.unwrap_err();
        for word in words {
            assert!(told.contains(word) && !told.contains("secret"), "{settings}: {word}: {told}");
        }
    }

    /// The setting for the CA that has signed its certificates.
    fn rooted(&self, settings: &str) -> String {
        format!("{settings} sslrootcert={}", self.ca.file.display())
    }
}

const ANYBODY: &str = "host all reader 127.0.0.1/32 scram-sha-256";

#[tokio::test]
async fn each_mode_verifies_what_it_says() {
    let server = Server::start(ANYBODY).await;
    let other = Ca::new(server.folder.path(), "other");
    let rooted = |settings: &str| server.rooted(settings);
    let wrong = |mode: &str| format!("sslmode={mode} sslrootcert={}", other.file.display());

    for (settings, is_encrypted) in [
        ("sslmode=disable", false),
        ("sslmode=allow", false),
        ("", true),
        ("sslmode=prefer", true),
        ("sslmode=require", true),
        (&rooted("sslmode=require"), true),
        (&rooted("sslmode=verify-ca"), true),
        (&rooted("sslmode=verify-full"), true),
        (&rooted("sslmode=verify-full sslsni=0"), true),
        ("sslmode=require ssl_max_protocol_version=TLSv1.2", true),
        ("sslmode=require ssl_min_protocol_version=TLSv1.3", true),
        // As libpq has it: what can't be verified is not used, and what is preferred is not needed.
        (&wrong("prefer"), false),
    ] {
        assert_eq!(server.encrypted(settings).await, Ok(is_encrypted), "{settings}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        server.refused(&wrong(mode), &["UnknownIssuer", "set sslrootcert to the file of the CA"]).await;
    }
    let version: String = one(
        &server.pool("sslmode=require ssl_max_protocol_version=TLSv1.2"),
        "SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()",
    )
    .await;
    assert_eq!(version, "TLSv1.2");

    server.has("other").await;
    assert_eq!(server.encrypted(&rooted("sslmode=verify-ca")).await, Ok(true));
    assert_eq!(server.encrypted("sslmode=require").await, Ok(true));
    server.refused(&rooted("sslmode=verify-full"), &["not for \"localhost\"", "verify-ca"]).await;

    server.has("expired").await;
    assert_eq!(server.encrypted("sslmode=require").await, Ok(true));
    for mode in ["verify-ca", "verify-full"] {
        server.refused(&rooted(&format!("sslmode={mode}")), &["has expired", "renew"]).await;
    }
}

#[tokio::test]
async fn a_certificate_is_verified_by_the_address_where_there_is_no_name() {
    let server = Server::start(ANYBODY).await;
    let settings = format!(
        "hostaddr=127.0.0.1 port={} user=reader password=secret dbname=postgres sslmode=verify-full sslrootcert={}",
        server.port,
        server.ca.file.display()
    );
    let pool = || {
        let settings = ConnectionSettings::resolve(Some(&settings), &|_| None).unwrap();
        Pool::new(&settings, PoolSettings::default()).unwrap()
    };
    let told = pool().loan().await.err().unwrap().to_string();
    assert!(told.contains("not for \"127.0.0.1\""), "{told}");
    server.ca.sign(&server.data("good"), "localhost", &["127.0.0.1"], true);
    let folder = fs::metadata(server.cluster.folder()).unwrap();
    chown(server.data("good.key"), Some(folder.uid()), Some(folder.gid())).unwrap();
    server.reload().await;
    pool().loan().await.unwrap();
}

#[tokio::test]
async fn a_server_may_want_tls_or_none_of_it() {
    let server = Server::start("hostssl all reader 127.0.0.1/32 scram-sha-256").await;
    server.refused("sslmode=disable", &["no pg_hba.conf entry", "sslmode=require"]).await;
    for mode in ["allow", "prefer", "require"] {
        assert_eq!(server.encrypted(&format!("sslmode={mode}")).await, Ok(true), "{mode}");
    }
    fs::write(
        server.data("pg_hba.conf"),
        "local all postgres trust\nhostnossl all reader 127.0.0.1/32 scram-sha-256",
    )
    .unwrap();
    server.reload().await;
    for mode in ["disable", "allow", "prefer"] {
        assert_eq!(server.encrypted(&format!("sslmode={mode}")).await, Ok(false), "{mode}");
    }
    server.refused("sslmode=require", &["no pg_hba.conf entry"]).await;
    // A password that is wrong is not tried again in the clear.
    let wrong = format!("host=localhost port={} user=reader password=wrong dbname=postgres", server.port);
    let wrong = ConnectionSettings::resolve(Some(&wrong), &|_| None).unwrap();
    fs::write(server.data("pg_hba.conf"), format!("local all postgres trust\n{ANYBODY}")).unwrap();
    server.reload().await;
    let told = Pool::new(&wrong, PoolSettings::default()).unwrap().loan().await.err().unwrap().to_string();
    assert!(told.contains("28P01") && !told.contains("without TLS"), "{told}");

    server.execute("ALTER SYSTEM SET ssl = off").await;
    server.reload().await;
    assert_eq!(server.encrypted("sslmode=prefer").await, Ok(false));
    server.refused("sslmode=require", &["does not support TLS", "ssl = on"]).await;
}

#[tokio::test]
async fn a_client_is_known_by_its_certificate() {
    let server = Server::start("hostssl all reader 127.0.0.1/32 cert").await;
    let (certificate, key) = (server.file("client.crt"), server.file("client.key"));
    let files = |certificate: &Path, key: &Path| {
        format!("sslmode=require sslcert={} sslkey={}", certificate.display(), key.display())
    };
    server.refused("sslmode=require", &["certificate", "set sslcert and sslkey"]).await;
    let pool = server.pool(&files(&certificate, &key));
    let name: String = one(
        &pool,
        "SELECT client_dn FROM pg_catalog.pg_stat_ssl WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()",
    )
    .await;
    assert!(name.contains("CN=reader"), "{name}");

    // One that nobody knows.
    let stranger = Ca::new(server.folder.path(), "stranger");
    stranger.sign(&server.file("strange"), "reader", &[], true);
    let strange = files(&server.file("strange.crt"), &server.file("strange.key"));
    server.refused(&strange, &["sslcert"]).await;

    // Where libpq looks for files that nobody names.
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join(".postgresql");
    fs::create_dir(&own).unwrap();
    fs::copy(&certificate, own.join("postgresql.crt")).unwrap();
    fs::copy(&key, own.join("postgresql.key")).unwrap();
    fs::copy(&server.ca.file, own.join("root.crt")).unwrap();
    let home = home.path().display().to_string();
    let port = server.port.to_string();
    let environment = |name: &str| match name {
        "HOME" => Some(home.clone()),
        "PGHOST" => Some("localhost".to_owned()),
        "PGPORT" => Some(port.clone()),
        "PGUSER" => Some("reader".to_owned()),
        "PGDATABASE" => Some("postgres".to_owned()),
        "PGSSLMODE" => Some("verify-full".to_owned()),
        _ => None,
    };
    let settings = ConnectionSettings::resolve(None, &environment).unwrap();
    Pool::new(&settings, PoolSettings::default()).unwrap().loan().await.unwrap();

    // It may be renewed while a pool lives: each connection reads it anew.
    // One whose client was taken is closed when it is back.
    _ = pool.loan().await.unwrap().client();
    server.ca.sign(&server.file("client"), "somebody", &[], true);
    let told = pool.loan().await.err().unwrap().to_string();
    assert!(told.contains("certificate authentication failed"), "{told}");
    server.ca.sign(&server.file("client"), "reader", &[], true);
    pool.loan().await.unwrap();
}

#[tokio::test]
async fn files_that_can_t_be_used_are_told_at_once() {
    let server = Server::start(ANYBODY).await;
    let (certificate, key) = (server.file("client.crt"), server.file("client.key"));
    let (certificate, key) = (certificate.display(), key.display());
    let empty = server.file("empty");
    fs::write(&empty, "secret").unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();
    let open = server.file("open.key");
    fs::copy(server.file("client.key"), &open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    for (settings, words) in [
        (format!("sslmode=verify-full sslrootcert={}", empty.display()), "no certificate in it"),
        (
            "sslmode=require sslrootcert=/nonexistent/root.crt".to_owned(),
            "/nonexistent/root.crt: No such file",
        ),
        ("sslmode=verify-full".to_owned(), "need a root certificate"),
        ("sslmode=verify-ca sslrootcert=system".to_owned(), "it needs sslmode=verify-full"),
        (format!("sslmode=require sslcert={certificate}"), "without sslkey"),
        (
            format!("sslmode=require sslcert={certificate} sslkey={}", empty.display()),
            "nothing of the kind in it",
        ),
        (
            format!("sslmode=require sslcert={certificate} sslkey={}", open.display()),
            "others can read this key",
        ),
        (
            format!("sslmode=require sslcert={certificate} sslkey={}", server.data("good.key").display()),
            "good.key",
        ),
        (
            format!("sslmode=require sslcert={certificate} sslkey={key} sslpassword=secret"),
            "the client's key can't be",
        ),
        ("sslmode=require sslcrl=/etc/crl.pem".to_owned(), "sslcrl=/etc/crl.pem is not supported"),
        ("sslnegotiation=direct".to_owned(), "it needs sslmode=require"),
        ("sslmode=require ssl_max_protocol_version=TLSv1.1".to_owned(), "no version of TLS is left"),
    ] {
        let told = server.resolve(&settings).unwrap_err().to_string();
        assert!(told.contains(words) && !told.contains("secret"), "{settings}: {told}");
    }
    // What is not wanted is not read.
    server.resolve("sslmode=disable sslrootcert=/nonexistent/root.crt sslcert=x").unwrap();
}

#[tokio::test]
async fn a_login_is_bound_to_the_server_s_certificate() {
    let server = Server::start(ANYBODY).await;
    assert_eq!(server.encrypted("sslmode=require channel_binding=require").await, Ok(true));
    assert_eq!(server.encrypted("sslmode=require channel_binding=disable").await, Ok(true));
    server.refused("sslmode=disable channel_binding=require", &["channel binding"]).await;
    fs::write(server.data("pg_hba.conf"), "local all postgres trust\nhost all reader 127.0.0.1/32 password")
        .unwrap();
    server.reload().await;
    server.refused("sslmode=require channel_binding=require", &["channel binding"]).await;
}

#[tokio::test]
async fn tls_begins_at_once_where_the_server_can() {
    for binaries in servers() {
        let (major, server) = (binaries.major(), Server::start_of(ANYBODY, binaries).await);
        let settings = server.rooted("sslmode=verify-full sslnegotiation=direct");
        let encrypted = server.encrypted(&settings).await;
        match major {
            ..17 => assert!(encrypted.is_err(), "{major}: {encrypted:?}"),
            _ => assert_eq!(encrypted, Ok(true), "{major}"),
        }
        assert_eq!(server.encrypted(&server.rooted("sslmode=verify-full")).await, Ok(true), "{major}");
        if major >= 17 {
            is_cancelled(&server, &settings).await;
        }
    }
}

/// What runs in a session is cancelled when it is dropped, and the session is there again.
async fn is_cancelled(server: &Server, settings: &str) {
    let pool = server.pool(settings);
    let before: i32 = one(&pool, "SELECT pg_catalog.pg_backend_pid() AS pid").await;
    let running = failure(&pool, &[("SELECT pg_catalog.pg_sleep(600)", &[])]);
    let asleep = "SELECT 1 FROM pg_stat_activity WHERE usename = 'reader' AND wait_event = 'PgSleep'";
    tokio::select! {
        error = running => panic!("it has ended: {error}"),
        () = until(server, asleep, true) => {}
    }
    until(server, asleep, false).await;
    // Of the pool's one connection, which would be another if the cancel had not come.
    let after: i32 = one(&pool, "SELECT pg_catalog.pg_backend_pid() AS pid").await;
    assert_eq!(before, after, "{settings}");
}

async fn until(server: &Server, sql: &str, is_there: bool) {
    let start = Instant::now();
    while server.owner.query(sql, &[]).await.unwrap().is_empty() == is_there {
        assert!(start.elapsed() < Duration::from_secs(60), "{sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_cancel_goes_over_tls() {
    // Nobody but who speaks TLS gets through to the server.
    let server = Server::start("hostssl all reader 127.0.0.1/32 scram-sha-256").await;
    for settings in
        ["sslmode=require", "sslmode=prefer", "sslmode=allow", &server.rooted("sslmode=verify-full")]
    {
        is_cancelled(&server, settings).await;
    }
    // A cancel for somebody else's session; by the wrong CA it does not come.
    let token = server.owner.cancel_token();
    let canceller = Canceller::new(server.resolve(&server.rooted("sslmode=verify-full")).unwrap());
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel(&token).await.unwrap();
    };
    let (ended, ()) = tokio::join!(server.owner.batch_execute("SELECT pg_sleep(60)"), cancel);
    assert_eq!(ended.unwrap_err().code().unwrap().code(), "57014");
    let other = Ca::new(server.folder.path(), "other");
    let wrong = format!("sslmode=require sslrootcert={}", other.file.display());
    let told = Canceller::new(server.resolve(&wrong).unwrap()).cancel(&token).await.unwrap_err().to_string();
    assert!(told.contains("UnknownIssuer"), "{told}");
}

#[tokio::test]
async fn the_bytes_of_a_cancel_are_encrypted() {
    let server = Server::start(ANYBODY).await;
    let socket = server.cluster.folder().join(format!(".s.PGSQL.{}", server.port));
    // It counts what begins as a cancel does, and passes TLS on to nobody: a socket of the machine has none.
    let proxy = Proxy::start(&socket.display().to_string(), Cancels::Passed).await;
    let through = |mode: &str| {
        let url = format!("postgresql://reader@{}/postgres?sslmode={mode}", proxy.address);
        Canceller::new(ConnectionSettings::resolve(Some(&url), &|_| None).unwrap())
    };
    let token = server.owner.cancel_token();
    through("disable").cancel(&token).await.unwrap();
    assert_eq!(proxy.cancels(), 1);
    let told = through("require").cancel(&token).await.unwrap_err().to_string();
    assert!(told.contains("does not support TLS"), "{told}");
    assert_eq!(proxy.cancels(), 1, "nothing is sent in the clear");
}

#[tokio::test]
async fn who_listens_does_so_over_tls() {
    let server = Server::start("hostssl all reader 127.0.0.1/32 scram-sha-256").await;
    let settings = server.resolve(&server.rooted("sslmode=verify-full")).unwrap();
    let mut listener = Listener::connect(&settings, "news").await.unwrap();
    server.execute("NOTIFY news").await;
    listener.notified().await.unwrap();
    let (client, driver) = callslip::loan::connect(&settings).await.unwrap();
    let driver = tokio::spawn(driver);
    let sql =
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'reader'";
    assert_eq!(server.owner.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 2);
    drop(client);
    driver.await.unwrap().unwrap();
}
