//! Statements that are planned for the values of each call, for tenants of very different size.

use callslip::loan::ConnectionSettings;
use callslip::{Config, Host};
use callslip_tests::{component, connect_to, database};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::command::callslip;
use crate::support::read;

/// One tenant has nearly all of the events, and two have ten each, the oldest. For a tenant that it does not know, PostgreSQL
/// takes each third event to be its own, and so looks for ten from the newest on: for a small tenant through all of them.
const EVENTS: &str = "
    CREATE TABLE event (id int4 PRIMARY KEY, tenant int4 NOT NULL);
    INSERT INTO event SELECT id, CASE WHEN id <= 10 THEN 2 WHEN id <= 20 THEN 3 ELSE 1 END FROM generate_series(1, 50000) AS id;
    CREATE INDEX event_tenant ON event (tenant);
    ANALYZE event;
    GRANT USAGE ON SCHEMA public TO callslip_reader;
    GRANT SELECT ON event TO callslip_reader";

const LARGE: i32 = 1;
const SMALL: i32 = 2;

struct Skewed {
    owner: Client,
    connection: ConnectionSettings,
}

/// How often each statement of a query was planned for its values and for any, and what its plans read.
#[derive(Debug, PartialEq)]
struct Plans {
    /// Of each statement, in the order of their texts: how often for the values of a call, how often for any.
    custom_and_generic: Vec<(i64, i64)>,
    /// How often the index on tenants was used.
    by_tenant: i64,
    /// How many entries of the index of the key were read.
    read_by_id: i64,
}

impl Skewed {
    async fn new(name: &str) -> Self {
        let url = database().bare(name).await;
        let owner = connect_to(&url).await;
        owner.batch_execute(EVENTS).await.unwrap();
        let url = url.replacen("://postgres@", "://callslip_reader@", 1);
        Self { owner, connection: ConnectionSettings::resolve(Some(&url), &|_| None).unwrap() }
    }

    /// A host with one connection.
    async fn host(&self, plan: &str) -> Host {
        let config = Config::parse(&config(plan), "".as_ref()).unwrap();
        Host::start(&config, &self.connection).await.unwrap()
    }

    /// What came of five calls for the large tenant, after which PostgreSQL may choose a plan for any, and four for a small
    /// one, all on one session.
    async fn plans(&self, host: &Host, query: &str) -> Plans {
        let before = self.scans().await;
        for tenant in [LARGE; 5].into_iter().chain([SMALL; 4]) {
            let rows = read(host.call("skewed", query).param("tenant", tenant)).await.unwrap();
            let rows = if rows.is_object() { &rows["latest"] } else { &rows };
            assert_eq!(rows.as_array().map(Vec::len), Some(10), "{rows}");
            assert!(rows.as_array().unwrap().iter().all(|row| row["tenant"] == tenant), "{rows}");
        }
        let loan = host.pool().loan().await.unwrap();
        let sql = "SELECT custom_plans, generic_plans FROM pg_catalog.pg_prepared_statements \
                   WHERE statement LIKE '/* callslip %' ORDER BY statement";
        let statements = loan.client().query(sql, &[]).await.unwrap();
        let custom_and_generic = statements.iter().map(|row| (row.get(0), row.get(1))).collect();
        let session: i32 =
            loan.client().query_one("SELECT pg_catalog.pg_backend_pid()", &[]).await.unwrap().get(0);
        // A session has told of all that it read when it has ended.
        drop(loan);
        let ended = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1";
        while !self.owner.query_one(ended, &[&session]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let after = self.scans().await;
        Plans { custom_and_generic, by_tenant: after.0 - before.0, read_by_id: after.1 - before.1 }
    }

    /// How often the index on tenants was used, and how many entries of the index of the key were read.
    async fn scans(&self) -> (i64, i64) {
        let sql = "SELECT sum(idx_scan) FILTER (WHERE indexrelname = 'event_tenant')::int8, \
                          sum(idx_tup_read) FILTER (WHERE indexrelname = 'event_pkey')::int8 \
                   FROM pg_stat_user_indexes WHERE relname = 'event'";
        let row = self.owner.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    }
}

fn config(plan: &str) -> String {
    let component = component("tests/guests/skewed");
    format!(
        "[pool]\nsize = 1\n[plugins.skewed]\ncomponent = {component:?}\n{plan}\n[plugins.skewed.grants]\nrelations = [\"event\"]"
    )
}

#[tokio::test]
async fn a_query_with_custom_plans_is_planned_for_the_values_of_each_call() {
    let skewed = Skewed::new("plans_of_queries").await;
    let host = skewed.host("").await;
    // Without: ten entries for each call of the large tenant, and all of them for each of the small one.
    let auto = skewed.plans(&host, "latest").await;
    assert_eq!(auto.custom_and_generic, [(5, 4)]);
    assert_eq!(auto.by_tenant, 0);
    assert!(auto.read_by_id > 4 * 49_000, "{auto:?}");

    let host = skewed.host("").await;
    let custom = skewed.plans(&host, "latest_custom").await;
    assert_eq!(custom.custom_and_generic, [(9, 0)]);
    assert_eq!(custom.by_tenant, 4);
    assert!(custom.read_by_id < 5 * 20, "{custom:?}");

    let host = skewed.host("plan = \"auto\"").await;
    assert_eq!(skewed.plans(&host, "two_custom").await.custom_and_generic, [(9, 0), (9, 0)]);
}
