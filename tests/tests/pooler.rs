//! Behind PgBouncer in transaction mode: what a host leaves of the sessions that it shares with others, its own and those that
//! it is lent, and what it says where nobody told it of them.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::sync::Arc;
use std::time::{Duration, Instant};

use callslip::cluster::Cluster;
use callslip::loan::{
    BoundStatement, ConnectionSettings, Kept, Lender, LoanError, PlanMode, Pool, PoolSettings, Pooler,
    Privilege, ResultColumn,
};
use callslip::{Code, Config, Host};
use callslip_tests::{PgBouncer, cluster, component, connect_to, rows};
use deadpool_postgres::Manager;
use tokio_postgres::{Client, NoTls};

struct Pooled {
    pgbouncer: PgBouncer,
    cluster: Cluster,
    owner: Client,
}

impl Pooled {
    /// A cluster in which some SQL was run, behind a PgBouncer that has some settings more.
    async fn start(sql: &str, settings: &str) -> Self {
        let (cluster, owner) = cluster(sql).await;
        Self { pgbouncer: PgBouncer::start(cluster.folder(), settings), cluster, owner }
    }

    fn url(&self) -> String {
        self.pgbouncer.url(&self.cluster.url("postgres"))
    }

    fn pool(&self, settings: PoolSettings) -> Pool {
        let connection = ConnectionSettings::resolve(Some(&self.url()), &|_| None).unwrap();
        Pool::new(&connection, settings).unwrap()
    }

    /// What each of PgBouncer's sessions keeps, as a client finds it that comes after the host.
    async fn left_behind(&self) -> Vec<String> {
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(connect_to(&self.url()).await);
        }
        let mut found = Vec::new();
        // Transactions that are open at once are in sessions of their own.
        for client in &clients {
            client.batch_execute("BEGIN").await.unwrap();
        }
        for client in &clients {
            let sql = "SELECT 'statement ' || statement FROM pg_prepared_statements
                       UNION ALL SELECT name || '=' || setting FROM pg_settings
                       WHERE source = 'session' AND name NOT IN ('client_encoding', 'application_name')
                       UNION ALL SELECT 'lock ' || locktype FROM pg_locks
                       WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid' AND relation <> 'pg_locks'::regclass
                       AND relation > 16383";
            let rows = client.query_typed(sql, &[]).await.unwrap();
            found.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        }
        for client in &clients {
            client.batch_execute("ROLLBACK").await.unwrap();
        }
        found
    }
}

fn shared(size: usize) -> PoolSettings {
    PoolSettings { size, pooler: Pooler::Transaction, ..PoolSettings::default() }
}

async fn bound(pool: &Pool, sql: &str, values: &[&str]) -> BoundStatement {
    let loan = pool.loan().await.unwrap();
    let proving = loan.prove().await.unwrap();
    let columns = proving.describe(sql).await.unwrap().columns;
    proving.end().await.unwrap();
    statement(sql, values, columns)
}

fn statement(sql: &str, values: &[&str], columns: Arc<[ResultColumn]>) -> BoundStatement {
    BoundStatement {
        sql: sql.into(),
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        columns,
        kept: Kept::Always,
        plan: PlanMode::default(),
        is_single: false,
    }
}

const MOODS: &str =
    "CREATE TYPE mood AS ENUM ('calm', 'cross'); CREATE TABLE t AS SELECT 1 AS a, 'calm'::mood AS m";
const MOOD: &str = "SELECT CAST(t.m AS text) AS m FROM public.t AS t WHERE t.m = CAST($1 AS public.mood)";

