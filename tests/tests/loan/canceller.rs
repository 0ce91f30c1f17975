use std::time::{Duration, Instant};

use callslip::Code;
use callslip::loan::{Canceller, ConnectionSettings};
use callslip_tests::connect;
use tokio_postgres::config::SslMode;

use crate::proxy::{Cancels, Proxy};
use crate::support::Database;

fn settings(url: &str) -> ConnectionSettings {
    ConnectionSettings::resolve(Some(url), &|_| None).unwrap()
}

#[tokio::test]
async fn what_a_session_of_somebody_else_runs_is_cancelled_and_nothing_later() {
    let database = Database::start().await;
    let canceller = Canceller::new(settings(&database.cluster.url("postgres")));
    // One that would use TLS if the server had it.
    for mode in [SslMode::Disable, SslMode::Prefer] {
        let mut config = database.cluster.config();
        let owner = connect(config.ssl_mode(mode)).await;
        let token = owner.cancel_token();
        for turn in 0..100 {
            let cancel = async {
                tokio::time::sleep(Duration::from_micros(100 * turn)).await;
                canceller.cancel(&token).await.unwrap();
            };
            // Whether the cancel has hit it, or came too early or too late.
            let (ended, ()) = tokio::join!(owner.batch_execute("SELECT pg_sleep(0.005)"), cancel);
            if let Err(error) = ended {
                assert_eq!(error.code().unwrap().code(), "57014");
            }
            owner.batch_execute("SELECT pg_sleep(0.001)").await.unwrap();
        }
        let start = Instant::now();
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            canceller.clone().cancel(&token).await.unwrap();
        };
        let (ended, ()) = tokio::join!(owner.batch_execute("SELECT pg_sleep(60)"), cancel);
        assert_eq!(ended.unwrap_err().code().unwrap().code(), "57014");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_cancel_that_did_not_come_is_an_error() {
    let database = Database::start().await;
    let token = database.owner.cancel_token();
    let reason = async |settings: ConnectionSettings| {
        let error = Canceller::new(settings).cancel(&token).await.unwrap_err();
        assert_eq!(error.code(), Code::DatabaseUnavailable);
        error.to_string()
    };
    let nowhere = reason(settings("postgresql://u:hunter2@/d?host=/nonexistent")).await;
    assert!(nowhere.contains("No such file") && !nowhere.contains("hunter2"), "{nowhere}");
    for (become_of, expected) in [(Cancels::Refused, "reset"), (Cancels::Swallowed, "within 5s")] {
        let proxy = Proxy::start(&database.socket(), become_of).await;
        let told = reason(proxy.settings()).await;
        assert!(told.contains(expected), "{told}");
    }
}
