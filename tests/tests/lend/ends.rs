//! Every way in which a call can end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callslip::loan::{BoundStatement, LoanError, Pool, Run, Terms};
use callslip::{Call, CallError, Code, Host};
use callslip_tests::database;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, SimpleQueryMessage};

use crate::owners::Owner;
use crate::support::{
    canceller, cancelling, drop_after, language, number, sessions, statement, without_pool,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Nothing,
    Rows,
    NoRow,
    Query,
    /// A query that is proven when it is first used, on what is lent.
    FirstUse,
    Error,
    LateError,
    ErrorInThePlugin,
    StatementTimeout,
    LockTimeout,
    Cancelled,
    DroppedFuture,
    DroppedHalfWay,
    DroppedReply,
    Reply,
    TypedRows,
    DroppedTypedRows,
    UnreadableRow,
    /// The call is cancelled by who made it, while its statement runs.
    CancelledCall,
    CancelledReply,
    CancelledRows,
    CancelledRun,
    /// It waits for a lock before anything of it runs.
    CancelledAtALock,
    /// The same where it is proven first.
    CancelledFirstUse,
    /// There is no way to cancel it.
    NotCancelled,
    Trap,
    Panic,
    RefusedByThePlugin,
    TooManyRows,
    ReplyTooLarge,
    BadParameter,
    RejectedValue,
    UnreadableValue,
    NulCharacter,
    WrongParameterCount,
    Stale,
    Gone,
    Killed,
}

impl End {
    pub const ALL: [Self; 38] = [
        Self::Nothing,
        Self::Rows,
        Self::NoRow,
        Self::Query,
        Self::FirstUse,
        Self::Error,
        Self::LateError,
        Self::ErrorInThePlugin,
        Self::StatementTimeout,
        Self::LockTimeout,
        Self::Cancelled,
        Self::DroppedFuture,
        Self::DroppedHalfWay,
        Self::DroppedReply,
        Self::Reply,
        Self::TypedRows,
        Self::DroppedTypedRows,
        Self::UnreadableRow,
        Self::CancelledCall,
        Self::CancelledReply,
        Self::CancelledRows,
        Self::CancelledRun,
        Self::CancelledAtALock,
        Self::CancelledFirstUse,
        Self::NotCancelled,
        Self::Trap,
        Self::Panic,
        Self::RefusedByThePlugin,
        Self::TooManyRows,
        Self::ReplyTooLarge,
        Self::BadParameter,
        Self::RejectedValue,
        Self::UnreadableValue,
        Self::NulCharacter,
        Self::WrongParameterCount,
        Self::Stale,
        Self::Gone,
        Self::Killed,
    ];
}

/// Where a call runs.
pub enum On<'a> {
    Lent(&'a mut dyn Owner),
    /// A connection of the host's own.
    Own,
}

/// Hosts with one connection of their own each, but for one.
struct Hosts {
    plain: Host,
    /// The one that has none.
    without_pool: Host,
    few_rows: Host,
    small_replies: Host,
    short_timeouts: Host,
    /// The one that can't cancel what runs on what is lent, for which that then has a timeout.
    not_cancelling: Host,
    /// The one that can, and has a timeout all the same.
    brief: Host,
}

/// The timeout of those two.
pub const BRIEF: Duration = Duration::from_secs(2);

fn short() -> Terms {
    let lock_timeout = Duration::from_millis(50);
    Terms { statement_timeout: Duration::from_millis(300), lock_timeout, ..Terms::default() }
}

async fn hosts() -> &'static Hosts {
    static HOSTS: OnceCell<Hosts> = OnceCell::const_new();
    let brief = format!("[pool]\nsize = 1\nwait_ms = 60000\nstatement_timeout_ms = {}", BRIEF.as_millis());
    // Its plugin traps in many tests at once, and is not suspended for that.
    let plain = "[pool]\nsize = 1\nwait_ms = 60000\n[limits]\nfailures = 1000";
    HOSTS
        .get_or_init(async || Hosts {
            plain: cancelling(plain).await,
            without_pool: without_pool().await,
            few_rows: language("[pool]\nsize = 1\nwait_ms = 60000\n[limits]\nrows = 100").await,
            small_replies: language("[pool]\nsize = 1\nwait_ms = 60000\n[limits]\nreply_mib = 1").await,
            short_timeouts: language(
                "[pool]\nsize = 1\nwait_ms = 60000\nstatement_timeout_ms = 300\nlock_timeout_ms = 50",
            )
            .await,
            not_cancelling: language(&brief).await,
            brief: cancelling(&brief).await,
        })
        .await
}

