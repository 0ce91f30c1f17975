//! Everything at once, for a minute: loans on a service's own transactions and on the host's own pool, while backends are
//! terminated, plugins trap, callers drop their calls wherever these wait or cancel them at any moment, and tables change.
//!
//! `CALLSLIP_CHAOS_S` is for how many seconds, and `CALLSLIP_CHAOS_SEED` what the choices are made from: that of a run is printed.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod after;
mod cancel;
mod random;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use callslip::loan::{Canceller, Lender, Sessions, Terms};
use callslip::{Call, CallError, Code, Config, Host};
use callslip_tests::{database, language_and_slow};
use deadpool_postgres::{Manager, Pool};
use tokio_postgres::{Error, IsolationLevel, NoTls};

use self::after::{assert_clean_host, assert_clean_service, assert_written};
use self::random::Random;
use self::work::{WORK, Work};

/// How many loans there are at once: on transactions and clients of the service's, and on the host's own pool.
const LENDERS: usize = 40;
const CALLERS: usize = 24;
/// How many connections the service has, and the host.
const SERVICE_CONNECTIONS: usize = 24;
const HOST_CONNECTIONS: usize = 8;
/// How many statements a session keeps prepared.
const MOST_KEPT: usize = 8;
/// Nothing takes longer, on a machine that is busy.
const LONG: Duration = Duration::from_secs(60);

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

type Lent<'a> = &'a mut (dyn Lender + Send);

struct Chaos {
    host: Host,
    /// By which what runs on the service's connections is cancelled.
    canceller: Canceller,
    pool: Pool,
    sessions: Sessions,
    until: Instant,
    next_token: AtomicI64,
    /// What was committed, and what was not.
    tokens: Mutex<(BTreeSet<i64>, BTreeSet<i64>)>,
    /// How often what was done ended how.
    ends: Mutex<BTreeMap<String, usize>>,
    /// What must not have happened.
    wrong: Mutex<Vec<String>>,
}

impl Chaos {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn count(&self, end: impl Debug) {
        *self.ends.lock().unwrap().entry(format!("{end:?}")).or_default() += 1;
    }

    fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// What an operation gives; that it hangs is wrong.
    async fn bounded<T>(&self, what: impl Debug, operation: impl Future<Output = T>) -> Option<T> {
        let result = tokio::time::timeout(LONG, operation).await.ok();
        if result.is_none() {
            self.wrong(format!("{what:?} hangs"));
        }
        result
    }

    /// One loan, which may be dropped wherever it waits, or cancelled at any moment.
    async fn work(&self, random: &mut Random, lent: Option<Lent<'_>>) {
        let work = *random.of(&WORK);
        let (is_lent, brief) = (lent.is_some(), random.one_in(2));
        let number = random.below(40);
        if random.one_in(3) {
            // From at once to when all of it is over.
            let at_most = 1 << (6 + random.below(13));
            let after = Duration::from_micros(random.below(at_most));
            let cancelled =
                self.bounded((work, "cancelled"), self.cancelled(work, lent, number, after)).await;
            match cancelled {
                None => {}
                Some(Ok(end)) => self.count((work, end)),
                Some(Err(error)) if work.may_end_with(error.code()) => {
                    self.count((work, error.code(), "not cancelled"))
                }
                Some(Err(error)) => {
                    self.wrong(format!("{work:?}, cancelled, lent: {is_lent}: {}", error.log_message()));
                }
            }
            return;
        }
        let drop_at = random.one_in(2).then(|| usize::try_from(1 + random.below(12)).unwrap());
        let result = self.bounded(work, drop_after(drop_at, self.run(work, lent, brief, number))).await;
        match result {
            None => {}
            Some(None) => self.count((work, "dropped")),
            Some(Some(Ok(()))) => {
                if work.must_fail() {
                    self.wrong(format!("{work:?} has not failed"));
                }
                self.count((work, "well"));
            }
            Some(Some(Err(error))) => {
                let code = error.code();
                self.count((work, code));
                let was_bounded = is_lent && brief;
                if !work.may_end_with(code) || (code == Code::StatementTimeout && !was_bounded) {
                    self.wrong(format!("{work:?}, lent: {is_lent}: {}", error.log_message()));
                }
            }
        }
    }

