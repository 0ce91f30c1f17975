use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_postgres::SimpleQueryMessage;

use super::super::refresh::Backoff;
use super::interval;
use super::position::{Lsn, Positions};
use super::replica::Replica;
use crate::loan::{Loan, LoanError, Pool};

/// How long a server may take to say where it is.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How soon a server that did not say it is asked again, at most.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Where the database is. On a standby that can't be asked.
const WRITTEN: &str = "SELECT pg_catalog.pg_current_wal_lsn()";

/// Where a replica is: nothing, on what is none.
const REPLAYED: &str =
    "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() END";

/// Which database it is. Not everybody may ask.
const IDENTITY: &str = "SELECT system_identifier FROM pg_catalog.pg_control_system()";

/// Looks at a server, again and again, on a connection of its own: that calls wait for connections tells nothing of it.
pub(super) struct Look {
    pool: Pool,
    /// The connection, and which database its server says that it has, if it says that.
    session: Option<(Loan, Option<String>)>,
    positions: Arc<Positions>,
    every: Duration,
    backoff: Backoff,
}

impl Look {
    /// To look with the only connection of this pool.
    pub fn new(pool: Pool, positions: Arc<Positions>, max_lag: Option<Duration>) -> Self {
        let every = interval(max_lag);
        Self { pool, session: None, positions, every, backoff: Backoff::new(every, LONGEST_DELAY) }
    }

    /// Looks where the database is.
    pub async fn at_database(mut self) {
        let mut is_told = false;
        loop {
            let asked_at = Instant::now();
            let delay = match self.ask(WRITTEN).await {
                Ok(position) => {
                    self.positions.identify(self.identity());
                    if let Some(position) = position {
                        self.positions.add(position, asked_at);
                    }
                    is_told = false;
                    self.every
                }
                Err(reason) => {
                    // The replicas that rest for this are told of, too.
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(
                            "nobody knows how far replicas are behind: the database does not say where it is: {reason}"
                        );
                    }
                    self.backoff.delay()
                }
            };
            sleep(delay).await;
        }
    }

    /// Looks where a replica is.
    pub async fn at_replica(mut self, replica: Arc<Replica>) {
        loop {
            let delay = match self.ask(REPLAYED).await {
                Ok(position) => {
                    match position {
                        Some(_) if !self.positions.may_be_of(self.identity()) => {
                            replica.is_not_well("it is the replica of another database");
                        }
                        Some(replayed) => replica.is_as_of(self.positions.as_of(replayed)),
                        None => replica.is_not_well("it is no replica: it is not in recovery"),
                    }
                    self.every
                }
                Err(reason) => {
                    replica.is_not_well(&reason);
                    self.backoff.delay()
                }
            };
            sleep(delay).await;
        }
    }

    /// Which database the server says that it has, if it says that.
    fn identity(&self) -> Option<&str> {
        self.session.as_ref().and_then(|(_, identity)| identity.as_deref())
    }

    /// Asks for a place in the log.
    async fn ask(&mut self, sql: &str) -> Result<Option<Lsn>, String> {
        let reason = match timeout(ANSWER_WITHIN, self.answer(sql)).await {
            Ok(Ok(position)) => {
                self.backoff.reset();
                return Ok(position.as_deref().and_then(Lsn::read));
            }
            Ok(Err(error)) => error.database_message().unwrap_or_else(|| error.to_string()),
            Err(_) => format!("it did not answer within {ANSWER_WITHIN:?}"),
        };
        self.session = None;
        Err(reason)
    }

    async fn answer(&mut self, sql: &str) -> Result<Option<String>, LoanError> {
        let (loan, _) = match &mut self.session {
            Some(session) => session,
            none => {
                let loan = self.pool.loan().await?;
                let identity = loan.client().simple_query(IDENTITY).await.ok();
                none.insert((loan, identity.as_deref().and_then(value)))
            }
        };
        Ok(value(&loan.client().simple_query(sql).await?))
    }
}

fn value(messages: &[SimpleQueryMessage]) -> Option<String> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
