//! Whatever can be lent, each as a service has it.

use std::sync::atomic::{AtomicUsize, Ordering};

use bb8_postgres::PostgresConnectionManager;
use callslip::loan::Lender;
use tokio_postgres::{Client, Error, IsolationLevel, NoTls, Transaction};

use crate::support::{service, session};

/// What is lent, and can be looked at before and after.
pub trait Owner: Lender {
    fn client(&self) -> &Client;
}

impl Owner for Client {
    fn client(&self) -> &Client {
        self
    }
}

impl Owner for Transaction<'_> {
    fn client(&self) -> &Client {
        Transaction::client(self)
    }
}

impl Owner for deadpool_postgres::Object {
    fn client(&self) -> &Client {
        self
    }
}

impl Owner for deadpool_postgres::Transaction<'_> {
    fn client(&self) -> &Client {
        Transaction::client(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ReadCommitted,
    RepeatableRead,
    Serializable,
    ReadOnly,
    Deferrable,
    Savepoint,
    Client,
    ClientInTransaction,
    DeadpoolObject,
    DeadpoolInTransaction,
    DeadpoolTransaction,
    DeadpoolSerializable,
    DeadpoolSavepoint,
    Bb8Object,
    Bb8InTransaction,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::ReadCommitted,
        Self::RepeatableRead,
        Self::Serializable,
        Self::ReadOnly,
        Self::Deferrable,
        Self::Savepoint,
        Self::Client,
        Self::ClientInTransaction,
        Self::DeadpoolObject,
        Self::DeadpoolInTransaction,
        Self::DeadpoolTransaction,
        Self::DeadpoolSerializable,
        Self::DeadpoolSavepoint,
        Self::Bb8Object,
        Self::Bb8InTransaction,
    ];

    /// Whether a transaction is open on it.
    pub fn is_in_transaction(self) -> bool {
        !matches!(self, Self::Client | Self::DeadpoolObject | Self::Bb8Object)
    }

    pub fn writes(self) -> bool {
        !matches!(self, Self::ReadOnly | Self::Deferrable)
    }

    /// Whether its session keeps what Callslip prepares.
    pub fn keeps_statements(self) -> bool {
        matches!(
            self,
            Self::DeadpoolObject
                | Self::DeadpoolInTransaction
                | Self::DeadpoolTransaction
                | Self::DeadpoolSerializable
                | Self::DeadpoolSavepoint
        )
    }
}

type Bb8 = bb8::Pool<PostgresConnectionManager<NoTls>>;

/// What the service has on a session, and must find again.
async fn set_up(client: &Client) {
    let sql = "SET lend.own = 'session'; SET work_mem = '5MB'; SET TimeZone = 'Asia/Tokyo'; SET search_path = public, pg_temp; \
               CREATE TEMP TABLE kept AS SELECT 1 AS n; LISTEN lend; PREPARE own_statement AS SELECT 2; \
               SELECT pg_advisory_lock_shared(7)";
    client.batch_execute(sql).await.unwrap();
}

/// A service with connections of every kind, and a table of its own to write to.
pub struct Service {
    client: Client,
    deadpool: deadpool_postgres::Pool,
    bb8: Bb8,
    /// The name of the table, which has the one column `token int`.
    pub table: String,
}

impl Service {
    pub async fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let config = service().await;
        let manager = deadpool_postgres::Manager::new(config.clone(), NoTls);
        let deadpool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
        let bb8 = bb8::Pool::builder()
            .max_size(1)
            .build(PostgresConnectionManager::new(config, NoTls))
            .await
            .unwrap();
        let client = session().await;
        set_up(&client).await;
        set_up(&deadpool.get().await.unwrap()).await;
        set_up(&*bb8.get().await.unwrap()).await;
        let table = format!("lend.written_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        client.batch_execute(&format!("CREATE TABLE {table} (token int PRIMARY KEY)")).await.unwrap();
        Self { client, deadpool, bb8, table }
    }

    /// Has something of this kind, does something with it, and commits.
    pub async fn with(&mut self, kind: Kind, work: impl AsyncFnOnce(&mut dyn Owner)) -> Result<(), Error> {
        use IsolationLevel::{RepeatableRead, Serializable};
        match kind {
            Kind::ReadCommitted => commit(self.client.transaction().await?, work).await,
            Kind::RepeatableRead => {
                let builder = self.client.build_transaction().isolation_level(RepeatableRead);
                commit(builder.start().await?, work).await
            }
            Kind::Serializable => {
                let builder = self.client.build_transaction().isolation_level(Serializable);
                commit(builder.start().await?, work).await
            }
            Kind::ReadOnly => {
                let builder = self.client.build_transaction().read_only(true);
                commit(builder.start().await?, work).await
            }
            Kind::Deferrable => {
                let builder = self.client.build_transaction().isolation_level(Serializable);
                commit(builder.read_only(true).deferrable(true).start().await?, work).await
            }
            Kind::Savepoint => {
                let mut transaction = self.client.transaction().await?;
                let mut outer = transaction.savepoint("theirs").await?;
                let inner = outer.transaction().await?;
                commit(inner, work).await?;
                outer.commit().await?;
                transaction.commit().await
            }
            Kind::Client => {
                work(&mut self.client).await;
                Ok(())
            }
            Kind::ClientInTransaction => by_hand(&mut self.client, work).await,
            Kind::DeadpoolObject => {
                work(&mut self.deadpool.get().await.unwrap()).await;
                Ok(())
            }
            Kind::DeadpoolInTransaction => by_hand(&mut self.deadpool.get().await.unwrap(), work).await,
            Kind::DeadpoolTransaction => {
                let mut client = self.deadpool.get().await.unwrap();
                commit_of_deadpool(client.transaction().await?, work).await
            }
            Kind::DeadpoolSerializable => {
                let mut client = self.deadpool.get().await.unwrap();
                let builder = client.build_transaction().isolation_level(Serializable);
                commit_of_deadpool(builder.start().await?, work).await
            }
            Kind::DeadpoolSavepoint => {
                let mut client = self.deadpool.get().await.unwrap();
                let mut transaction = client.transaction().await?;
                commit_of_deadpool(transaction.savepoint("theirs").await?, work).await?;
                transaction.commit().await
            }
            Kind::Bb8Object => {
                work(&mut *self.bb8.get().await.unwrap()).await;
                Ok(())
            }
            Kind::Bb8InTransaction => by_hand(&mut *self.bb8.get().await.unwrap(), work).await,
        }
    }
}

async fn commit(
    mut transaction: Transaction<'_>,
    work: impl AsyncFnOnce(&mut dyn Owner),
) -> Result<(), Error> {
    work(&mut transaction).await;
    transaction.commit().await
}

async fn commit_of_deadpool(
    mut transaction: deadpool_postgres::Transaction<'_>,
    work: impl AsyncFnOnce(&mut dyn Owner),
) -> Result<(), Error> {
    work(&mut transaction).await;
    transaction.commit().await
}

async fn by_hand(owner: &mut dyn Owner, work: impl AsyncFnOnce(&mut dyn Owner)) -> Result<(), Error> {
    owner.client().batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
    work(owner).await;
    owner.client().batch_execute("COMMIT").await
}
