//! A server that is asked to stop: once, and again.

use std::time::Duration;

use callslip_tests::{component, database, http};
use nix::sys::signal::Signal;

use crate::served::Served;

/// A server with a query that takes long, if it is asked to.
pub fn serve() -> Served {
    let component = component("tests/guests/replies");
    let config = format!(
        "[admin]
         listen = \"127.0.0.1:0\"
         [plugins.replies]
         component = {component:?}
         [plugins.replies.grants]
         functions = [\"pg_sleep\", \"generate_series(int8, int8)\"]"
    );
    Served::start(&database().url(), &config, &[])
}

/// Asks for what takes so many seconds, until that runs.
async fn ask(served: &Served, seconds: u32) -> tokio::task::JoinHandle<http::Response> {
    let address = served.address();
    let path = format!("/q/replies/numbered?rows=2&pause={seconds}");
    let asked = tokio::spawn(async move { http::get(address, &path).await });
    wait_for_requests(served, 1).await;
    asked
}

/// Waits until so many requests are at hand.
pub async fn wait_for_requests(served: &Served, number: usize) {
    let at_hand = format!("callslip_http_requests_in_flight {number}.0\n");
    while !String::from_utf8(http::get(served.admin(), "/metrics").await.body).unwrap().contains(&at_hand) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_administrates_is_told_of_the_stop_until_the_last_request_is_answered() {
    let mut served = serve();
    let asked = ask(&served, 12).await;
    served.signal(Signal::SIGTERM);
    let told = loop {
        let told = http::get(served.admin(), "/readyz").await;
        if told.status != 200 {
            break told;
        }
    };
    told.assert_problem(503, "CS1115");
    let answer = asked.await.unwrap();
    assert_eq!((answer.status, answer.whole), (200, true));
    assert_eq!(served.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_twice_waits_for_no_request() {
    let mut served = serve();
    let asked = ask(&served, 600).await;
    while !served.lines().iter().any(|line| line.contains("asked to stop again")) {
        served.signal(Signal::SIGTERM);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(served.ended(), Some(0));
    assert!(asked.await.is_err(), "its connection ends before any head of an answer");
}
