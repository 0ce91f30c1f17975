//! Everything at once, for a minute: loans on a service's own transactions and on the host's own pool, while backends are
//! terminated, plugins trap, callers drop their calls wherever these wait, and tables change.
//!
//! `CALLSLIP_CHAOS_S` is for how many seconds, and `CALLSLIP_CHAOS_SEED` what the choices are made from: that of a run is printed.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use callslip::loan::{BoundStatement, Lender, PlanMode, ResultColumn, Sessions, Terms};
use callslip::{CallError, Code, Host};
use callslip_tests::{component, connect, database};
use deadpool_postgres::{Manager, Pool};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, IsolationLevel, NoTls};

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

/// Numbers that look random, and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (n ^ (n >> 31)) % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let count = u64::try_from(choices.len()).unwrap();
        &choices[usize::try_from(self.below(count)).unwrap()]
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// What a loan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Rows,
    Large,
    Several,
    Error,
    LateError,
    /// Sleeps, until its timeout where it has a short one.
    Sleep,
    /// Reads a table whose column changes its type now and then.
    Changing,
    Query,
    OpenQuery,
    Trap,
    Panic,
    ErrorInThePlugin,
    ManyRows,
}

const WORK: [Work; 13] = [
    Work::Rows,
    Work::Large,
    Work::Several,
    Work::Error,
    Work::LateError,
    Work::Sleep,
    Work::Changing,
    Work::Query,
    Work::OpenQuery,
    Work::Trap,
    Work::Panic,
    Work::ErrorInThePlugin,
    Work::ManyRows,
];

impl Work {
    /// How it may end, beside well, when nobody has asked for more than it: a backend may always be terminated.
    fn may_end_with(self, code: Code) -> bool {
        match self {
            _ if code == Code::DatabaseUnavailable => true,
            Self::Error | Self::LateError | Self::ErrorInThePlugin => code == Code::StatementFailed,
            Self::Trap | Self::Panic => code == Code::PluginTrapped,
            Self::Sleep => code == Code::StatementTimeout,
            Self::Changing => code == Code::StaleStatement,
            _ => false,
        }
    }

    fn must_fail(self) -> bool {
        matches!(self, Self::Error | Self::LateError | Self::ErrorInThePlugin | Self::Trap | Self::Panic)
    }

    /// The statements, where it is not a query of the plugin's.
    fn statements(self) -> Option<Vec<BoundStatement>> {
        let series = |n: u32| {
            format!("SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, {n}) AS g (i)")
        };
        let statements: &[&str] = match self {
            Self::Rows => &["SELECT pg_catalog.count(*) AS n FROM chaos.counted AS c"],
            Self::Large => &[&series(50_000)],
            Self::Several => &[&series(20_000), "SELECT CAST(1 AS int8) AS n", &series(20_000)],
            Self::Error => &["SELECT CAST(1 / 0 AS int8) AS n"],
            Self::LateError => &[
                "SELECT CAST(1 AS int8) AS n",
                "SELECT CAST(1 / (9999 - g.i) AS int8) AS n FROM pg_catalog.generate_series(1, 10000) AS g (i)",
            ],
            Self::Sleep => {
                &["SELECT CAST(pg_catalog.length(CAST(pg_catalog.pg_sleep(0.05) AS text)) AS int8) AS n"]
            }
            Self::Changing => &["SELECT c.n AS n FROM chaos.changing AS c"],
            _ => return None,
        };
        let bound = |sql: &&str| BoundStatement {
            sql: (*sql).into(),
            values: Vec::new(),
            columns: [ResultColumn {
                name: "n".into(),
                type_oid: Type::INT8.oid(),
                type_name: "int8".into(),
            }]
            .into(),
            cached: true,
            plan: PlanMode::Auto,
        };
        Some(statements.iter().map(bound).collect())
    }

    /// The query of the plugin, with a parameter.
    fn query(self, number: u64) -> (&'static str, &'static str, String) {
        match self {
            // Something new is proven first, on a connection of the host's own.
            Self::OpenQuery => ("search", "words", format!("engineer {number}")),
            Self::Trap => ("search", "words", "abort".to_owned()),
            Self::Panic => ("search", "words", "panic".to_owned()),
            Self::ErrorInThePlugin => ("breaking", "", String::new()),
            Self::ManyRows => ("ratings", "", String::new()),
            _ => ("sorted", "sort", "title".to_owned()),
        }
    }
}

type Lent<'a> = &'a mut (dyn Lender + Send);

struct Chaos {
    host: Host,
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

