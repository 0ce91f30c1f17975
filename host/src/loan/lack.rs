use std::fmt;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::error::LoanError;
use super::pooler::Pooler;

/// Something that PostgreSQL has and a server has not: an engine that speaks its protocol, a standby, or another operating system.
/// The host does without. `Display` says what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lack {
    /// `LISTEN`, or somebody who would notify: on a standby nothing is notified.
    Notifications,
    /// Event triggers, by which a database tells of its changes.
    EventTriggers,
    /// `client_connection_check_interval`, or an operating system by which it can look.
    ClientCheck,
    /// `idle_in_transaction_session_timeout`.
    IdleTimeout,
    /// `EXPLAIN (FORMAT JSON)`.
    Explain,
}

/// What a session would set, and its server may not know.
pub(super) const IDLE_TIMEOUT: &str = "idle_in_transaction_session_timeout";

/// Whether there is no session since its server does not know that setting.
pub(super) fn is_of_idle_timeout(reason: &str) -> bool {
    reason.contains(&format!("unrecognized configuration parameter \"{IDLE_TIMEOUT}\""))
}

/// Whether it is a standby, or nobody can be notified there; and of each of the others whether it is not there.
const QUESTION: &str = "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.to_regprocedure('pg_catalog.pg_notify(text,text)') IS NULL, \
    pg_catalog.to_regclass('pg_catalog.pg_event_trigger') IS NULL, \
    pg_catalog.current_setting('client_connection_check_interval', true), \
    pg_catalog.current_setting('idle_in_transaction_session_timeout', true) IS NULL";

impl Lack {
    /// Asks a session of a pool what its server lacks.
    ///
    /// # Errors
    /// [`LoanError`], if it can't be asked.
    pub(super) async fn of(client: &Client, pooler: Pooler) -> Result<Vec<Self>, LoanError> {
        let answer = client.simple_query(QUESTION).await?;
        let Some(row) = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        }) else {
            return Ok(Vec::new());
        };
        let is = |column| row.get(column) == Some("t");
        // A session of the host's own has set it, if that can be done. One that is shared with others sets it for each call.
        let unchecked = match row.get(2) {
            None => true,
            Some(interval) => interval == "0" && pooler == Pooler::None,
        };
        let lacks = [
            (Self::Notifications, is(0)),
            (Self::EventTriggers, is(1)),
            (Self::ClientCheck, unchecked),
            (Self::IdleTimeout, is(3)),
        ];
        let mut lacks: Vec<Self> =
            lacks.into_iter().filter(|(_, lacks)| *lacks).map(|(its, _)| its).collect();
        match client.simple_query("EXPLAIN (FORMAT JSON) SELECT 1").await.map_err(LoanError::from) {
            Ok(_) => {}
            Err(LoanError::Failed(_)) => lacks.push(Self::Explain),
            Err(error) => return Err(error),
        }
        Ok(lacks)
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notifications => {
                "the server notifies nobody: changes of the database are found by looking ([catalog] poll_s)"
            }
            Self::EventTriggers => {
                "the server has no event triggers: it can't tell of changes of the database, which are found by looking \
                 ([catalog] poll_s)"
            }
            Self::ClientCheck => {
                "the server does not look for clients that have gone (client_connection_check_interval): what they have begun and \
                 nobody cancels runs to its end or its timeout"
            }
            Self::IdleTimeout => {
                "the server does not end transactions that wait (idle_in_transaction_session_timeout): one of a host that hangs \
                 stays until its connection breaks"
            }
            Self::Explain => {
                "the server does not tell what it expects a statement to cost (EXPLAIN (FORMAT JSON)): a query with a limit on \
                 that ([limits] cost) is not served"
            }
        })
    }
}
