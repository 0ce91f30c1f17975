//! Parameters of types by name: each goes in and comes back, and what PostgreSQL can't read is the caller's error.

use std::path::PathBuf;

use callslip::service::ServiceLimits;
use callslip::{CallError, Code, Host};
use callslip_tests::{component, component_with, database};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::client::{get, post, serve};
use crate::support::{call, object, read};

async fn types() -> Host {
    host_of(component("tests/guests/types")).await
}

async fn host_of(component: PathBuf) -> Host {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let made = database().execute(
        "CREATE SCHEMA types;
         CREATE TYPE types.address AS (street text, zip int4, tags text[], moved daterange, notes jsonb);
         CREATE TYPE types.person AS (name text, home types.address);
         CREATE DOMAIN types.isbn AS text CHECK (length(VALUE) = 13);
         CREATE DOMAIN types.even AS int4 NOT NULL CHECK (VALUE % 2 = 0);
         CREATE TYPE types.mood AS ENUM ('calm', 'cross');
         CREATE TYPE types.floatrange AS RANGE (subtype = float8);
         GRANT USAGE ON SCHEMA types TO PUBLIC",
    );
    MADE.get_or_init(|| made).await;
    database()
        .host(&format!(
            r#"
            [plugins.types]
            component = {component:?}
            [plugins.types.grants]
            types = ["types.address", "types.person", "types.isbn", "types.even", "types.mood", "types.floatrange"]
            "#
        ))
        .await
}

fn given() -> Value {
    json!({
        "range": {"lower": "2026-01-01", "upper": null, "bounds": "(]"},
        "ranges": ["[1,3)", {"lower": "9007199254740993"}, {"empty": true}],
        "multirange": [{"lower": 1, "upper": 3}, "[5,7]"],
        "float_range": {"lower": 1.5, "upper": "Infinity"},
        "address": {"street": "O'Brien \"\\\" (), ", "zip": 101, "tags": ["a,b", null, "{\""],
                    "moved": {"lower": "2026-01-01"}, "notes": {"k": [1, null]}},
        "addresses": ["(\"1 Mill Lane\",101,,,)", {"street": "", "zip": null}],
        "person": {"name": "Ada", "home": {"zip": 7}},
        "isbn": "9780000000001",
        "even": 4,
        "mood": "calm",
        "moods": ["cross", "calm"],
        "inet": "10.0.7.2/24",
        "cidr": "10.0.0.0/8",
        "interval": "1 day 02:00",
        "query": "tide & !low",
    })
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let host = types().await;
    let found = call(&host, "types", "given", given()).await;
    let found = found.unwrap_or_else(|error| panic!("{}", error.log_message()));
    assert_eq!(
        found[0],
        json!({
            "range": "[2026-01-02,)",
            "ranges": ["[1,3)", "[9007199254740993,)", "empty"],
            "multirange": "{[1,3),[5,8)}",
            "float_range": "[1.5,Infinity)",
            "address": r#"("O'Brien ""\\"" (), ",101,"{""a,b"",NULL,""{\\""""}","[2026-01-01,)","{""k"": [1, null]}")"#,
            "addresses": ["(\"1 Mill Lane\",101,,,)", "(\"\",,,,)"],
            "person": "(Ada,\"(,7,,,)\")",
            "isbn": "9780000000001",
            "even": 4,
            "mood": "calm",
            "moods": ["cross", "calm"],
            "inet": "10.0.7.2/24",
            "cidr": "10.0.0.0/8",
            "interval": "P1DT2H",
            "query": "'tide' & !'low'",
            "default": "[2026-01-01,2026-02-01)",
        })
    );
    // The attributes are those that were written.
    let address = found[0]["address"].as_str().unwrap();
    let sql = format!(
        "SELECT (a).street, (a).zip, (a).tags, (a).moved::text, (a).notes FROM (SELECT $${address}$$::types.address AS a) q"
    );
    let expected = json!({"street": "O'Brien \"\\\" (), ", "zip": 101, "tags": ["a,b", null, "{\""],
                          "moved": "[2026-01-01,)", "notes": {"k": [1, null]}});
    assert_eq!(database().rows(&sql).await, [expected]);
}

#[tokio::test]
async fn null_is_a_value_where_it_is_said_and_an_absent_one_is_not() {
    let host = types().await;
    let mut parameters = object(given());
    parameters.insert("range".into(), Value::Null);
    parameters.insert("address".into(), Value::Null);
    parameters.remove("cidr");
    parameters.insert("default".into(), json!("empty"));
    let found = call(&host, "types", "given", parameters.clone().into()).await;
    let found = found.unwrap_or_else(|error| panic!("{}", error.log_message()));
    for name in ["range", "address", "cidr"] {
        assert_eq!(found[0][name], Value::Null, "{name}");
    }
    assert_eq!(found[0]["default"], "empty");
    for (name, wrong) in [("inet", json!(null)), ("moods", json!(["calm", null]))] {
        let mut parameters = parameters.clone();
        parameters.insert(name.into(), wrong);
        let error = call(&host, "types", "given", parameters.into()).await.expect_err(name);
        assert_eq!(error.code(), Code::InvalidParameter, "{name}: {error}");
    }
}