    async fn run(
        &self,
        work: Work,
        lent: Option<Lent<'_>>,
        brief: bool,
        number: u64,
    ) -> Result<(), CallError> {
        if let Some(statements) = work.statements() {
            let brief = brief && work == Work::Sleep;
            let terms = match brief {
                true => Terms { statement_timeout: Duration::from_millis(20), ..Terms::default() },
                false => Terms::default(),
            };
            let run = match lent {
                Some(lender) => lender.lend().run(statements, &terms, &self.sessions).await?,
                None => self.host.pool().unwrap().loan().await?.run(statements).await?,
            };
            callslip_tests::rows(run).await?;
            return Ok(());
        }
        let mut reply = self.to_call(work, lent, number).run().await?;
        while reply.next_chunk().await?.is_some() {}
        Ok(())
    }

    /// The call of a query.
    fn to_call<'a>(&self, work: Work, lent: Option<Lent<'a>>, number: u64) -> Call<'a> {
        let (plugin, query, parameter, value) = work.query(number);
        let call = self.host.call(plugin, query);
        let call = if parameter.is_empty() { call } else { call.param(parameter, value) };
        match lent {
            Some(lender) => call.on(lender),
            None => call,
        }
    }

    /// Lends until the time is over.
    async fn lend(&self, mut random: Random) {
        while self.goes_on() {
            let Some(client) = self.bounded("a connection of the service's", self.pool.get()).await else {
                return;
            };
            let Ok(mut client) = client else {
                self.count("no connection");
                continue;
            };
            if random.one_in(5) {
                self.work(&mut random, Some(&mut client)).await;
                let result =
                    self.bounded("the owner's next statement", client.batch_execute("SELECT 1")).await;
                self.owner("after a loan of a client", result);
                continue;
            }
            let token = self.next_token.fetch_add(2, Ordering::Relaxed);
            let commits = !random.one_in(4);
            let result =
                self.bounded("a transaction", self.transact(&mut client, &mut random, token, commits)).await;
            let mut tokens = self.tokens.lock().unwrap();
            match result {
                Some(Ok(())) if commits => tokens.0.extend([token, token + 1]),
                Some(Ok(())) | Some(Err((_, false))) => tokens.1.extend([token, token + 1]),
                // Nobody knows whether the commit came to be.
                Some(Err((_, true))) | None => {}
            }
            drop(tokens);
            self.owner("in its transaction", result.map(|result| result.map_err(|(error, _)| error)));
        }
    }

    /// Writes, lends, writes again, and commits or not. An error says whether it was the commit's.
    async fn transact(
        &self,
        client: &mut deadpool_postgres::Object,
        random: &mut Random,
        token: i64,
        commits: bool,
    ) -> Result<(), (Error, bool)> {
        let isolations =
            [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead, IsolationLevel::Serializable];
        let failed = |error| (error, false);
        let builder = client.build_transaction().isolation_level(*random.of(&isolations));
        let mut transaction = builder.start().await.map_err(failed)?;
        let insert = "INSERT INTO chaos.written VALUES ($1)";
        transaction.execute(insert, &[&token]).await.map_err(failed)?;
        for _ in 0..=random.below(3) {
            self.work(random, Some(&mut transaction)).await;
        }
        if random.one_in(3) {
            let mut savepoint = transaction.savepoint("theirs").await.map_err(failed)?;
            self.work(random, Some(&mut savepoint)).await;
            savepoint.commit().await.map_err(failed)?;
        }
        transaction.execute(insert, &[&(token + 1)]).await.map_err(failed)?;
        match commits {
            true => transaction.commit().await.map_err(|error| (error, true)),
            false => transaction.rollback().await.map_err(failed),
        }
    }

    /// What a statement of an owner's own came to: it may lose its connection, and a conflict of SERIALIZABLE, and nothing
    /// else.
    fn owner(&self, when: &str, result: Option<Result<(), Error>>) {
        let Some(Err(error)) = result else { return };
        let sqlstate = error.code().map(|code| code.code());
        self.count(("the owner", sqlstate));
        let is_lost = error.is_closed() || error.as_db_error().is_none() || sqlstate == Some("57P01");
        if !is_lost && sqlstate != Some("40001") {
            self.wrong(format!("the owner {when}: {error:?}"));
        }
    }

    /// Calls on the host's own pool until the time is over.
    async fn call(&self, mut random: Random) {
        while self.goes_on() {
            self.work(&mut random, None).await;
        }
    }

    /// Terminates a backend now and then.
    async fn kill(&self, mut random: Random) {
        let admin = database().owner().await;
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE usename IN ('chaos_service', 'callslip_reader') ORDER BY random() LIMIT 1";
        while self.goes_on() {
            tokio::time::sleep(Duration::from_millis(20 + random.below(200))).await;
            let killed = admin.query(sql, &[]).await.unwrap();
            killed.iter().for_each(|_| self.count("killed"));
        }
    }

    /// Changes tables now and then, if their readers let it.
    async fn change(&self, mut random: Random) {
        let admin = database().owner().await;
        admin.batch_execute("SET lock_timeout = '100ms'").await.unwrap();
        let changes = [
            "ALTER TABLE chaos.changing ALTER n TYPE int4",
            "ALTER TABLE chaos.changing ALTER n TYPE int8",
            "ALTER TABLE chaos.changing ADD COLUMN more int; ALTER TABLE chaos.changing DROP COLUMN more",
            "ALTER TABLE public.position ADD COLUMN more int; ALTER TABLE public.position DROP COLUMN more",
            "DROP INDEX IF EXISTS chaos.more; CREATE INDEX more ON chaos.counted (n); ANALYZE chaos.counted",
        ];
        while self.goes_on() {
            tokio::time::sleep(Duration::from_millis(random.below(400))).await;
            if random.one_in(10) {
                // It has every session prepare its statements anew.
                let refreshed = self.bounded("a refresh", self.host.refresh()).await;
                self.count(("refreshed", refreshed.is_some_and(|refreshed| refreshed.is_ok())));
            }
            let changed = admin.batch_execute(random.of::<&str>(&changes)).await.is_ok();
            self.count(("changed", changed));
        }
    }
}

