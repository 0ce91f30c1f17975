//! Hosts without connections of their own, whose database changes.

use callslip::{Change, Code, Host, Standing};
use futures_util::FutureExt;
use serde_json::json;

use crate::support::{Service, amounts, config, fragile, read};

#[tokio::test]
async fn a_stale_statement_leaves_a_doubt_until_the_service_refreshes() {
    let service = Service::new("embed_doubt").await;
    let (owner, mut client) = (service.owner().await, service.connect().await);
    let config = config(&[fragile(), amounts()]);
    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    let amounts = || host.call("amounts", "amounts");
    assert!(host.catalog_status().doubted_at.is_none());

    owner.batch_execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await.unwrap();
    for _ in 0..2 {
        let error = read(amounts().on(&mut client)).await.unwrap_err();
        assert_eq!(error.code(), Code::StaleStatement, "{}", error.log_message());
    }
    assert!(host.catalog_status().doubted_at.is_some());
    assert_eq!(host.generation().number(), 1, "nobody looked");

    let refreshed = host.refresh_on(&mut client).await.unwrap();
    assert!(refreshed.changed && host.generation().number() == 2);
    assert!(host.catalog_status().doubted_at.is_none());
    let rows = json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]);
    assert_eq!(read(amounts().on(&mut client)).await.unwrap(), rows);

    // Again on an open transaction; and there is nothing new.
    let mut transaction = client.transaction().await.unwrap();
    assert!(!host.refresh_on(&mut transaction).await.unwrap().changed);
    transaction.execute("SET LOCAL statement_timeout = 0", &[]).await.unwrap();
    transaction.commit().await.unwrap();

    owner.batch_execute("ALTER TABLE live.fragile RENAME COLUMN name TO title").await.unwrap();
    let refreshed = host.refresh_on(&mut client).await.unwrap();
    assert!(matches!(&refreshed.plugins[..], [only] if matches!(only.change, Change::Degraded(_))));
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Degraded));
    assert_eq!(
        read(host.call("fragile", "ids").on(&mut client)).await.unwrap(),
        json!([{"id": 1}, {"id": 2}])
    );
    let error = read(host.call("fragile", "names").on(&mut client)).await.unwrap_err();
    assert_eq!(error.code(), Code::PluginDegraded);
}

#[tokio::test]
async fn a_table_that_is_new_is_there_for_an_open_query_after_a_refresh() {
    let service = Service::new("embed_new_table").await;
    let (owner, mut client) = (service.owner().await, service.connect().await);
    let mut config = config(&[amounts()]);
    config.plugins.get_mut("amounts").unwrap().grants.relations.push("later".to_owned());
    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    let later = || host.call("amounts", "ids_of").param("table", "later");
    owner
        .batch_execute("CREATE TABLE live.later (id int); GRANT SELECT ON live.later TO callslip_reader")
        .await
        .unwrap();
    let error = read(later().on(&mut client)).await.unwrap_err();
    assert_eq!(error.code(), Code::PluginDegraded);
    assert!(error.log_message().contains("CS0301"), "{}", error.log_message());
    assert!(host.catalog_status().doubted_at.is_some());
    host.refresh_on(&mut client).await.unwrap();
    assert_eq!(read(later().on(&mut client)).await.unwrap(), json!([]));
}

#[tokio::test]
async fn refreshes_take_turns_and_one_that_is_dropped_gives_the_connection_back() {
    let service = Service::new("embed_turns").await;
    let owner = service.owner().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(service.connect().await);
    }
    let config = config(&[fragile(), amounts()]);
    let host = Host::builder().reflect_on(&mut clients[0]).start(&config).await.unwrap();
    owner.batch_execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await.unwrap();
    let refreshes = clients.iter_mut().map(|client| host.refresh_on(client));
    let changed: Vec<bool> =
        futures_util::future::join_all(refreshes).await.into_iter().map(|its| its.unwrap().changed).collect();
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1, "{changed:?}");
    assert_eq!(host.generation().number(), 2);

    // Dropped after each number of polls, until one comes to its end.
    owner.batch_execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE int").await.unwrap();
    let client = &mut clients[0];
    let mut polls = 0;
    loop {
        let mut left = polls;
        let mut refresh = Box::pin(host.refresh_on(client));
        let done = std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(false);
            }
            left -= 1;
            refresh.poll_unpin(context).map(|outcome| outcome.is_ok())
        });
        let done = done.await;
        drop(refresh);
        let row = client.query_typed("SELECT current_setting('transaction_read_only')", &[]).await.unwrap();
        assert_eq!(row[0].get::<_, &str>(0), "off", "after {polls} polls");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "{polls}");
    assert_eq!(host.generation().number(), 3);
}
