//! Calls that fail.

use std::time::Duration;

use callslip::loan::ConnectionSettings;
use callslip::{Call, CallOutcome, Code, Host, Observation, RanOn, ShapeProven};
use callslip_tests::{Seen, database};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Observed, PLACES, assert_failed, config, digest};
use crate::support::text;

#[tokio::test]
async fn a_call_that_fails_is_told_with_its_code() {
    let mut observed = Observed::new("").await;
    for place in PLACES {
        // Before it came to a statement.
        let (call, error) = observed.fails(place, "position", json!({"id": "seven"})).await;
        assert_eq!(error.code(), Code::InvalidParameter);
        assert_eq!(
            (call.shape, call.isolation, call.first_row, call.waited),
            (None, None, None, Duration::ZERO)
        );

        // When PostgreSQL began to answer.
        let (call, error) = observed.fails(place, "slices", json!({"limit": -1})).await;
        assert_eq!(error.code(), Code::RejectedValue);
        assert!(call.shape.is_some());
        assert_eq!((call.first_row, call.rows, call.bytes), (None, 0, 0));

        // Half-way.
        let received = async |call: Call<'_>| {
            let mut reply = call.run().await.unwrap();
            let mut bytes = 0;
            let error = loop {
                match reply.next_chunk().await {
                    Ok(chunk) => bytes += chunk.unwrap().len() as u64,
                    Err(error) => break error,
                }
            };
            // It stays an error, of which nobody hears again.
            assert_eq!(reply.next_chunk().await.unwrap_err().code(), Code::StatementFailed);
            (bytes, error)
        };
        let (bytes, error) = observed.ends(place, ("breaking", &json!({})), received).await;
        let call = observed.seen.call();
        assert_failed(&call, place, &error);
        assert_eq!((error.code(), call.bytes), (Code::StatementFailed, bytes));
        assert!(call.rows > 10_000 && bytes > 100_000, "{call:?}");
        assert_eq!(call.shape.as_deref(), Some(digest(&observed.host, "breaking").as_str()));
    }
}

#[tokio::test]
async fn the_limits_of_a_reply_end_it() {
    let mut few = Observed::new("[limits]\nrows = 100").await;
    let mut small = Observed::new("[limits]\nreply_mib = 1").await;
    let typed = async |call: Call<'_>| {
        let mut rows = call.rows().await.unwrap();
        loop {
            if let Err(error) = rows.next().await {
                break error;
            }
        }
    };
    for place in PLACES {
        let (call, error) = few.fails(place, "ratings", json!({})).await;
        assert_eq!((error.code(), call.rows, call.bytes), (Code::TooManyRows, 101, 0));
        let error = few.ends(place, ("everything_rated", &json!({})), typed).await;
        let call = few.seen.call();
        assert_failed(&call, place, &error);
        assert_eq!((error.code(), call.rows), (Code::TooManyRows, 101));
        // A hundred rows of two numbers and a time; the one after them was not given.
        assert_eq!(call.bytes, 100 * 3 * (4 + 8));

        let (call, error) = small.fails(place, "ratings", json!({})).await;
        assert_eq!(error.code(), Code::ReplyTooLarge);
        // All of the pieces that have room, of 64 KiB and the rest of a row.
        assert!(((1 << 20) - (65 << 10)..=1 << 20).contains(&call.bytes), "{call:?}");
        let error = small.ends(place, ("everything_rated", &json!({})), typed).await;
        let call = small.seen.call();
        assert_failed(&call, place, &error);
        assert_eq!(error.code(), Code::ReplyTooLarge);
        assert!((1_048_000..=1 << 20).contains(&call.bytes), "{call:?}");
    }
}

/// What callers make up is in no name.
#[tokio::test]
async fn a_call_of_what_is_not_there_has_no_name() {
    let mut observed = Observed::new("").await;
    let client = &mut observed.client;
    let cases = [
        ("made_up", "position", Code::UnknownPlugin, None, None),
        ("guest", "made_up", Code::UnknownQuery, Some("guest"), None),
        ("gone", "made_up", Code::PluginDegraded, Some("gone"), None),
        ("guest", "position", Code::MissingParameter, Some("guest"), Some("position")),
    ];
    for (plugin, query, code, its_plugin, its_query) in cases {
        for place in [RanOn::Pool, RanOn::LentClient] {
            let call = observed.host.call(plugin, query);
            let error = match place {
                RanOn::LentClient => text(call.on(client)).await.unwrap_err(),
                _ => text(call).await.unwrap_err(),
            };
            let call = observed.seen.call();
            assert_failed(&call, place, &error);
            assert_eq!(error.code(), code);
            assert_eq!((call.plugin.as_deref(), call.query.as_deref()), (its_plugin, its_query));
        }
    }
}