/// What is wrong with a call, which must be one parameter.
#[track_caller]
fn one(error: CallError) -> (Code, String, String) {
    match error {
        CallError::Arguments(errors) if errors.len() == 1 => {
            (errors[0].code, errors[0].parameter.clone().unwrap_or_default(), errors[0].message.clone())
        }
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_value_that_postgresql_can_not_read_is_named() {
    let host = types().await;
    for (name, wrong, says) in [
        ("range", json!("[2026-02-01,2026-01-01]"), "no value of the type daterange (SQLSTATE 22000)"),
        ("range", json!("nonsense"), "no value of the type daterange (SQLSTATE 22P02)"),
        ("range", json!({"lower": "2026-02-30"}), "has a member `lower` that is not a date"),
        ("range", json!({"lower": "yesterday"}), "has a member `lower` that is not a date"),
        ("ranges", json!(["[1,99999999999999999999)"]), "no value of the type int8range[] (SQLSTATE 22003)"),
        ("multirange", json!("{[1,3}"), "int4multirange (SQLSTATE 22P02)"),
        ("float_range", json!({"lower": 2, "upper": 1}), "types.floatrange (SQLSTATE 22000)"),
        ("address", json!("(a,b,c)"), "types.address (SQLSTATE 22P02)"),
        ("address", json!({"stret": "a"}), "did you mean `street`?"),
        (
            "person",
            json!({"home": {"zip": "x"}}),
            "has a member `home` that has a member `zip` that is not a whole",
        ),
        ("isbn", json!("short"), "types.isbn (SQLSTATE 23514)"),
        ("even", json!(3), "types.even (SQLSTATE 23514)"),
        ("even", json!(1.5), "is not a whole number"),
        ("mood", json!("angry"), "types.mood (SQLSTATE 22P02)"),
        ("inet", json!("10.0.0"), "inet (SQLSTATE 22P02)"),
        ("cidr", json!("10.0.7.2/8"), "cidr (SQLSTATE 22P02)"),
        ("query", json!("a b"), "tsquery (SQLSTATE 42601)"),
        ("query", json!(["a"]), "must be a string"),
        ("default", json!("now"), "daterange (SQLSTATE 22P02)"),
    ] {
        let mut parameters = object(given());
        parameters.insert(name.into(), wrong.clone());
        let error = call(&host, "types", "given", parameters.into()).await.expect_err(name);
        let (code, parameter, message) = one(error);
        assert_eq!((code, parameter.as_str()), (Code::InvalidParameter, name), "{wrong}");
        assert!(message.contains(says), "{wrong}: {message}");
    }
}

#[tokio::test]
async fn a_claim_and_the_second_statement_are_named_too() {
    let host = types().await;
    let within = |network: &str| {
        let call = host
            .call("types", "within")
            .param("period", "[2026-01-01,2026-02-01)")
            .param("day", "2026-01-31");
        read(call.claim("network", network))
    };
    let found = within("10.0.0.0/8").await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let expected = json!([{"contains": true, "second_day": "2026-01-02", "january": true, "inside": true}]);
    assert_eq!(found, expected);
    let (code, claim, message) = one(within("10.0.0.0/80").await.expect_err("no network"));
    assert_eq!((code, claim.as_str()), (Code::InvalidClaim, "network"));
    assert!(!message.contains("10.0.0.0"), "{message}");

    let both = |first: &str, second: &str| {
        read(host.call("types", "both").param("first", first).param("second", second))
    };
    let found = both("[1,2]", "tide").await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    assert_eq!(found, json!({"first": [{"first": "[1,3)"}], "second": [{"second": "'tide'"}]}));
    assert_eq!(one(both("[2,1]", "a b").await.expect_err("the first")).1, "first");
    assert_eq!(one(both("[1,2]", "a b").await.expect_err("the second")).1, "second");
}

#[tokio::test]
async fn a_lent_transaction_survives_a_value_that_is_none() {
    let host = types().await;
    let mut client = database().writer().await;
    let mut transaction = client.transaction().await.unwrap();
    let bad = host.call("types", "both").param("first", "[1,2]").param("second", "a b").on(&mut transaction);
    assert_eq!(one(read(bad).await.expect_err("the second")).1, "second");
    let good = host.call("types", "both").param("first", "[1,2]").param("second", "a").on(&mut transaction);
    assert!(read(good).await.is_ok());
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn over_http_a_query_string_says_the_same_and_a_bad_value_is_told_by_its_name() {
    let address = serve(types().await, ServiceLimits::default()).await;
    for first in ["%5B1,3)", "%7B%22lower%22:1,%22upper%22:3%7D"] {
        let found = get(address, &format!("/q/types/both?first={first}&second=tide")).await;
        assert_eq!(found.status, 200, "{}", String::from_utf8_lossy(&found.body));
        assert_eq!(found.json(), json!({"first": [{"first": "[1,3)"}], "second": [{"second": "'tide'"}]}));
    }
    let body = r#"{"first": {"lower": 1}, "second": "a b"}"#;
    let problem =
        post(address, "/q/types/both", "application/json", body).await.assert_problem(400, "CS1005");
    assert_eq!(
        problem["errors"],
        json!([{"parameter": "second", "code": "CS1005",
                "detail": "parameter `second` is no value of the type tsquery (SQLSTATE 42601)"}])
    );
    let problem = get(address, "/q/types/both?first=7&second=a").await.assert_problem(400, "CS1005");
    assert_eq!(problem["errors"][0]["parameter"], "first");
}

#[tokio::test]
async fn what_the_author_wrote_is_read_when_the_plugin_is_loaded() {
    let host = host_of(component_with("tests/guests/types", Some("mistaken"))).await;
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().unwrap();
    let refusal = plugin.expect_err("a default and an example are wrong");
    let found: Vec<String> = refusal.findings.iter().map(|its| its.finding.to_string()).collect();
    assert_eq!(
        found,
        [
            "CS0314: parameter `period` has a default that is no daterange: `\"[2026-02-01,2026-01-01]\"`; range lower bound \
             must be less than or equal to range upper bound",
            "CS0314: parameter `words` has an example that is no tsquery: `\"a b\"`; syntax error in tsquery: \"a b\"",
        ]
    );
}
