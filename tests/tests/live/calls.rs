//! Calls that meet a database which is not any more as it was proven against. Nobody watches it here.

use std::time::{Duration, Instant};

use callslip::{Code, Standing};
use callslip_tests::connect_to;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{Live, amounts, call, code, fragile, read, until};

#[tokio::test]
async fn a_stale_statement_asks_for_one_refresh_before_it_is_an_error() {
    let live = Live::new("stale_statement").await;
    let ((fragile, of_fragile), (amounts, of_amounts)) = (fragile(), amounts());
    let host = live.host(&[("fragile", &fragile, of_fragile), ("amounts", &amounts, of_amounts)]).await;
    let rows = json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]);
    for _ in 0..4 {
        assert_eq!(call(&host, "amounts", "amounts").await.unwrap(), rows);
    }

    // Another type: the query proves all the same, and no caller notices.
    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await;
    assert_eq!(call(&host, "amounts", "amounts").await.unwrap(), rows);
    assert_eq!(host.generation().number(), 2);
    let generation = host.generation();
    let loaded = generation.plugin("amounts").unwrap().unwrap();
    let columns = &loaded.query("amounts").unwrap().shapes()[0].outcome.as_ref().unwrap()[0].columns;
    assert_eq!(columns[1].type_name, "int8");

    // A new name: now the query is not served, and the plugin's other one is.
    live.execute("ALTER TABLE live.fragile RENAME COLUMN name TO title").await;
    let error = call(&host, "fragile", "names").await.unwrap_err();
    assert_eq!(error.code(), Code::PluginDegraded, "{error}");
    let says = error.to_string();
    assert!(says.contains("fragile.names") && says.contains("database as it is now"), "{says}");
    assert_eq!(host.generation().number(), 3);
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Degraded));
    assert_eq!(call(&host, "fragile", "ids").await.unwrap(), json!([{"id": 1}, {"id": 2}]));
    assert_eq!(code(&host, "amounts", "amounts").await, None);
    let generation = host.generation();
    let refusal = generation.plugin("fragile").unwrap().unwrap_err();
    assert_eq!(refusal.findings.len(), 1, "{refusal}");
    let found = &refusal.findings[0];
    assert_eq!((found.query.as_deref(), found.finding.code), (Some("names"), Code::UnknownColumn));

    // And back.
    live.execute("ALTER TABLE live.fragile RENAME COLUMN title TO name").await;
    until("it is healthy again", async || code(&host, "fragile", "names").await.is_none()).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Served));
}

#[tokio::test]
async fn a_later_statement_may_be_the_stale_one() {
    let live = Live::new("later_statement").await;
    let (amounts, of_amounts) = amounts();
    let host = live.host(&[("amounts", &amounts, of_amounts)]).await;
    let expected = json!({
        "ids": [{"id": 1}, {"id": 2}],
        "amounts": [{"id": 1, "amount": 10}, {"id": 2, "amount": 20}],
    });
    // It is prepared on every connection that there will be.
    let replies = futures_util::future::join_all((0..16).map(|_| call(&host, "amounts", "two"))).await;
    replies.into_iter().for_each(|reply| assert_eq!(reply.unwrap(), expected));
    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await;
    assert_eq!(call(&host, "amounts", "two").await.unwrap(), expected);
    assert_eq!(host.generation().number(), 2);

    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE int").await;
    let cells = host.call("amounts", "two").run().await.unwrap().cells().await.unwrap();
    assert_eq!(cells[1][1], [Some("2".to_owned()), Some("20".to_owned())]);
    assert_eq!(host.generation().number(), 3);
}

