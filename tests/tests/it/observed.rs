//! What a service is told of each call: once, and all that is known of it.

use std::path::Path;
use std::time::Duration;

use callslip::loan::{ConnectionSettings, Isolation};
use callslip::{
    Call, CallEnded, CallError, CallOutcome, Code, Config, Host, Observation, RanOn, ShapeProven,
};
use callslip_tests::{Seen, component, configured, database};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::client::wait_until_idle;
use crate::support::{TABLES, text};

const PLACES: [RanOn; 3] = [RanOn::Pool, RanOn::LentTransaction, RanOn::LentClient];

/// A host that tells what happens, and a connection to be lent.
struct Observed {
    host: Host,
    seen: Seen,
    client: Client,
    /// The isolation level of a call of one statement on a connection of the host's own.
    of_pool: Isolation,
}

impl Observed {
    async fn new(settings: &str) -> Self {
        Self::on(&database().connection(), settings).await
    }

    /// The same with another connection of its own.
    async fn on(connection: &ConnectionSettings, settings: &str) -> Self {
        let seen = Seen::default();
        // Only the server itself knows the sessions of what is lent.
        let direct = ConnectionSettings::resolve(Some(&database().owner_url()), &|_| None).unwrap();
        let builder = Host::builder().connect(connection).cancel_through(&direct);
        let host = builder.observe(seen.observer()).start(&config(settings)).await.unwrap();
        assert!(seen.take().is_empty(), "nothing happens at the start");
        let of_pool = host.call("guest", "position").param("id", 7).rows().await.unwrap().isolation();
        seen.take();
        Self { host, seen, client: database().writer().await, of_pool }
    }

    /// The isolation level that a call of one statement has.
    fn isolation(&self, place: RanOn) -> Option<Isolation> {
        Some(match place {
            RanOn::LentTransaction => Isolation::ReadCommitted,
            RanOn::LentClient => Isolation::RepeatableRead,
            _ => self.of_pool,
        })
    }