pub struct Ends {
    hosts: &'static Hosts,
    /// Looks at what others do, and stops it.
    pub(crate) admin: Client,
    /// What is locked while others want to read it.
    pub(crate) locked: String,
    /// What the owner writes to.
    table: String,
    /// What is slow; nobody else's.
    sleep: Arc<str>,
}

impl Ends {
    pub async fn new(table: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let admin = database().owner().await;
        let locked = format!("lend.locked_{count}");
        let sql = format!("CREATE TABLE {locked} (n int8); GRANT SELECT ON {table}, {locked} TO PUBLIC");
        admin.batch_execute(&sql).await.unwrap();
        let sleep = format!("/* sleeps {count}. */ SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS t").into();
        Self { hosts: hosts().await, admin, locked, table: table.to_owned(), sleep }
    }

    /// The host that cancels, and has a timeout all the same.
    pub fn brief(&self) -> &Host {
        &self.hosts.brief
    }

    /// The pool of the host's own that an end is on.
    pub fn pool(&self, end: End) -> &Pool {
        self.host(end).pool().unwrap()
    }

    fn host(&self, end: End) -> &Host {
        match end {
            End::TooManyRows => &self.hosts.few_rows,
            End::ReplyTooLarge => &self.hosts.small_replies,
            End::StatementTimeout | End::LockTimeout => &self.hosts.short_timeouts,
            End::NotCancelled => &self.hosts.not_cancelling,
            _ => &self.hosts.plain,
        }
    }

