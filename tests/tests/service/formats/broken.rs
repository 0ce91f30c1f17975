//! A reply that breaks off half-way looks whole in no format, and not as gzip.

use std::time::{Duration, Instant};

use callslip_tests::database;
use callslip_tests::http::send;

use super::{FORMATS, ask, gunzipped, serve};
use crate::served::SOON;

/// The backend that has sent all rows but the last, once there is one.
async fn end_backend() {
    let owner = database().owner().await;
    let deadline = Instant::now() + SOON;
    let sleeping = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE wait_event = 'PgSleep' AND query LIKE '%replies.numbered%' AND pid <> pg_backend_pid()";
    while owner.query(sleeping, &[]).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "no statement sleeps");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_backend_that_ends_breaks_the_transfer_off() {
    let served = serve("");
    let address = served.address();
    for (format, _) in FORMATS {
        let path = format!("/q/replies/numbered?rows=60000&pause=600&format={format}");
        for headers in ["", "accept-encoding: gzip"] {
            let (answer, ()) = tokio::join!(ask(address, "GET", &path, headers), end_backend());
            assert_eq!((answer.status, answer.whole), (200, false), "{format} {headers}");
            let (plain, is_whole) = match headers {
                "" => (answer.body, false),
                _ => gunzipped(&answer.body),
            };
            assert!(!is_whole, "{format}: gzip has its end");
            assert!(plain.len() > 100_000, "{format} {headers}: {} bytes", plain.len());
            let marks: &[&[u8]] = match format {
                "json" => &[b"]"],
                "arrow" => &[&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
                // There is none in these: it is the transfer alone that tells.
                _ => &[],
            };
            assert!(!marks.iter().any(|mark| plain.ends_with(mark)), "{format} {headers}");
        }
        // Nothing of it is sent to a client that could not tell.
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        let (answer, ()) = tokio::join!(send(address, request), end_backend());
        assert!(answer.status >= 500 && answer.head.contains("application/problem+json"), "{}", answer.head);
    }
}
