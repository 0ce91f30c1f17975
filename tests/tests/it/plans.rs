//! Statements that PostgreSQL plans for the values of each call, for tenants of very different size.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use callslip::loan::{ConnectionSettings, Lender, Lent};
use callslip::{Call, Config, Host};
use callslip_tests::{component, connect_to, database};
use serde_json::Value;
use tokio_postgres::Client;

use crate::command::callslip;
use crate::support::read;

/// One tenant has nearly all of the events, and two have ten each, the oldest. Of a tenant that PostgreSQL does not know, it
/// takes each third event to be its own, and so looks for one from the newest on: for a small tenant through all of them.
const EVENTS: &str = "
    CREATE TABLE event (id int4 PRIMARY KEY, tenant int4 NOT NULL);
    INSERT INTO event
        SELECT id, CASE WHEN id <= 10 THEN 2 WHEN id <= 20 THEN 3 ELSE 1 END FROM generate_series(1, 50000) AS id;
    CREATE INDEX event_tenant ON event (tenant);
    ANALYZE event;
    GRANT USAGE ON SCHEMA public TO callslip_reader;
    GRANT SELECT ON event TO callslip_reader";

/// Five calls for the large tenant, after which PostgreSQL may keep a plan for any, and four for a small one.
const TENANTS: [i32; 9] = [1, 1, 1, 1, 1, 2, 2, 2, 2];

/// How often each statement of a session was planned for its values, and how often a plan for any was used.
const PREPARED: &str = "SELECT custom_plans, generic_plans FROM pg_catalog.pg_prepared_statements \
                        WHERE statement LIKE '/* callslip %' ORDER BY statement";

struct Skewed {
    owner: Client,
    url: String,
}

/// What plans read.
#[derive(Debug, PartialEq)]
struct Scanned {
    /// How often the index on tenants was used.
    by_tenant: i64,
    /// How many entries of the index of the key were read.
    events: i64,
}

impl Skewed {
    async fn new(name: &str) -> Self {
        let url = database().bare(name).await;
        let owner = connect_to(&url).await;
        owner.batch_execute(EVENTS).await.unwrap();
        Self { owner, url: url.replacen("://postgres@", "://callslip_reader@", 1) }
    }

    /// A host with one connection.
    async fn host(&self, plan: &str) -> Host {
        let config = Config::parse(&config(plan), "".as_ref()).unwrap();
        let connection = ConnectionSettings::resolve(Some(&self.url), &|_| None).unwrap();
        Host::start(&config, &connection).await.unwrap()
    }

    /// What was read while `work` ran, which gives back the session that it ran on.
    async fn scanned(&self, work: impl Future<Output = i32>) -> Scanned {
        let before = self.counters().await;
        let session = work.await;
        // A session has told of all that it read when it has ended.
        let ended = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1";
        while !self.owner.query_one(ended, &[&session]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let after = self.counters().await;
        Scanned { by_tenant: after.by_tenant - before.by_tenant, events: after.events - before.events }
    }

    async fn counters(&self) -> Scanned {
        let sql = "SELECT sum(idx_scan) FILTER (WHERE indexrelname = 'event_tenant')::int8, \
                          sum(idx_tup_read) FILTER (WHERE indexrelname = 'event_pkey')::int8 \
                   FROM pg_stat_user_indexes WHERE relname = 'event'";
        let row = self.owner.query_one(sql, &[]).await.unwrap();
        Scanned { by_tenant: row.get(0), events: row.get(1) }
    }
}

fn config(plan: &str) -> String {
    let component = component("tests/guests/skewed");
    format!(
        "[pool]\nsize = 1\n[plugins.skewed]\ncomponent = {component:?}\n{plan}\n\
         [plugins.skewed.grants]\nrelations = [\"event\"]\n"
    )
}

fn call(host: &Host, query: &str, tenant: i32) -> Call<'static> {
    host.call("skewed", query).param("tenant", tenant)
}

/// The call gives the newest event of the tenant.
async fn assert_newest(call: Call<'_>, tenant: i32) {
    let reply = read(call).await.unwrap();
    let newest = if tenant == 1 { 50_000 } else { 10 };
    assert_eq!(reply.get("event").unwrap_or(&reply)["newest"], newest, "{reply}");
}

/// How often each statement of this session had a plan for its values, and how often one for any.
async fn prepared(client: &Client) -> Vec<(i64, i64)> {
    let rows = client.query(PREPARED, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn session(client: &Client) -> i32 {
    client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]).await.unwrap().get(0)
}

/// All calls on the one connection of a host, which is closed after them.
async fn call_all(host: &Host, query: &str, expected: &[(i64, i64)]) -> i32 {
    for tenant in TENANTS {
        assert_newest(call(host, query, tenant), tenant).await;
    }
    let loan = host.pool().unwrap().loan().await.unwrap();
    assert_eq!(prepared(loan.client()).await, expected, "{query}");
    session(loan.client()).await
}