    /// Has a call end in this way.
    pub async fn perform(&self, end: End, on: &mut On<'_>) {
        let large = "SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, 300000) AS g (i)";
        let late =
            "SELECT CAST(10 / (9999 - g.i) AS int8) AS n FROM pg_catalog.generate_series(1, 10000) AS g (i)";
        let division = |divisor| number("SELECT CAST($1 AS int8) / CAST($2 AS int8) AS n", &["12", divisor]);
        let written = format!("SELECT pg_catalog.count(*) AS n FROM {} AS w", self.table);
        match end {
            End::Nothing => assert!(self.rows(end, on, Vec::new()).await.unwrap().is_empty()),
            End::Rows => {
                let statements = vec![number(&written, &[]), division("4"), number(large, &[])];
                let all = self.rows(end, on, statements).await.unwrap();
                if let On::Lent(owner) = on {
                    let own = first(owner.client(), &written).await;
                    assert_eq!(all[0][0].get::<_, i64>(0).to_string(), own, "its own uncommitted rows");
                }
                assert_eq!((all[1][0].get::<_, i64>(0), all[2].len()), (3, 300_000));
            }
            End::NoRow => {
                let none = "SELECT CAST(1 AS int8) AS n WHERE false";
                let all = self.rows(end, on, vec![number(none, &[])]).await.unwrap();
                assert!(all[0].is_empty());
            }
            End::Query => {
                let found = self.call(end, on, "position", "id", 7).await.unwrap();
                assert!(found.starts_with("{\"id\":7,"), "{found}");
                let lines = self.call(end, on, "odd_types", "", 0).await.unwrap();
                assert!(lines.contains("statuses"), "{lines}");
            }
            End::FirstUse => {
                static COUNT: AtomicUsize = AtomicUsize::new(0);
                let word = format!("word{}", COUNT.fetch_add(1, Ordering::Relaxed));
                assert_eq!(self.call(end, on, "search", "words", word).await.unwrap(), "[]");
            }
            End::Error => {
                let error = self.rows(end, on, vec![division("4"), division("0")]).await.unwrap_err();
                assert_eq!(error.sqlstate(), Some("22012"));
                let error = self.rows(end, on, vec![division("0")]).await.unwrap_err();
                assert_eq!(error.sqlstate(), Some("22012"));
            }
            End::LateError => {
                for statements in
                    [vec![number(late, &[])], vec![division("1"), number(late, &[]), division("2")]]
                {
                    let error = self.rows(end, on, statements).await.unwrap_err();
                    assert_eq!(error.sqlstate(), Some("22012"));
                }
            }
            End::ErrorInThePlugin => self.fails(end, on, ("breaking", "", 0), Code::StatementFailed).await,
            End::StatementTimeout => {
                let error = self.rows(end, on, vec![division("4"), self.sleep()]).await.unwrap_err();
                assert_eq!((error.code(), error.sqlstate()), (Code::StatementTimeout, Some("57014")));
            }
            End::LockTimeout => {
                self.admin.batch_execute(&format!("BEGIN; LOCK TABLE {}", self.locked)).await.unwrap();
                let read = format!("SELECT l.n AS n FROM {} AS l", self.locked);
                let error = self.rows(end, on, vec![number(&read, &[])]).await.unwrap_err();
                self.admin.batch_execute("ROLLBACK").await.unwrap();
                assert_eq!((error.code(), error.sqlstate()), (Code::StatementTimeout, Some("55P03")));
            }
            End::Cancelled => {
                let (error, ()) =
                    tokio::join!(self.rows(end, on, vec![self.sleep()]), self.stop("pg_cancel_backend"));
                assert_eq!(error.unwrap_err().sqlstate(), Some("57014"));
            }
            End::DroppedFuture => {
                let future = self.rows(end, on, vec![number(large, &[]), number(&written, &[])]);
                assert!(drop_after(2, future).await.is_none(), "it has ended");
            }
            End::DroppedHalfWay => {
                let statements = vec![number(large, &[]), number(&written, &[])];
                let mut run = self.run(end, on, statements).await.unwrap();
                assert!(run.next_row().await.unwrap().is_some());
            }
            End::DroppedReply => {
                let mut reply = self.lend(end, on, "everything_rated").run().await.unwrap();
                assert!(reply.next_chunk().await.unwrap().is_some());
            }
            End::Reply => {
                let mut reply =
                    self.lend_to(end, on, "slow", "late").param("seconds", 0).run().await.unwrap();
                while reply.next_chunk().await.unwrap().is_some() {}
                assert_eq!(reply.rows(), 2000);
            }
            End::TypedRows => {
                let call = self.lend(end, on, "position").param("id", 7);
                let found: Option<Value> = call.rows().await.unwrap().one_as().await.unwrap();
                assert_eq!(found.unwrap()["id"], 7);
                let call = self.lend_to(end, on, "slow", "late").param("seconds", 0);
                let found: Vec<Value> = call.rows().await.unwrap().collect_as().await.unwrap();
                assert_eq!(found.len(), 2000);
            }
            End::DroppedTypedRows => {
                let mut rows = self.lend(end, on, "everything_rated").rows().await.unwrap();
                assert!(rows.next().await.unwrap().is_some());
            }
            End::UnreadableRow => {
                let mut rows = self.lend(end, on, "position").param("id", 7).rows().await.unwrap();
                rows.next_as::<bool>().await.expect_err("it is no bool");
            }
            End::CancelledCall => self.cancel_call(end, on).await,
            End::CancelledReply => self.cancel_reply(end, on).await,
            End::CancelledRows => self.cancel_rows(end, on).await,
            End::CancelledRun => self.cancel_run(end, on, number(large, &[])).await,
            End::CancelledAtALock => self.cancel_at_a_lock(end, on).await,
            End::CancelledFirstUse => self.cancel_first_use(end, on).await,
            End::NotCancelled => self.do_not_cancel(end, on).await,
            End::Trap => self.fails(end, on, ("search", "words", "abort"), Code::PluginTrapped).await,
            End::Panic => self.fails(end, on, ("search", "words", "panic"), Code::PluginTrapped).await,
            End::RefusedByThePlugin => self.fails(end, on, ("search", "words", " "), Code::Refused).await,
            End::TooManyRows => self.fails(end, on, ("ratings", "", 0), Code::TooManyRows).await,
            End::ReplyTooLarge => self.fails(end, on, ("ratings", "", 0), Code::ReplyTooLarge).await,
            End::BadParameter => {
                self.fails(end, on, ("position", "id", "seven"), Code::InvalidParameter).await;
            }
            End::RejectedValue => self.fails(end, on, ("slices", "limit", -1), Code::RejectedValue).await,
            End::UnreadableValue => {
                let error = self.rows(end, on, vec![division("four")]).await.unwrap_err();
                assert_eq!(error.sqlstate(), Some("22P02"));
            }
            End::NulCharacter => {
                let error = self.rows(end, on, vec![division("a\0b")]).await.unwrap_err();
                assert!(matches!(error, LoanError::NulCharacter { parameter: 2 }), "{error}");
            }
            End::WrongParameterCount => {
                let mut few = division("4");
                few.values.pop();
                let error = self.rows(end, on, vec![few]).await.unwrap_err();
                assert_eq!(error.code(), Code::StatementFailed, "{error}");
            }
            End::Stale => {
                let stale = || number("SELECT CAST(1 AS int8) AS m", &[]);
                for statements in [vec![stale()], vec![division("4"), stale()]] {
                    let error = self.rows(end, on, statements).await.unwrap_err();
                    assert_eq!(error.code(), Code::StaleStatement);
                }
            }
            End::Gone => {
                let gone = || number("SELECT t.n AS n FROM lend.never AS t", &[]);
                for statements in [vec![gone()], vec![division("4"), gone()]] {
                    let error = self.rows(end, on, statements).await.unwrap_err();
                    assert_eq!((error.code(), error.sqlstate()), (Code::StaleStatement, Some("42P01")));
                }
            }
            End::Killed => {
                let (error, ()) =
                    tokio::join!(self.rows(end, on, vec![self.sleep()]), self.stop("pg_terminate_backend"));
                assert_eq!(error.unwrap_err().code(), Code::DatabaseUnavailable);
            }
        }
    }