/// What was given can't be taken back: typed rows are run again as long as there was none.
#[tokio::test]
async fn rows_are_run_again_before_the_first_one() {
    let live = Live::new("rows_again").await;
    let (amounts, of_amounts) = amounts();
    let host = live.host(&[("amounts", &amounts, of_amounts)]).await;
    // It is prepared on every connection that there will be.
    let replies = futures_util::future::join_all((0..16).map(|_| call(&host, "amounts", "two"))).await;
    replies.into_iter().for_each(|reply| _ = reply.unwrap());
    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await;
    let mut rows = host.call("amounts", "two").rows().await.unwrap();
    rows.statement("ids").await.unwrap();
    for id in [1, 2] {
        assert_eq!(rows.next().await.unwrap().unwrap().get::<i32>("id").unwrap(), id);
    }
    let error = rows.next().await.unwrap_err();
    assert_eq!(error.code(), Code::StaleStatement, "two rows were given: {error}");
    assert_eq!(rows.next().await.unwrap_err().code(), Code::StatementFailed, "it stays an error");
    drop(rows);
    host.refresh().await.unwrap();
    assert_eq!(code(&host, "amounts", "two").await, None);

    let replies = futures_util::future::join_all((0..16).map(|_| call(&host, "amounts", "two"))).await;
    replies.into_iter().for_each(|reply| _ = reply.unwrap());
    live.execute("DELETE FROM live.amount; ALTER TABLE live.amount ALTER COLUMN amount TYPE int").await;
    let generation = host.generation().number();
    let mut rows = host.call("amounts", "two").rows().await.unwrap();
    assert!(rows.statement("ids").await.unwrap().next().await.unwrap().is_none());
    assert_eq!(host.generation().number(), generation + 1, "it was looked at anew");
    assert_eq!(rows.statement("amounts").await.unwrap().columns()[1].type_name, "int4");
    assert!(rows.next().await.unwrap().is_none());
}