#[tokio::test]
async fn many_runs_and_proofs_share_few_sessions_and_leave_nothing_there() {
    let pooled = Pooled::start(MOODS, "").await;
    let pool = pooled.pool(shared(12));
    let calm = bound(&pool, MOOD, &["calm"]).await;
    let set = bound(
        &pool,
        "SELECT pg_catalog.current_setting('search_path') AS s, pg_catalog.current_setting('TimeZone') AS z",
        &[],
    )
    .await;
    let work = (0..60).map(|n| {
        let (pool, calm, set) = (pool.clone(), calm.clone(), set.clone());
        tokio::spawn(async move {
            if n % 6 == 0 {
                // Of a type that the driver has to ask for.
                let loan = pool.loan().await.unwrap();
                let proving = loan.prove().await.unwrap();
                let sql =
                    format!("SELECT t.m AS m{n} FROM public.t AS t WHERE t.m = CAST($1 AS public.mood)");
                assert_eq!(proving.describe(&sql).await.unwrap().columns[0].type_name, "mood");
                assert_eq!(
                    proving.describe("SELECT t.b FROM public.t AS t").await.unwrap_err().sqlstate(),
                    Some("42703")
                );
                proving.evaluate("SELECT CAST($1 AS public.mood)", "cross").await.unwrap();
                assert!(!proving.explain(&sql, 1).await.unwrap().is_empty());
                // Not every proof comes to its end.
                if n % 12 == 0 {
                    proving.end().await.unwrap();
                }
                return;
            }
            let several = vec![calm.clone(), set, calm];
            let all = rows(pool.loan().await.unwrap().run(several).await.unwrap()).await.unwrap();
            assert_eq!((all[0][0].get::<_, &str>(0), all[2].len()), ("calm", 1));
            assert_eq!(
                (all[1][0].get::<_, &str>(0), all[1][0].get::<_, &str>(1)),
                ("pg_catalog, pg_temp", "UTC")
            );
        })
    });
    for done in futures_util::future::join_all(work).await {
        done.unwrap();
    }
    assert!(pooled.left_behind().await.is_empty(), "{:?}", pooled.left_behind().await);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'callslip'";
    let sessions = pooled.owner.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0);
    assert!((1..=3).contains(&sessions), "{sessions}");
}

#[tokio::test]
async fn nothing_is_written_and_timeouts_hold() {
    let pooled = Pooled::start("CREATE TABLE t (a int); CREATE FUNCTION put() RETURNS int LANGUAGE sql AS 'INSERT INTO public.t VALUES (1) RETURNING a'", "").await;
    let settings = PoolSettings { statement_timeout: Duration::from_millis(200), ..shared(1) };
    let pool = pooled.pool(settings);
    let fails = async |sql: &str| {
        let bound = bound(&pool, sql, &[]).await;
        match pool.loan().await.unwrap().run(vec![bound]).await {
            Ok(run) => rows(run).await.unwrap_err(),
            Err(error) => error,
        }
    };
    assert_eq!(fails("SELECT public.put() AS a").await.sqlstate(), Some("25006"));
    let error = fails("SELECT CAST(pg_catalog.pg_sleep(9) AS text) AS a").await;
    assert_eq!((error.code(), error.sqlstate()), (Code::StatementTimeout, Some("57014")));
    let slept = Instant::now();
    // What others run in the same session has no such timeout.
    connect_to(&pooled.url()).await.batch_execute("SELECT pg_sleep(0.4)").await.unwrap();
    assert!(slept.elapsed() > Duration::from_millis(400));
    assert!(pooled.left_behind().await.is_empty());
}

#[tokio::test]
async fn what_is_dropped_ends_and_disturbs_nobody() {
    let pooled = Pooled::start("", "").await;
    let pool = pooled.pool(shared(2));
    let sleeps = bound(&pool, "SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[]).await;
    let one = bound(&pool, "SELECT 1 AS n", &[]).await;
    let started = Instant::now();
    for _ in 0..6 {
        let run = pool.loan().await.unwrap().run(vec![sleeps.clone()]);
        assert!(tokio::time::timeout(Duration::from_millis(100), run).await.is_err());
        rows(pool.loan().await.unwrap().run(vec![one.clone()]).await.unwrap()).await.unwrap();
    }
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' \
                  AND pid <> pg_backend_pid()";
    while pooled.owner.query_one(asleep, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "still asleep");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(pooled.left_behind().await.is_empty());
}

#[tokio::test]
async fn a_column_that_becomes_of_an_unknown_type_is_stale() {
    let pooled = Pooled::start(MOODS, "").await;
    let pool = pooled.pool(shared(1));
    let number = bound(&pool, "SELECT t.a AS a FROM public.t AS t", &[]).await;
    pooled.owner.batch_execute("ALTER TABLE t ALTER a TYPE mood USING 'cross'").await.unwrap();
    for _ in 0..3 {
        let error = pool.loan().await.unwrap().run(vec![number.clone()]).await.err().unwrap();
        assert!(matches!(error, LoanError::Stale { .. }), "{error}");
    }
    // It is proven again, and runs, whatever the driver has asked for.
    let again = bound(&pool, MOOD, &["calm"]).await;
    rows(pool.loan().await.unwrap().run(vec![again]).await.unwrap()).await.unwrap();
}

const AMOUNTS: &str = "CREATE SCHEMA live; CREATE TYPE live.unit AS ENUM ('cent', 'euro');
    CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL, unit live.unit NOT NULL DEFAULT 'cent');
    INSERT INTO live.amount VALUES (1, 10), (2, 20)";

