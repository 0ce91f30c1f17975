//! Calls that are read to their end.

use std::time::Duration;

use callslip::{Call, CallOutcome, Code, RanOn};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Observed, PLACES, assert_failed, digest};
use crate::support::text;

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
        let found = observed.ends(place, ("slow.several", &json!({"seconds": 0.5})), all).await;
        let call = observed.seen.call();
        assert!(call.first_row.unwrap() + Duration::from_millis(200) <= call.total, "{call:?}");
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