    /// Has a call end somewhere. What is lent for it is given back before this returns.
    async fn ends<T>(
        &mut self,
        place: RanOn,
        (query, parameters): (&str, &Value),
        work: impl AsyncFnOnce(Call<'_>) -> T,
    ) -> T {
        let mut call = match query.split_once('.') {
            Some((plugin, query)) => self.host.call(plugin, query),
            None => self.host.call("guest", query),
        };
        for (name, value) in parameters.as_object().unwrap() {
            call = call.param(name, value.clone());
        }
        match place {
            RanOn::LentTransaction => {
                let mut transaction = self.client.transaction().await.unwrap();
                work(call.on(&mut transaction)).await
            }
            RanOn::LentClient => work(call.on(&mut self.client)).await,
            _ => work(call).await,
        }
    }

    /// What is told of a call that fails, and its error.
    async fn fails(&mut self, place: RanOn, query: &str, parameters: Value) -> (CallEnded, CallError) {
        let error = self.ends(place, (query, &parameters), text).await.unwrap_err();
        let call = self.seen.call();
        assert_failed(&call, place, &error);
        (call, error)
    }
}

fn config(settings: &str) -> Config {
    let (guest, slow) = (component("tests/guests/language"), component("tests/guests/slow"));
    let text = format!(
        "{settings}\n\
         [plugins.guest]\ncomponent = {guest:?}\n[plugins.guest.grants]\nrelations = {TABLES}\n\
         [plugins.slow]\ncomponent = {slow:?}\n\
         [plugins.slow.grants]\nrelations = [\"rating\"]\nfunctions = [\"pg_sleep\"]\n\
         [plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n"
    );
    Config::parse(&configured(&text), Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_failed(call: &CallEnded, place: RanOn, error: &CallError) {
    let CallOutcome::Failed { code, message } = &call.outcome else { panic!("{call:?}") };
    assert_eq!((*code, message), (error.code(), &error.log_message()));
    assert_eq!((call.ran_on, call.outcome.as_str()), (place, error.code().as_str()));
}

/// The digest in the comment before the first statement of a query's only shape.
fn digest(host: &Host, query: &str) -> String {
    let generation = host.generation();
    let loaded = generation.plugin("guest").unwrap().unwrap();
    let shapes = loaded.query(query).unwrap().shapes();
    let sql = &shapes[0].outcome.as_ref().unwrap()[0].sql;
    let rest = sql.strip_prefix(&format!("/* callslip guest.{query} ")).unwrap_or_else(|| panic!("{sql}"));
    rest.split_once(' ').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_reply_that_is_whole_is_complete_or_missing() {
    let mut observed = Observed::new("").await;
    for place in PLACES {
        let found = observed.ends(place, ("position", &json!({"id": 7})), text).await.unwrap();
        let call = observed.seen.call();
        assert_eq!((call.plugin.as_deref(), call.query.as_deref()), (Some("guest"), Some("position")));
        assert_eq!(call.shape.as_deref(), Some(digest(&observed.host, "position").as_str()));
        assert_eq!((call.ran_on, call.isolation), (place, observed.isolation(place)));
        assert_eq!((call.rows, call.bytes), (1, found.len() as u64));
        assert_eq!(call.outcome, CallOutcome::Complete);
        assert!(call.first_row.is_some() && call.planned > Duration::ZERO, "{call:?}");
        assert_eq!(call.waited > Duration::ZERO, place == RanOn::Pool, "{call:?}");

        let found = observed.ends(place, ("position", &json!({"id": 2_000_000_000})), text).await.unwrap();
        let call = observed.seen.call();
        assert_eq!((call.rows, call.bytes), (0, found.len() as u64));
        assert_eq!((call.outcome, call.isolation), (CallOutcome::Missing, observed.isolation(place)));
        assert!(call.first_row.is_some(), "it was there that there was none");

        // Several pieces, of which the observer hears nothing.
        let found = observed.ends(place, ("ratings", &json!({})), text).await.unwrap();
        let call = observed.seen.call();
        let rows = serde_json::from_str::<Vec<Value>>(&found).unwrap().len() as u64;
        assert!(rows > 10_000);
        assert_eq!((call.rows, call.bytes, call.outcome), (rows, found.len() as u64, CallOutcome::Complete));
    }
}

#[derive(Deserialize)]
struct Place {
    location: String,
}

#[tokio::test]
async fn typed_rows_and_cells_count_what_came_from_the_database() {
    let mut observed = Observed::new("").await;
    let three = json!({"limit": 3});
    for place in PLACES {
        let read =
            async |call: Call<'_>| -> Vec<Place> { call.rows().await.unwrap().collect_as().await.unwrap() };
        let found = observed.ends(place, ("slices", &three), read).await;
        // The length of each value in four bytes, and its text.
        let bytes: usize = found.iter().map(|its| 4 + its.location.len()).sum();
        let typed = observed.seen.call();
        assert_eq!((found.len(), typed.rows, typed.bytes), (3, 3, bytes as u64));
        assert_eq!((typed.outcome, typed.isolation), (CallOutcome::Complete, observed.isolation(place)));

        let read = async |call: Call<'_>| call.run().await.unwrap().cells().await.unwrap();
        let cells = observed.ends(place, ("slices", &three), read).await;
        let call = observed.seen.call();
        assert_eq!((cells[0].len(), call.rows, call.bytes), (3, 3, bytes as u64));
        assert_eq!(call.outcome, CallOutcome::Complete);

        let read =
            async |call: Call<'_>| -> Option<Value> { call.rows().await.unwrap().one_as().await.unwrap() };
        assert!(observed.ends(place, ("position", &json!({"id": 0})), read).await.is_none());
        let call = observed.seen.call();
        assert_eq!((call.rows, call.bytes, call.outcome), (0, 0, CallOutcome::Missing));
    }
}

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
        assert!((1_000_000..=1 << 20).contains(&call.bytes), "{call:?}");
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
    let mut observed = Observed::new("").await;
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
        let ShapeProven { refused, shape, took, .. } = proven(told);
        assert_eq!((refused, &shape), (None, &first.shape));
        assert!(shape.is_some() && took <= first.planned, "{took:?}, {first:?}");
        observed.ends(place, ("search", &words), text).await.unwrap();
        assert_eq!(observed.seen.call().shape, shape);
    }
}

#[tokio::test]
async fn what_its_caller_drops_is_told_when_it_is_dropped() {
    let mut observed = Observed::new("").await;
    for place in PLACES {
        // Never awaited: not run.
        observed.ends(place, ("position", &json!({"id": 7})), async |call| drop(call.run())).await;
        assert!(observed.seen.take().is_empty());

        let briefly = Duration::from_millis(100);
        let seen = observed.seen.clone();
        let running = async |call: Call<'_>| {
            assert!(tokio::time::timeout(briefly, call.run()).await.is_err(), "it has ended");
            seen.call()
        };
        let call = observed.ends(place, ("slow.sleep", &json!({"seconds": 1.5})), running).await;
        assert!(call.shape.is_some() && call.total >= briefly, "{call:?}");
        assert_eq!((call.rows, call.bytes, call.isolation), (0, 0, None));
        assert_eq!((call.outcome, call.ran_on), (CallOutcome::Dropped, place));

        let seen = observed.seen.clone();
        let half_way = async |call: Call<'_>| {
            let mut reply = call.run().await.unwrap();
            let given = reply.next_chunk().await.unwrap().unwrap().len() as u64;
            let rows = reply.rows();
            assert!(seen.take().is_empty(), "it goes on");
            drop(reply);
            (given, rows)
        };
        let (given, rows) = observed.ends(place, ("everything_rated", &json!({})), half_way).await;
        let call = observed.seen.call();
        assert_eq!((call.outcome, call.bytes, call.rows), (CallOutcome::Dropped, given, rows));
        assert_eq!(call.isolation, observed.isolation(place));
        assert!(rows > 0);
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_dropped_and_one_that_can_t_be_has_failed() {
    let mut observed = Observed::new("").await;
    let long = json!({"seconds": 600.0});
    for place in PLACES {
        let running = async |call: Call<'_>| {
            let mut running = call.rows();
            let briefly = tokio::time::timeout(Duration::from_millis(100), &mut running).await;
            assert!(briefly.is_err(), "it has ended");
            running.cancel().await.unwrap();
        };
        observed.ends(place, ("slow.sleep", &long), running).await;
        let call = observed.seen.call();
        assert_eq!((call.outcome, call.ran_on, call.rows), (CallOutcome::Dropped, place, 0));

        let half_way = async |call: Call<'_>| {
            let mut reply = call.run().await.unwrap();
            reply.next_chunk().await.unwrap().unwrap();
            reply.cancel().await.unwrap();
        };
        observed.ends(place, ("slow.late", &long), half_way).await;
        let call = observed.seen.call();
        assert_eq!(call.outcome, CallOutcome::Dropped);
        assert!(call.rows > 0 && call.bytes > 0);

        // What has ended is over.
        let ended = async |call: Call<'_>| {
            let mut reply = call.run().await.unwrap();
            while reply.next_chunk().await.unwrap().is_some() {}
            reply.cancel().await.unwrap();
        };
        observed.ends(place, ("position", &json!({"id": 7})), ended).await;
        assert_eq!(observed.seen.call().outcome, CallOutcome::Complete);
    }

    let seen = Seen::default();
    let builder = Host::builder().connect(&database().connection()).observe(seen.observer());
    let host = builder.start(&config("")).await.unwrap();
    let slow = |query| host.call("slow", query).param("seconds", 1.5);
    let mut running = slow("sleep").on(&mut observed.client).run();
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut running).await.is_err());
    let error = running.cancel().await.unwrap_err();
    assert_eq!(error.code(), Code::NotCancelled);
    assert_failed(&seen.call(), RanOn::LentClient, &error);
    let mut reply = slow("late").on(&mut observed.client).run().await.unwrap();
    reply.next_chunk().await.unwrap().unwrap();
    let error = reply.cancel().await.unwrap_err();
    assert_eq!(error.code(), Code::NotCancelled);
    assert_failed(&seen.call(), RanOn::LentClient, &error);
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
async fn rows_of_several_statements_are_one_call() {
    let mut observed = Observed::new("").await;
    for place in PLACES {
        let all = async |call: Call<'_>| {
            let mut rows = call.rows().await.unwrap();
            assert_eq!(rows.next().await.unwrap_err().code(), Code::OtherStatement);
            for statement in ["quick", "slow", "last"] {
                let rows = rows.statement(statement).await.unwrap();
                assert_eq!(rows.collect_as::<Value>().await.unwrap().len(), 1);
            }
            rows.isolation()
        };
        let found = observed.ends(place, ("slow.several", &json!({"seconds": 0.01})), all).await;
        let call = observed.seen.call();
        assert!(call.first_row.unwrap() + Duration::from_millis(10) <= call.total, "{call:?}");
        assert_eq!((call.rows, call.outcome, call.isolation), (3, CallOutcome::Complete, Some(found)));

        let skips = async |call: Call<'_>| {
            let mut rows = call.rows().await.unwrap();
            rows.statement("quick").await.unwrap();
            rows.statement("slow").await.map(drop).unwrap_err()
        };
        let error = observed.ends(place, ("slow.several", &json!({"seconds": 0.0})), skips).await;
        assert_failed(&observed.seen.call(), place, &error);
        assert_eq!(error.code(), Code::OtherStatement);
    }
}

#[tokio::test]
async fn the_wait_for_a_connection_is_told_of_those_who_got_none() {
    let observed = Observed::new("[pool]\nsize = 1\nwait_ms = 300").await;
    let held = observed.host.call("guest", "everything_rated").run().await.unwrap();
    let position = || observed.host.call("guest", "position").param("id", 7);
    let wait = Duration::from_millis(300);
    let error = text(position()).await.unwrap_err();
    let call = observed.seen.call();
    assert_failed(&call, RanOn::Pool, &error);
    assert_eq!((error.code(), call.isolation), (Code::PoolExhausted, None));
    assert_eq!(error.log_message(), error.to_string(), "nothing is said twice");
    assert!(call.shape.is_some() && call.waited >= wait, "{call:?}");

    // One that was dropped while it waited.
    let dropped = tokio::time::timeout(wait / 3, position().run()).await;
    assert!(dropped.is_err());
    let call = observed.seen.call();
    assert_eq!(call.outcome, CallOutcome::Dropped);
    assert!(call.waited >= wait / 4 && call.planned < call.waited, "{call:?}");

    drop(held);
    assert_eq!(observed.seen.call().outcome, CallOutcome::Dropped);
    wait_until_idle(&observed.host).await;
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