#[tokio::test]
async fn a_plugin_that_refuses_or_fails_is_told_beside_its_shape() {
    // It is not to be suspended for that.
    let mut observed = Observed::new("[limits]\nfailures = 1000").await;
    let proven = |told: Vec<Observation>| match <[Observation; 1]>::try_from(told) {
        Ok([Observation::ShapeProven(proven)]) => proven,
        other => panic!("{other:?}"),
    };
    for (n, place) in PLACES.into_iter().enumerate() {
        for (words, code) in [("abort", Code::PluginTrapped), ("panic", Code::PluginTrapped)] {
            let parameters = json!({"words": words});
            let error = observed.ends(place, ("search", &parameters), text).await.unwrap_err();
            let (told, call) = observed.seen.before_call();
            assert_failed(&call, place, &error);
            assert_eq!((error.code(), &call.shape, call.isolation), (code, &None, None));
            let ShapeProven { refused, shape, plugin, query, took, .. } = proven(told);
            assert_eq!((refused, shape), (Some(code), None));
            assert_eq!((&*plugin, &*query), ("guest", "search"));
            assert!(took <= call.planned, "{took:?}, {call:?}");
        }
        // A refusal is proven too, and remembered.
        let words = json!({"words": " ".repeat(n + 1)});
        let error = observed.ends(place, ("search", &words), text).await.unwrap_err();
        let (told, call) = observed.seen.before_call();
        assert_failed(&call, place, &error);
        assert_eq!(error.code(), Code::Refused);
        assert_eq!(proven(told).refused, None);
        let (call, _) = observed.fails(place, "search", words).await;
        assert_eq!(call.shape, None, "it has no statement");

        let words = json!({"words": format!("word{n}")});
        observed.ends(place, ("search", &words), text).await.unwrap();
        let (told, first) = observed.seen.before_call();
        let shape = first.shape.clone();
        assert!(shape.is_some());
        if n == 0 {
            let ShapeProven { refused, shape: proven, took, .. } = proven(told);
            assert_eq!((refused, &proven), (None, &shape));
            assert!(took <= first.planned, "{took:?}, {first:?}");
        } else {
            assert!(told.is_empty(), "what it describes was proven for another word: {told:?}");
        }
        observed.ends(place, ("search", &words), text).await.unwrap();
        assert_eq!(observed.seen.call().shape, shape);
    }
}

#[derive(Debug, Deserialize)]
struct Other {
    #[serde(rename = "nothing_like_it")]
    _column: String,
}

#[tokio::test]
async fn rows_that_are_not_what_their_reader_wants_fail() {
    let mut observed = Observed::new("").await;
    let three = json!({"limit": 3});
    for place in PLACES {
        let other = async |call: Call<'_>| {
            let mut rows = call.rows().await.unwrap();
            let error = rows.next_as::<Other>().await.unwrap_err();
            assert_eq!(rows.next().await.unwrap_err().code(), Code::StatementFailed, "no row follows");
            error
        };
        let error = observed.ends(place, ("slices", &three), other).await;
        let call = observed.seen.call();
        assert_failed(&call, place, &error);
        assert_eq!((error.code(), call.rows), (Code::OtherRow, 1));

        let one = async |call: Call<'_>| call.rows().await.unwrap().one_as::<Value>().await.unwrap_err();
        let error = observed.ends(place, ("slices", &three), one).await;
        let call = observed.seen.call();
        assert_failed(&call, place, &error);
        assert_eq!((error.code(), call.rows), (Code::TooManyRows, 2));

        // What the service makes of a row is its own affair.
        let own = async |call: Call<'_>| {
            let mut rows = call.rows().await.unwrap();
            while let Some(row) = rows.next().await.unwrap() {
                assert_eq!(row.to::<Other>().unwrap_err().code(), Code::OtherRow);
            }
        };
        observed.ends(place, ("slices", &three), own).await;
        assert_eq!(observed.seen.call().outcome, CallOutcome::Complete);
    }
}

#[tokio::test]
async fn a_host_without_connections_tells_of_a_call_that_was_lent_none() {
    let seen = Seen::default();
    let mut client = database().writer().await;
    let builder = Host::builder().reflect_on(&mut client).observe(seen.observer());
    let host = builder.start(&config("")).await.unwrap();
    let error = text(host.call("guest", "position").param("id", 7)).await.unwrap_err();
    let call = seen.call();
    assert_failed(&call, RanOn::Pool, &error);
    assert_eq!((error.code(), call.waited), (Code::NothingLent, Duration::ZERO));

    text(host.call("guest", "position").param("id", 7).on(&mut client)).await.unwrap();
    assert_eq!(seen.call().outcome, CallOutcome::Complete);
}

#[tokio::test]
async fn a_backend_that_is_lost_fails_its_call() {
    let name = "observed_lost";
    let url = format!("{}&application_name={name}", database().url());
    let mut observed = Observed::on(&ConnectionSettings::resolve(Some(&url), &|_| None).unwrap(), "").await;
    let owner = database().owner().await;
    for place in PLACES {
        observed.client = database().writer().await;
        observed.client.batch_execute(&format!("SET application_name = {name}")).await.unwrap();
        let killed = async |call: Call<'_>| {
            let mut running = Box::pin(text(call));
            loop {
                if let Ok(ended) = tokio::time::timeout(Duration::from_millis(20), &mut running).await {
                    break ended.unwrap_err();
                }
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE application_name = $1 AND wait_event = 'PgSleep'";
                owner.query(sql, &[&name]).await.unwrap();
            }
        };
        let error = observed.ends(place, ("slow.sleep", &json!({"seconds": 600.0})), killed).await;
        assert_failed(&observed.seen.call(), place, &error);
        assert_eq!(error.code(), Code::DatabaseUnavailable, "{}", error.log_message());
    }
}