#[tokio::test]
async fn custom_plans_are_made_for_the_values_of_each_call() {
    let skewed = Skewed::new("plans_of_a_host").await;
    let host = skewed.host("").await;
    // A plan for any tenant reads every event for each call of the small one.
    let auto = skewed.scanned(call_all(&host, "plain", &[(5, 4)])).await;
    assert!(auto.by_tenant == 0 && auto.events > 4 * 49_000, "{auto:?}");
    // The query says so, or the configuration says so of all.
    let custom = skewed.scanned(call_all(&host, "custom", &[(9, 0)])).await;
    assert!(custom.by_tenant == 4 && custom.events < 5 * 20, "{custom:?}");
    let all = skewed.host("plan = \"custom\"").await;
    let custom = skewed.scanned(call_all(&all, "plain", &[(9, 0)])).await;
    assert!(custom.by_tenant == 4 && custom.events < 5 * 20, "{custom:?}");
    // Each of several statements. That of a configuration takes nothing from what a query says.
    let host = skewed.host("plan = \"auto\"").await;
    call_all(&host, "custom_two", &[(9, 0), (9, 0)]).await;
}

/// A connection whose session may keep statements prepared.
struct Keeping {
    client: Client,
    session: Arc<dyn Any + Send + Sync>,
}

impl Lender for Keeping {
    fn lend(&mut self) -> Lent<'_> {
        Lent::client(&mut self.client).keeping_statements(self.session.clone())
    }
}

#[tokio::test]
async fn custom_plans_are_made_on_lent_connections_whatever_their_owners_have_set() {
    let skewed = Skewed::new("plans_of_owners").await;
    let host = skewed.host("").await;
    let connect = async |mode: &str| {
        let client = connect_to(&skewed.url).await;
        client.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        client
    };
    let mode = async |client: &Client| -> String {
        client.query_one("SHOW plan_cache_mode", &[]).await.unwrap().get(0)
    };

    for query in ["plain", "custom"] {
        // Until it has ended, the session may not have told of all that it read.
        let kept = async {
            let mut keeping = Keeping { client: connect("auto").await, session: Arc::new(()) };
            for tenant in TENANTS {
                assert_newest(call(&host, query, tenant).on(&mut keeping), tenant).await;
            }
            let found = prepared(&keeping.client).await;
            // A call is sent once more where the role of its connection was not known yet.
            let [(custom, generic)] = found[..] else { panic!("{query}: {found:?}") };
            let is_expected = match query {
                "custom" => custom >= 9 && generic == 0,
                _ => custom == 5 && generic >= 4,
            };
            assert!(is_expected, "{query}: {found:?}");
            assert_eq!(mode(&keeping.client).await, "auto");
            session(&keeping.client).await
        };
        skewed.scanned(kept).await;
    }

    // What has no name has a plan of its own each time, unless its owner wants one for any.
    for (query, by_tenant) in [("plain", false), ("custom", true)] {
        let unnamed = async {
            let mut client = connect("force_generic_plan").await;
            assert_newest(call(&host, query, 2).on(&mut client), 2).await;
            let mut transaction = client.transaction().await.unwrap();
            assert_newest(call(&host, query, 1).on(&mut transaction), 1).await;
            transaction.commit().await.unwrap();
            assert_eq!(mode(&client).await, "force_generic_plan");
            session(&client).await
        };
        assert_eq!(skewed.scanned(unnamed).await.by_tenant > 0, by_tenant, "{query}");
    }
}

#[tokio::test]
async fn the_command_says_which_queries_have_custom_plans() {
    let skewed = Skewed::new("plans_of_the_command").await;
    let folder = tempfile::tempdir().unwrap();
    let run = async |plan: &str, arguments: &[&str]| {
        std::fs::write(folder.path().join("callslip.toml"), config(plan)).unwrap();
        let mut command = callslip();
        command.args(arguments).args(["--database-url", &skewed.url]).current_dir(folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    const NOTE: &str =
        "-- Each call is planned for its own values; the plans below are those for any values.";
    let explained = run("", &["explain", "skewed", "custom"]).await;
    let summary = format!("skewed.custom: closed, 1 shape, proven; custom plans\n{NOTE}\n");
    assert!(explained.starts_with(&summary), "{explained}");
    let explained = run("", &["explain", "skewed", "plain"]).await;
    assert!(explained.starts_with("skewed.plain: closed, 1 shape, proven\n\n"), "{explained}");
    let all = "plan = \"custom\"";
    let explained = run(all, &["explain", "skewed", "plain", "--no-plan"]).await;
    assert!(explained.starts_with("skewed.plain: closed, 1 shape, proven; custom plans\n\n"), "{explained}");

    const LINE: &str = "\n  plan: custom, for the values of each call\n";
    let component = component("tests/guests/skewed");
    for (plan, of, lines, plans) in [
        ("", "skewed", 2, ["auto", "custom", "custom"]),
        (all, "skewed", 3, ["custom"; 3]),
        (all, component.to_str().unwrap(), 2, ["auto", "custom", "custom"]),
    ] {
        let inspected = run(plan, &["inspect", of]).await;
        assert_eq!(inspected.matches(LINE).count(), lines, "{inspected}");
        let json: Value = serde_json::from_str(&run(plan, &["inspect", of, "--json"]).await).unwrap();
        let told: Vec<&str> =
            json["queries"].as_array().unwrap().iter().map(|query| query["plan"].as_str().unwrap()).collect();
        assert_eq!(told, plans, "{json}");
    }
}
