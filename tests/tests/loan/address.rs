use std::time::{Duration, Instant};

use callslip::Code;
use callslip::loan::{ConnectionSettings, Listener, Pool, PoolSettings};
use tokio::net::TcpListener;

use crate::proxy::{Cancels, Proxy};
use crate::support::{BACKEND, Database, assert_clean, one, run};

fn pool(url: &str) -> Pool {
    let settings = ConnectionSettings::resolve(Some(url), &|_| None).unwrap();
    Pool::new(&settings, PoolSettings { size: 1, ..PoolSettings::default() }).unwrap()
}

/// A port on which nobody listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn the_first_server_that_works_is_taken_and_cancels_go_there() {
    let database = Database::start().await;
    let proxy = Proxy::start(&database.socket(), Cancels::Passed).await;
    let (dead, port) = (closed_port().await, proxy.address.port());
    // Takes connections, and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute_port = mute.local_addr().unwrap().port();
    for (servers, within) in [
        (format!("127.0.0.1:{dead},127.0.0.1:{port}"), 1),
        (format!("nowhere.invalid:5432,localhost:{port}"), 8),
        (format!("127.0.0.1:{mute_port},127.0.0.1:{port}"), 3),
    ] {
        let start = Instant::now();
        let pool =
            pool(&format!("postgresql://postgres@{servers}/postgres?connect_timeout=1&sslmode=disable"));
        let pid = one::<i32>(&pool, BACKEND).await;
        assert!(start.elapsed() < Duration::from_secs(within), "{servers}: {:?}", start.elapsed());
        let before = proxy.cancels();
        let sleep: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[]);
        database.drop_asleep(async { run(&pool, &[sleep]).await.map(drop) }).await;
        assert_eq!(one::<i32>(&pool, BACKEND).await, pid, "{servers}");
        assert_eq!(proxy.cancels(), before + 1, "{servers}");
        assert_clean(&pool).await;
    }
}

#[tokio::test]
async fn each_server_that_does_not_work_is_told() {
    let database = Database::start().await;
    let dead = closed_port().await;
    let folder = database.cluster.folder().display().to_string();
    let url = format!("postgresql://nobody_here:hunter2@/postgres?host=127.0.0.1,{folder}&port={dead},5432");
    let error = pool(&url).loan().await.err().unwrap();
    assert_eq!(error.code(), Code::DatabaseUnavailable);
    let told = error.to_string();
    assert!(told.contains(&format!("127.0.0.1:{dead}: ")), "{told}");
    assert!(told.contains(&format!("; {folder}:5432: role \"nobody_here\" does not exist")), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let settings = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let error = Listener::connect(&settings, "changes").await.err().unwrap();
    assert_eq!(error.to_string(), told);
}

#[tokio::test]
async fn servers_are_taken_at_random_where_that_is_asked_for() {
    let database = Database::start().await;
    let (one_way, other_way) = (
        Proxy::start(&database.socket(), Cancels::Passed).await,
        Proxy::start(&database.socket(), Cancels::Passed).await,
    );
    let servers = format!("{},{}", one_way.address, other_way.address);
    let url = format!("postgresql://postgres@{servers}/postgres?load_balance_hosts=random");
    let start = Instant::now();
    while one_way.sessions() == 0 || other_way.sessions() == 0 {
        one::<i32>(&pool(&url), BACKEND).await;
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_passed_over() {
    let (writable, read_only) = (Database::start().await, Database::start().await);
    read_only.execute("ALTER SYSTEM SET default_transaction_read_only = on").await;
    read_only.execute("SELECT pg_reload_conf()").await;
    let folder = |database: &Database| database.cluster.folder().display().to_string();
    let servers = format!("{},{}", folder(&read_only), folder(&writable));
    let taken = async |wanted: &str| {
        let url = format!("postgresql://postgres@/postgres?host={servers}&target_session_attrs={wanted}");
        let sql = "SELECT pg_catalog.current_setting('unix_socket_directories') AS s";
        one::<String>(&pool(&url), sql).await
    };
    assert_eq!(taken("read-write").await, folder(&writable));
    assert_eq!(taken("any").await, folder(&read_only));
}