    /// One loan, which may be dropped wherever it waits.
    async fn work(&self, random: &mut Random, lent: Option<Lent<'_>>) {
        let work = *random.of(&WORK);
        let (is_lent, brief) = (lent.is_some(), random.one_in(2));
        let number = random.below(40);
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
        let (query, parameter, value) = work.query(number);
        let call = self.host.call("language", query);
        let call = if parameter.is_empty() { call } else { call.param(parameter, value) };
        let mut reply = match lent {
            Some(lender) => call.on(lender).run().await?,
            None => call.run().await?,
        };
        while reply.next_chunk().await?.is_some() {}
        Ok(())
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
            let changed = admin.batch_execute(random.of::<&str>(&changes)).await.is_ok();
            self.count(("changed", changed));
        }
    }
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

/// What a session has set, and holds.
async fn state(client: &Client) -> Vec<String> {
    let sql = "SELECT 'setting ' || name || ' = ' || setting FROM pg_catalog.pg_settings \
         UNION ALL SELECT 'advisory lock' FROM pg_catalog.pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() \
         UNION ALL SELECT 'cursor ' || name FROM pg_catalog.pg_cursors ORDER BY 1";
    client.query_typed(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn set_up() -> Config {
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
    let component = component("tests/guests/language");
    let config = format!(
        "[pool]
         size = {HOST_CONNECTIONS}
         wait_ms = 60000
         [limits]
         plan_ms = 10000
         [plugins.language]
         component = {component:?}
         [plugins.language.grants]
         relations = [\"answer\", \"candidate\", \"candidate_tag\", \"company\", \"interview\", \"position\", \
                      \"question\", \"reviewer\", \"tag\", \"rating\"]"
    );
    database().host(&config).await
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

async fn assert_written(chaos: &Chaos) {
    let rows = database().owner().await.query("SELECT token FROM chaos.written", &[]).await.unwrap();
    let found: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let (committed, undone) = &*chaos.tokens.lock().unwrap();
    println!("{} written, {} committed for sure, {} undone", found.len(), committed.len(), undone.len());
    assert!(!committed.is_empty() && !undone.is_empty());
    let lost: Vec<_> = committed.difference(&found).collect();
    assert!(lost.is_empty(), "committed, and not there: {lost:?}");
    let kept: Vec<_> = undone.intersection(&found).collect();
    assert!(kept.is_empty(), "rolled back, and there: {kept:?}");
}

/// Every connection of the service's works, and is as a new one.
async fn assert_clean_service(chaos: &Chaos, config: &Config) {
    let fresh = state(&connect(config).await).await;
    let all = futures_util::future::join_all((0..SERVICE_CONNECTIONS).map(|_| chaos.pool.get()));
    for client in tokio::time::timeout(LONG, all).await.expect("the service's pool is not full again") {
        let client = client.unwrap();
        let error = client.batch_execute("SAVEPOINT none").await.expect_err("a transaction is open");
        assert_eq!(error.code().map(|code| code.code()), Some("25P01"), "{error:?}");
        assert_eq!(state(&client).await, fresh);
        // Those of the loans and of the host, the service's own one, and what sets up a block.
        let sql = "SELECT s.statement FROM pg_catalog.pg_prepared_statements AS s ORDER BY 1";
        let prepared = client.query_typed(sql, &[]).await.unwrap();
        let texts: Vec<&str> = prepared.iter().map(|row| row.get(0)).collect();
        let mut different = texts.clone();
        different.dedup();
        assert!(texts.len() <= different.len() + 1, "{texts:#?}");
    }
}

/// The host's pool is full, nothing runs in it, and each of its connections works.
async fn assert_clean_host(chaos: &Chaos) {
    let pool = chaos.host.pool().unwrap();
    let start = Instant::now();
    while pool.status().available != pool.status().size {
        assert!(start.elapsed() < LONG, "{:?}", pool.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = futures_util::future::join_all((0..HOST_CONNECTIONS).map(|_| pool.loan()));
    let loans = tokio::time::timeout(LONG, all).await.expect("the host's pool is not full again");
    let mut states = Vec::new();
    for loan in loans {
        states.push(state(loan.unwrap().client()).await);
    }
    states.dedup();
    assert_eq!(states.len(), 1, "its sessions are not all the same");
    let sql = "SELECT query FROM pg_stat_activity WHERE state <> 'idle' AND usename IN ('chaos_service', 'callslip_reader')";
    let running = database().owner().await.query(sql, &[]).await.unwrap();
    let running: Vec<&str> = running.iter().map(|row| row.get(0)).collect();
    assert!(running.is_empty(), "{running:?}");
}
