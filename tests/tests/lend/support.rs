//! What the tests share: one runtime, the service's own login and tables, and the hosts.

use std::future::Future;
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use callslip::Host;
use callslip::loan::{
    BoundStatement, Canceller, Kept, Lender, LoanError, PlanMode, ResultColumn, Run, Sessions, Terms,
};
use callslip_tests::{connect, database, language_and_slow};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Row};

/// Longer than anything takes, on a machine that is busy.
pub const LONG: Duration = Duration::from_secs(120);

/// Runs a test on the one runtime of all, so that what they share outlives each of them.
pub fn run(test: impl Future<Output = ()>) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    RUNTIME.block_on(async { tokio::time::timeout(LONG * 3, test).await.expect("a test hangs") });
}

/// How the service itself connects: it owns the schema `lend`, and reads the hiring data.
pub async fn service() -> Config {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let sql = "CREATE ROLE lend_service LOGIN;
         CREATE SCHEMA lend AUTHORIZATION lend_service;
         GRANT USAGE ON SCHEMA lend TO PUBLIC;
         GRANT USAGE ON SCHEMA public, attacks TO lend_service;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO lend_service";
    MADE.get_or_init(|| database().execute(sql)).await;
    let mut config = database().connection().config().clone();
    config.user("lend_service");
    config
}

/// A session of the service's.
pub async fn session() -> Client {
    connect(&service().await).await
}

/// A host with the plugin of the language tests and a slow one, and these other settings. It has no way to cancel on what is
/// lent.
pub async fn language(settings: &str) -> Host {
    database().host(&language_and_slow(settings)).await
}

/// The same with a way to cancel.
pub async fn cancelling(settings: &str) -> Host {
    let config = callslip::Config::parse(&language_and_slow(settings), Path::new("")).unwrap();
    let builder =
        Host::builder().connect(&database().connection()).cancel_through(&database().owner_connection());
    builder.start(&config).await.unwrap()
}

/// What cancels on the sessions of the service.
pub fn canceller() -> Canceller {
    Canceller::new(database().owner_connection())
}

/// The same without a connection of its own.
pub async fn without_pool() -> Host {
    let config = callslip::Config::parse(&language_and_slow(""), Path::new("")).unwrap();
    let mut session = session().await;
    Host::builder()
        .reflect_on(&mut session)
        .cancel_through(&database().owner_connection())
        .start(&config)
        .await
        .unwrap()
}

pub fn statement(sql: &str, values: &[&str], result: &[(&str, Type)]) -> BoundStatement {
    let column = |(name, ty): &(&str, Type)| ResultColumn {
        name: (*name).to_owned(),
        type_oid: ty.oid(),
        type_name: ty.name().to_owned(),
        type_modifier: -1,
    };
    BoundStatement {
        sql: sql.into(),
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        columns: result.iter().map(column).collect(),
        kept: Kept::Always,
        is_single: false,
        plan: PlanMode::Auto,
    }
}

/// A statement whose one column is an int8.
pub fn number(sql: &str, values: &[&str]) -> BoundStatement {
    statement(sql, values, &[("n", Type::INT8)])
}

/// How many statements a session keeps.
pub const MOST_KEPT: usize = 64;

/// What the sessions of all lenders keep.
pub fn sessions() -> &'static Arc<Sessions> {
    static SESSIONS: LazyLock<Arc<Sessions>> =
        LazyLock::new(|| Arc::new(Sessions::new(NonZeroUsize::new(MOST_KEPT).unwrap())));
    &SESSIONS
}

pub async fn lend<'loan, L: Lender + ?Sized>(
    lender: &'loan mut L,
    statements: Vec<BoundStatement>,
) -> Result<Run<'loan>, LoanError> {
    lender.lend().run(statements, &Terms::default(), sessions()).await
}

/// The rows of all statements.
pub async fn rows<L: Lender + ?Sized>(
    lender: &mut L,
    statements: Vec<BoundStatement>,
) -> Result<Vec<Vec<Row>>, LoanError> {
    callslip_tests::rows(lend(lender, statements).await?).await
}

/// Polls a future until it has waited for the `n`th time, and drops it.
pub async fn drop_after<T>(n: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut waits = 0;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            waits += 1;
            if waits < n { Poll::Pending } else { Poll::Ready(None) }
        }
    })
    .await
}

/// The SQLSTATE of an error of the driver's.
pub fn sqlstate(error: &tokio_postgres::Error) -> Option<&str> {
    error.code().map(|code| code.code())
}