async fn set_up() -> tokio_postgres::Config {
    database()
        .execute(
            "CREATE ROLE chaos_service LOGIN; CREATE SCHEMA chaos; GRANT USAGE ON SCHEMA chaos, public TO PUBLIC;
             CREATE TABLE chaos.written (token int8 PRIMARY KEY);
             CREATE TABLE chaos.changing AS SELECT 1::int8 AS n;
             CREATE TABLE chaos.counted AS SELECT generate_series(1, 1000) AS n;
             GRANT SELECT ON ALL TABLES IN SCHEMA chaos, public TO PUBLIC;
             GRANT INSERT ON chaos.written TO chaos_service",
        )
        .await;
    let mut config = database().connection().config().clone();
    config.user("chaos_service");
    config
}

async fn host() -> Host {
    let config = language_and_slow(&format!(
        "[pool]
         size = {HOST_CONNECTIONS}
         wait_ms = 60000
         [limits]
         plan_ms = 10000
         failures = 1000"
    ));
    let config = Config::parse(&config, Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    let builder =
        Host::builder().connect(&database().connection()).cancel_through(&database().owner_connection());
    builder.start(&config).await.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_owners_commit_is_there_and_everything_is_given_back() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let seed = setting("CALLSLIP_CHAOS_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    let length = Duration::from_secs(setting("CALLSLIP_CHAOS_S").unwrap_or(60));
    println!("CALLSLIP_CHAOS_SEED={seed}");
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        shown(panic);
    }));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(seed, length));
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "panics");
}

async fn run(seed: u64, length: Duration) {
    let config = set_up().await;
    let pool =
        Pool::builder(Manager::new(config.clone(), NoTls)).max_size(SERVICE_CONNECTIONS).build().unwrap();
    let chaos = Arc::new(Chaos {
        host: host().await,
        canceller: Canceller::new(database().owner_connection()),
        pool,
        sessions: Sessions::new(NonZeroUsize::new(MOST_KEPT).unwrap()),
        until: Instant::now() + length,
        next_token: AtomicI64::new(1),
        tokens: Mutex::default(),
        ends: Mutex::default(),
        wrong: Mutex::default(),
    });
    let mut tasks = Vec::new();
    for number in 0..u64::try_from(LENDERS + CALLERS + 2).unwrap() {
        let (chaos, random) = (chaos.clone(), Random(seed ^ (number << 32)));
        tasks.push(tokio::spawn(async move {
            match usize::try_from(number).unwrap() {
                0 => chaos.kill(random).await,
                1 => chaos.change(random).await,
                number if number < LENDERS + 2 => chaos.lend(random).await,
                _ => chaos.call(random).await,
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for (end, count) in &*chaos.ends.lock().unwrap() {
        println!("{count:8} {end}");
    }
    let wrong = chaos.wrong.lock().unwrap().clone();
    assert!(
        wrong.is_empty(),
        "{} things went wrong, such as {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(10)]
    );
    assert_written(&chaos).await;
    assert_clean_service(&chaos, &config).await;
    assert_clean_host(&chaos).await;
}

/// Polls a future until it has waited for the `n`th time, and drops it.
async fn drop_after<T>(n: Option<usize>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut waits = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            waits += 1;
            if n.is_none_or(|n| waits < n) { Poll::Pending } else { Poll::Ready(None) }
        }
    })
    .await
}
