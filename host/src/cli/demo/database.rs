use anyhow::Context;
use futures_util::FutureExt;
use tokio_postgres::{Client, NoTls};

use super::SCHEMA;
use crate::cli::progress::Progress;
use crate::cluster::{Cluster, ClusterOptions, Dataset};
use crate::loan::{ConnectionSettings, connect};

/// The login of the demonstration's host, which can do nothing but read.
const READER: &str = "callslip_demo_reader";

/// Where the demonstration's data are: in a private cluster, or in a schema of somebody's database.
pub(super) struct DemoDatabase {
    client: Client,
    place: Place,
    /// Whether the schema is there, and is ours to drop.
    loaded: std::sync::atomic::AtomicBool,
}

enum Place {
    Private(Cluster),
    /// The URL.
    Given(String),
}

impl DemoDatabase {
    pub async fn start(url: Option<&str>, quiet: bool) -> anyhow::Result<Self> {
        let ((client, connection), place) = match url {
            Some(url) => {
                let settings = ConnectionSettings::resolve(Some(url), &|name| std::env::var(name).ok())?;
                let (client, connection) = connect(&settings).await?;
                ((client, connection.boxed()), Place::Given(url.to_owned()))
            }
            None => {
                let progress = Progress::spinner("starting a private PostgreSQL", quiet);
                let cluster = Cluster::start(ClusterOptions::default()).await?;
                progress.finish(&format!("version {}", cluster.binaries().version()));
                let (client, connection) =
                    cluster.config().connect(NoTls).await.context("can't connect to the database")?;
                ((client, connection.boxed()), Place::Private(cluster))
            }
        };
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the demonstration's own connection has ended");
            }
        });
        Ok(Self { client, place, loaded: false.into() })
    }

    /// Fills the schema, and shows how far it is.
    pub async fn load(&self, dataset: Dataset, scale: f64, quiet: bool) -> anyhow::Result<()> {
        let progress = Progress::bar("loading the data", 100, quiet);
        let (mut percent, mut rows) = (0, 0);
        let mut report = |at: crate::cluster::LoadProgress<'_>| {
            let now = (at.done * 100 / at.total.max(1)) as u64;
            progress.advance(now - percent);
            (percent, rows) = (now, at.rows);
        };
        dataset.load(&self.client, SCHEMA, scale, &mut report).await?;
        self.loaded.store(true, std::sync::atomic::Ordering::Relaxed);
        progress.finish(&format!("{rows} rows"));
        Ok(())
    }

    /// How the host logs in: as a role that can only read, where the cluster is ours to make one in.
    pub async fn login(&self, schema: &str) -> anyhow::Result<ConnectionSettings> {
        let url = match &self.place {
            Place::Given(url) => url.clone(),
            Place::Private(cluster) => {
                let create = format!(
                    "CREATE ROLE {READER} LOGIN; \
                     GRANT USAGE ON SCHEMA {schema} TO {READER}; \
                     GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {READER};"
                );
                self.client.batch_execute(&create).await.context("can't make a login that only reads")?;
                cluster.url("postgres").replacen("://postgres@", &format!("://{READER}@"), 1)
            }
        };
        Ok(ConnectionSettings::resolve(Some(&url), &|_| None)?)
    }

    /// Removes what the demonstration made.
    pub async fn end(self) -> anyhow::Result<()> {
        match self.place {
            Place::Private(cluster) => cluster.stop().await?,
            Place::Given(_) if self.loaded.into_inner() => {
                let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
                self.client.batch_execute(&drop).await.with_context(|| {
                    format!("the schema {SCHEMA} could not be dropped, and is left behind")
                })?;
            }
            Place::Given(_) => {}
        }
        Ok(())
    }
}
