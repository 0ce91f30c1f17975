use callslip::cluster::{Cluster, ClusterOptions};
use tokio_postgres::{Client, Config, NoTls};

/// A session of a test's own, which ends when the client is dropped.
///
/// # Panics
/// If the server does not answer.
pub async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// The same, by a URL.
///
/// # Panics
/// If it is no URL, or the server does not answer.
pub async fn connect_to(url: &str) -> Client {
    connect(&url.parse().expect("a URL")).await
}

/// A private PostgreSQL in which the SQL of a test was run, and the session of its superuser that ran it.
///
/// # Panics
/// If there is no PostgreSQL on this machine, or it refuses the SQL.
pub async fn cluster(sql: &str) -> (Cluster, Client) {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap_or_else(|error| panic!("{error}"));
    let owner = connect(&cluster.config()).await;
    owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    (cluster, owner)
}