    pub(crate) fn sleep(&self) -> BoundStatement {
        BoundStatement { sql: self.sleep.clone(), ..statement("", &[], &[("t", Type::TEXT)]) }
    }

    /// Waits until the statement that sleeps does so, and has its backend stopped.
    async fn stop(&self, function: &str) {
        let sql = format!(
            "SELECT {function}(pid) FROM pg_stat_activity WHERE query = $1 AND wait_event = 'PgSleep'"
        );
        while self.admin.query(&sql, &[&&*self.sleep]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn run<'loan>(
        &self,
        end: End,
        on: &'loan mut On<'_>,
        statements: Vec<BoundStatement>,
    ) -> Result<Run<'loan>, LoanError> {
        let terms = match end {
            End::StatementTimeout | End::LockTimeout => short(),
            _ => Terms::default(),
        };
        match on {
            On::Lent(owner) => {
                owner.lend().cancelled_through(canceller()).run(statements, &terms, sessions()).await
            }
            On::Own => self.pool(end).loan().await?.run(statements).await,
        }
    }

    pub(crate) async fn rows(
        &self,
        end: End,
        on: &mut On<'_>,
        statements: Vec<BoundStatement>,
    ) -> Result<Vec<Vec<Row>>, LoanError> {
        callslip_tests::rows(self.run(end, on, statements).await?).await
    }

    fn lend<'loan>(&self, end: End, on: &'loan mut On<'_>, query: &str) -> Call<'loan> {
        self.lend_to(end, on, "language", query)
    }

    pub(crate) fn lend_to<'loan>(
        &self,
        end: End,
        on: &'loan mut On<'_>,
        plugin: &str,
        query: &str,
    ) -> Call<'loan> {
        match on {
            On::Lent(owner) => {
                let is_proven_there = matches!(end, End::FirstUse | End::CancelledFirstUse);
                let host = if is_proven_there { &self.hosts.without_pool } else { self.host(end) };
                host.call(plugin, query).on(*owner)
            }
            On::Own => self.host(end).call(plugin, query),
        }
    }

    /// Reads the whole reply to a query with one parameter, or none.
    async fn call(
        &self,
        end: End,
        on: &mut On<'_>,
        query: &str,
        parameter: &str,
        value: impl Into<Value>,
    ) -> Result<String, CallError> {
        let call = self.lend(end, on, query);
        let call = if parameter.is_empty() { call } else { call.param(parameter, value) };
        let mut reply = call.run().await?;
        let mut text = Vec::new();
        while let Some(chunk) = reply.next_chunk().await? {
            text.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(text).unwrap())
    }

    async fn fails(
        &self,
        end: End,
        on: &mut On<'_>,
        (query, parameter, value): (&str, &str, impl Into<Value>),
        code: Code,
    ) {
        let error = self.call(end, on, query, parameter, value).await.expect_err("it fails");
        assert_eq!(error.code(), code, "{}", error.log_message());
    }
}

/// The first value that a statement of the owner's own gives.
pub async fn first(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap();
    let value = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.iter().find_map(value).unwrap_or_else(|| panic!("no row of {sql}"))
}