/// How many rows each query of the plugin gives on what is lent.
async fn assert_lent(host: &Host, lender: &mut impl Lender, rows: usize) {
    for (query, statement, parameter, value) in [
        ("of_unit", "amounts", "unit", "cent"),
        // It is proven on what is lent, the first time.
        ("ids_of", "", "table", "amount"),
    ] {
        let mut given = host.call("amounts", query).param(parameter, value).on(lender).rows().await.unwrap();
        if !statement.is_empty() {
            let ids: Vec<serde_json::Value> =
                given.statement("ids").await.unwrap().collect_as().await.unwrap();
            assert_eq!(ids.len(), rows, "{query}");
            given.statement(statement).await.unwrap();
        }
        assert_eq!(given.collect_as::<serde_json::Value>().await.unwrap().len(), rows, "{query}");
    }
}

#[tokio::test]
async fn a_service_lends_what_it_has_through_the_pooler() {
    let pooled = Pooled::start(AMOUNTS, "").await;
    let config = format!(
        "[database]\nschemas = [\"live\"]\n[pool]\npooler = \"transaction\"\n[plugins.amounts]\ncomponent = {:?}\n\
         grants = {{ relations = [\"amount\"] }}",
        component("tests/guests/live")
    );
    let config = Config::parse(&config, "".as_ref()).unwrap();
    let mut first = connect_to(&pooled.url()).await;
    let builder = Host::builder().allow(Privilege::Superuser).reflect_on(&mut first);
    let host = builder.start(&config).await.unwrap();
    let manager = Manager::new(pooled.url().parse().unwrap(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(6).build().unwrap();
    let work = (0..12).map(|n| {
        let (host, pool, url) = (host.clone(), pool.clone(), pooled.url());
        tokio::spawn(async move {
            for _ in 0..5 {
                if n % 2 == 0 {
                    let mut client = connect_to(&url).await;
                    assert_lent(&host, &mut client, 2).await;
                    let mut transaction = client.transaction().await.unwrap();
                    transaction.batch_execute("INSERT INTO live.amount VALUES (3, 30)").await.unwrap();
                    assert_lent(&host, &mut transaction, 3).await;
                    transaction.rollback().await.unwrap();
                } else {
                    let mut object = pool.get().await.unwrap();
                    assert_lent(&host, &mut object, 2).await;
                    let mut transaction = object.transaction().await.unwrap();
                    assert_lent(&host, &mut transaction, 2).await;
                    transaction.commit().await.unwrap();
                }
            }
        })
    });
    for done in futures_util::future::join_all(work).await {
        done.unwrap();
    }
    host.refresh_on(&mut first).await.unwrap();
    assert_lent(&host, &mut first, 2).await;
    assert!(pooled.left_behind().await.is_empty(), "{:?}", pooled.left_behind().await);
}

/// What a pool says that nobody told of the pooler.
async fn untold(pooled: &Pooled) -> String {
    let error = pooled.pool(PoolSettings::default()).loan().await.err().unwrap();
    assert_eq!(error.code(), Code::DatabaseUnavailable);
    error.to_string()
}

#[tokio::test]
async fn without_the_setting_the_error_names_it() {
    let pooled = Pooled::start("", "").await;
    let error = untold(&pooled).await;
    assert!(error.contains("unsupported startup parameter: options"), "{error}");
    assert!(error.contains("set pooler = \"transaction\" in [pool]"), "{error}");

    // With options of the URL's own it can't work at all.
    let url = format!("{}&options=-c%20work_mem%3D1MB", pooled.url());
    let connection = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let error = Pool::new(&connection, shared(1)).unwrap().loan().await.err().unwrap().to_string();
    assert!(error.contains("PGOPTIONS"), "{error}");
}

#[tokio::test]
async fn where_options_are_dropped_no_session_is_changed() {
    let pooled = Pooled::start("", "ignore_startup_parameters = options\n").await;
    let error = untold(&pooled).await;
    assert!(error.contains("set pooler = \"transaction\" in [pool]"), "{error}");
    assert!(pooled.left_behind().await.is_empty(), "{:?}", pooled.left_behind().await);
    let pool = pooled.pool(shared(1));
    let one = bound(&pool, "SELECT 1 AS n", &[]).await;
    rows(pool.loan().await.unwrap().run(vec![one]).await.unwrap()).await.unwrap();
}
