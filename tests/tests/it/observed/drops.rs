//! Calls that their caller gives up, also before there is a connection.

use std::time::Duration;

use callslip::{Call, CallOutcome, Code, Host, RanOn};
use callslip_tests::{Seen, database};
use serde_json::json;

use super::{Observed, PLACES, assert_failed, config};
use crate::client::wait_until_idle;
use crate::support::text;

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
    let says = "no connection became free in time; try again later: none of the 1 connections became free within 300ms";
    assert_eq!(error.log_message(), says);
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
