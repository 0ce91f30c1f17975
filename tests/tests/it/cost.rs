//! What PostgreSQL expects statements to cost.

use callslip::{Code, Host, Standing};
use callslip_tests::database;
use serde_json::json;

use crate::support::{self, read};

async fn host(limits: &str) -> Host {
    database().host(&(support::config("language", "tests/guests/language") + limits)).await
}

fn costs(host: &Host, query: &str) -> Vec<Option<f64>> {
    let generation = host.generation();
    let plugin = match generation.plugin("language").unwrap() {
        Ok(plugin) => plugin,
        Err(refusal) => panic!("{refusal}"),
    };
    let shapes = plugin.query(query).unwrap().shapes();
    shapes.iter().flat_map(|shape| shape.outcome.iter().flatten()).map(|statement| statement.cost).collect()
}

#[tokio::test]
async fn nobody_asks_for_a_cost_that_nothing_limits() {
    let host = host("").await;
    assert_eq!(costs(&host, "position"), [None]);
}

#[tokio::test]
async fn a_query_that_costs_too_much_is_refused_at_its_place_and_the_others_are_served() {
    let free = host("[limits]\ncost = 1000000000\n").await;
    let [Some(cheap)] = costs(&free, "position")[..] else { panic!("no cost") };
    let [Some(dear)] = costs(&free, "ratings")[..] else { panic!("no cost") };
    assert!(cheap > 0.0 && cheap * 2.0 + 2.0 < dear, "{cheap}, {dear}");
    let limit = dear as u64 - 1;
    let limited = host(&format!("[plugins.language.queries.ratings.limits]\ncost = {limit}\n")).await;
    assert_eq!(limited.generation().standing("language"), Some(Standing::Degraded));
    let generation = limited.generation();
    let refusal = generation.plugin("language").unwrap().unwrap_err();
    let [found] = &refusal.findings[..] else { panic!("{refusal}") };
    assert_eq!((found.query.as_deref(), found.finding.code), (Some("ratings"), Code::TooCostly));
    let says = found.finding.to_string();
    for part in [
        format!("expects a cost of {dear:.0}, and the limit is {limit}"),
        "its dearest part, by itself and read to its end: ".to_owned(),
        " on rating (".to_owned(),
        "src/".to_owned(),
        "raise cost in [plugins.language.queries.ratings.limits]".to_owned(),
    ] {
        assert!(says.contains(&part), "no {part} in {says}");
    }
    assert_eq!(read(limited.call("language", "ratings")).await.unwrap_err().code(), Code::PluginDegraded);
    read(limited.call("language", "position").param("id", 7)).await.unwrap();
}

/// On the host's own connections, and on what is lent.
#[tokio::test]
async fn what_is_proven_on_first_use_costs_no_more_and_callers_are_not_told_why() {
    let text = support::config("language", "tests/guests/language")
        + "[plugins.language.queries.search.limits]\ncost = 1\n";
    let config = callslip::Config::parse(&callslip_tests::configured(&text), "".as_ref()).unwrap();
    let mut client = database().writer().await;
    let own = Host::builder().connect(&database().connection()).start(&config).await.unwrap();
    let lent = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    let search = |host: &Host| host.call("language", "search").param("words", "never");
    for error in
        [read(search(&own)).await.unwrap_err(), read(search(&lent).on(&mut client)).await.unwrap_err()]
    {
        assert_eq!(error.code(), Code::PluginDegraded);
        let says = error.log_message();
        assert!(says.contains("CS0502") && says.contains("and the limit is 1"), "{says}");
        assert!(!error.to_string().contains("cost"), "{error}");
    }
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'callslip%'";
    assert_eq!(client.query_one(prepared, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// A null would be no value of the domain.
#[tokio::test]
async fn a_parameter_that_is_never_null_has_a_cost_too() {
    let owner = database().owner().await;
    owner
        .batch_execute(
            "CREATE SCHEMA cost; CREATE DOMAIN cost.id AS int4 NOT NULL CHECK (VALUE > 0);
             GRANT USAGE ON SCHEMA cost TO PUBLIC",
        )
        .await
        .unwrap();
    let host = host("").await;
    let loan = host.pool().unwrap().loan().await.unwrap();
    let proving = loan.prove().await.unwrap();
    let sql = "SELECT CAST($1 AS cost.id) AS id, CAST($2 AS int4[]) AS a, CAST($3 AS json) AS j";
    let plan: serde_json::Value =
        serde_json::from_str(&proving.explain_as_json(sql, 3).await.unwrap()).unwrap();
    assert_eq!(plan[0]["Plan"]["Node Type"], json!("Result"));
    proving.end().await.unwrap();
}