/// Who stops waiting while the database is looked at may wait again.
#[tokio::test]
async fn rows_and_replies_that_are_run_again_may_be_dropped_meanwhile() {
    let live = Live::new("again_dropped").await;
    let (amounts, of_amounts) = amounts();
    let host = live.host(&[("amounts", &amounts, of_amounts)]).await;
    live.execute("DELETE FROM live.amount").await;
    for (ty, is_json) in [("bigint", false), ("int", true)] {
        // It is prepared on every connection that there will be.
        let replies = futures_util::future::join_all((0..16).map(|_| call(&host, "amounts", "two"))).await;
        replies.into_iter().for_each(|reply| _ = reply.unwrap());
        live.execute(&format!("ALTER TABLE live.amount ALTER COLUMN amount TYPE {ty}")).await;
        let generation = host.generation().number();
        // Longer than it takes to hear of the change, shorter than a refresh.
        let moment = Duration::from_millis(20);
        let mut dropped = 0;
        if is_json {
            let mut reply = host.call("amounts", "two").run().await.unwrap();
            let mut json = Vec::new();
            loop {
                match timeout(moment, reply.next_chunk()).await {
                    Ok(chunk) => match chunk.unwrap() {
                        Some(chunk) => json.extend_from_slice(&chunk),
                        None => break,
                    },
                    Err(_) => dropped += 1,
                }
            }
            assert_eq!(String::from_utf8(json).unwrap(), r#"{"ids":[],"amounts":[]}"#);
            assert!(reply.is_ended());
        } else {
            let mut rows = host.call("amounts", "two").rows().await.unwrap();
            rows.statement("ids").await.unwrap();
            loop {
                match timeout(moment, rows.next()).await {
                    Ok(row) => break assert!(row.unwrap().is_none()),
                    Err(_) => dropped += 1,
                }
            }
            assert!(rows.statement("amounts").await.unwrap().next().await.unwrap().is_none());
        }
        assert!(dropped > 0, "it was there before anybody could drop it");
        assert_eq!(host.generation().number(), generation + 1);
    }
}

#[tokio::test]
async fn a_parameter_may_be_of_a_type_that_is_made_anew() {
    let live = Live::new("type_anew").await;
    let (amounts, of_amounts) = amounts();
    let host = live.host(&[("amounts", &amounts, of_amounts)]).await;
    let ask = async || read(host.call("amounts", "of_unit").param("unit", "cent").run().await?).await;
    // How a label is taken away.
    let without = |label: &str| {
        format!(
            "ALTER TYPE live.unit RENAME TO old; CREATE TYPE live.unit AS ENUM ('cent'{label});
             ALTER TABLE live.amount ALTER unit DROP DEFAULT, ALTER unit TYPE live.unit USING unit::text::live.unit,
                                     ALTER unit SET DEFAULT 'cent';
             DROP TYPE live.old"
        )
    };
    let expected = json!({
        "ids": [{"id": 1}, {"id": 2}],
        "amounts": [{"id": 1, "amount": 10}, {"id": 2, "amount": 20}],
    });
    let everywhere = async || {
        // On every connection that there will be.
        let replies = futures_util::future::join_all((0..16).map(|_| ask())).await;
        replies.into_iter().for_each(|reply| assert_eq!(reply.unwrap(), expected));
    };
    everywhere().await;
    // Noticed by the calls themselves.
    live.execute(&without(", 'euro'")).await;
    everywhere().await;
    // Noticed before any call.
    live.execute(&without("")).await;
    assert!(host.refresh().await.unwrap().changed);
    everywhere().await;
}

#[tokio::test]
async fn a_shape_that_is_proven_on_first_use_asks_too() {
    let live = Live::new("first_use").await;
    let (amounts, of_amounts) = amounts();
    let grants = format!("{of_amounts}, \"later\"");
    let host = live.host(&[("amounts", &amounts, &grants)]).await;
    // What is granted is not there yet. That is the plugin's finding, and nobody else's.
    assert_eq!(host.generation().standing("amounts"), Some(Standing::Degraded));
    let later = async || read(host.call("amounts", "ids_of").param("table", "later").run().await?).await;
    let error = later().await.unwrap_err();
    assert_eq!(error.code(), Code::PluginDegraded);
    assert!(error.log_message().contains("CS0301"), "{}", error.log_message());
    assert_eq!(code(&host, "amounts", "amounts").await, None);

    live.execute("CREATE TABLE live.later AS SELECT 7 AS id; GRANT SELECT ON live.later TO callslip_reader")
        .await;
    assert_eq!(later().await.unwrap(), json!([{"id": 7}]));
    assert_eq!(host.generation().standing("amounts"), Some(Standing::Served));
}

#[tokio::test]
async fn a_lent_transaction_is_not_run_on_again_but_the_next_call_is_mended() {
    let live = Live::new("lent_and_stale").await;
    let (amounts, of_amounts) = amounts();
    let host = live.host(&[("amounts", &amounts, of_amounts)]).await;
    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await;
    let mut client = connect_to(&live.url).await;
    let mut transaction = client.transaction().await.unwrap();
    let error = host.call("amounts", "amounts").on(&mut transaction).run().await.err().unwrap();
    assert_eq!(error.code(), Code::StaleStatement);
    until("it is proven again", async || host.generation().number() == 2).await;
    let reply = host.call("amounts", "amounts").on(&mut transaction).run().await.unwrap();
    assert_eq!(read(reply).await.unwrap(), json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]));
}

#[tokio::test]
async fn calls_of_what_is_degraded_make_no_storm() {
    let live = Live::new("no_storm").await;
    let (fragile, of_fragile) = fragile();
    let host = live.host(&[("fragile", &fragile, of_fragile)]).await;
    live.execute("ALTER TABLE live.fragile DROP COLUMN name").await;
    assert_eq!(code(&host, "fragile", "names").await, Some(Code::PluginDegraded));
    let generation = host.generation().number();
    let (before, began) = (live.sessions().await, Instant::now());
    let mut calls = 0;
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(code(&host, "fragile", "names").await, Some(Code::PluginDegraded));
        calls += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A look is a session, and one more to cancel what may still run on it.
    let looks = live.sessions().await - before;
    let seconds = i64::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!(calls > 50 && looks <= 2 * (seconds + 1), "{looks} sessions in {seconds} s for {calls} calls");
    assert_eq!(host.generation().number(), generation);
}
