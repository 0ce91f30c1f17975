//! Hosts that start on what is lent, and run on it.

use std::collections::BTreeSet;

use callslip::plugin::Engine;
use callslip::{Code, Config, Host, Standing, StartError, WatchSettings};
use serde_json::json;
use tokio_postgres::Client;

use crate::support::{Service, amounts, backend, config, fragile, hiring, read};

/// What of a session must be as it was.
async fn state(client: &Client) -> Vec<String> {
    let sql = "SELECT 'set ' || name || ' = ' || setting FROM pg_catalog.pg_settings
               UNION ALL
               SELECT 'prepared ' || statement FROM pg_catalog.pg_prepared_statements
               UNION ALL
               SELECT 'lock ' || locktype || ' ' || mode || ' ' || coalesce(relation::regclass::text, '')
               FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND relation IS DISTINCT FROM 'pg_locks'::regclass
               ORDER BY 1";
    client.query_typed(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// A service may make its configuration without a file.
#[tokio::test]
async fn a_configuration_that_is_made_is_checked_like_one_that_is_read() {
    let service = Service::new("embed_made").await;
    let mut client = service.connect().await;
    type Change = fn(&mut Config);
    let ways: [(Change, &str); 4] = [
        (|config| config.limits.call_ms = 0, "limits.call_ms must be greater than zero"),
        (|config| config.pool.size = usize::MAX, "pool.size must be at most 262143"),
        (|config| config.database.schemas.clear(), "database.schemas names no schema"),
        (
            |config| _ = config.plugins.insert("A".to_owned(), config.plugins["fragile"].clone()),
            "the plugin name \"A\" is not",
        ),
    ];
    for (change, says) in ways {
        let mut config = config(&[fragile()]);
        change(&mut config);
        let error = Host::builder().reflect_on(&mut client).start(&config).await.err().unwrap();
        assert!(matches!(error, StartError::Config(_)) && error.to_string().starts_with(says), "{error}");
        assert_eq!(error.code(), Code::BadConfiguration);
    }
}

#[tokio::test]
async fn a_host_that_is_lent_connections_opens_none() {
    let service = Service::new("embed_opens_none").await;
    let ever_begun = service.ever_begun().await;
    let mut client = service.connect().await;
    let before = state(&client).await;
    let watched = service.watch();

    let config = config(&[fragile(), amounts(), hiring()]);
    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    assert!(host.pool().is_none());
    assert_eq!(state(&client).await, before);

    // Proven at load; open; a shape that was not proven at load; with a parameter of an enum.
    let funnel = || host.call("hiring", "funnel").param("company", 1).param("open", false);
    let open = || host.call("amounts", "ids_of").param("table", "amount");
    let of_unit = || host.call("amounts", "of_unit").param("unit", "cent");
    let ids = json!([{"id": 1}, {"id": 2}]);
    assert_eq!(read(host.call("fragile", "ids").on(&mut client)).await.unwrap(), ids);
    assert_eq!(read(open().on(&mut client)).await.unwrap(), ids);
    assert!(!read(funnel().on(&mut client)).await.unwrap().as_array().unwrap().is_empty());
    assert_eq!(read(of_unit().on(&mut client)).await.unwrap()["ids"], ids);
    // One that does not prove: it may have been created since.
    let error =
        read(host.call("amounts", "ids_of").param("table", "nothing").on(&mut client)).await.unwrap_err();
    assert_eq!(error.code(), Code::PluginDegraded, "{}", error.log_message());
    assert!(error.log_message().contains("CS0301"), "{}", error.log_message());

    // A shape of first use on an open transaction.
    let since = |call: callslip::Call<'static>| call.param("since", "2020-01-01T00:00:00Z");
    let mut transaction = client.transaction().await.unwrap();
    assert_eq!(read(open().on(&mut transaction)).await.unwrap(), ids);
    assert!(read(since(funnel()).on(&mut transaction)).await.unwrap().is_array());
    transaction.commit().await.unwrap();
    assert_eq!(state(&client).await, before);

    assert_eq!(watched.seen(), BTreeSet::from([backend(&client).await]));
    drop((watched, host, client));
    service.all_ended().await;
    assert_eq!(service.ever_begun().await, ever_begun + 1, "the service's own");
}

/// Without it the test above would show nothing.
#[tokio::test]
async fn a_host_that_connects_is_seen() {
    let service = Service::new("embed_connects").await;
    let ever_begun = service.ever_begun().await;
    let mut client = service.connect().await;
    let watched = service.watch();
    let connection = callslip::loan::ConnectionSettings::resolve(Some(&service.url), &|_| None).unwrap();
    // It reflects on what is lent, and calls run on its own connections.
    let builder = Host::builder().reflect_on(&mut client).connect(&connection);
    let host = builder.start(&config(&[fragile()])).await.unwrap();
    assert_eq!(host.pool().unwrap().status().size, 0);
    assert_eq!(read(host.call("fragile", "ids")).await.unwrap(), json!([{"id": 1}, {"id": 2}]));
    host.refresh().await.unwrap();
    assert!(watched.seen().len() >= 2, "{:?}", watched.seen());
    drop((watched, host, client));
    service.all_ended().await;
    assert_eq!(
        service.ever_begun().await,
        ever_begun + 3,
        "the service's own, that of the call, and that of the refresh"
    );
}

#[tokio::test]
async fn what_is_missing_is_said_with_what_to_do() {
    let service = Service::new("embed_missing").await;
    let mut client = service.connect().await;
    let config = config(&[fragile()]);
    let error = Host::builder().start(&config).await.err().unwrap();
    assert!(matches!(error, StartError::NothingToReflectOn));
    assert!(error.to_string().contains(".reflect_on(") && error.to_string().contains(".connect("), "{error}");

    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    let error = read(host.call("fragile", "ids")).await.unwrap_err();
    assert_eq!(error.code(), Code::NothingLent);
    assert!(error.to_string().contains(".on("), "{error}");
    // What is wrong with the request itself is not hidden by that.
    let error = read(host.call("fragile", "idz")).await.unwrap_err();
    assert_eq!(error.code(), Code::UnknownQuery);
    let error = host.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::NothingLent);
    assert!(error.to_string().contains("refresh_on"), "{error}");
    let error = host.watch(WatchSettings::default()).err().unwrap();
    assert_eq!(error.code(), Code::NothingLent);
    assert!(host.catalog_status().failure.is_none());
}

#[tokio::test]
async fn an_open_transaction_is_reflected_with_what_it_has_not_committed() {
    let service = Service::new("embed_uncommitted").await;
    let (mut owner, mut client) = (service.owner().await, service.connect().await);
    owner.batch_execute("DROP TABLE live.amount; DROP TYPE live.unit").await.unwrap();
    let config = config(&[amounts()]);
    {
        let mut transaction = owner.transaction().await.unwrap();
        transaction
            .batch_execute(
                "CREATE TYPE live.unit AS ENUM ('cent');
                 CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL, unit live.unit NOT NULL);
                 INSERT INTO live.amount VALUES (7, 70, 'cent');
                 GRANT SELECT ON live.amount TO callslip_reader;
                 SET LOCAL ROLE callslip_reader",
            )
            .await
            .unwrap();
        let before = state(transaction.client()).await;
        let host = Host::builder().reflect_on(&mut transaction).start(&config).await.unwrap();
        if let Err(refusal) = host.generation().plugin("amounts").unwrap() {
            panic!("{refusal}");
        }
        assert_eq!(state(transaction.client()).await, before);
        let call = || host.call("amounts", "amounts");
        assert_eq!(read(call().on(&mut transaction)).await.unwrap(), json!([{"id": 7, "amount": 70}]));
        let of_unit = host.call("amounts", "of_unit").param("unit", "cent");
        assert_eq!(read(of_unit.on(&mut transaction)).await.unwrap()["ids"], json!([{"id": 7}]));
        // Nobody else has it.
        let error = read(call().on(&mut client)).await.unwrap_err();
        assert_eq!(error.code(), Code::StaleStatement, "{}", error.log_message());
        transaction.execute("RESET ROLE", &[]).await.unwrap();
        transaction.execute("UPDATE live.amount SET amount = 71", &[]).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(read(call().on(&mut client)).await.unwrap(), json!([{"id": 7, "amount": 71}]));
    }
    // What is rolled back was never there.
    let mut transaction = owner.transaction().await.unwrap();
    transaction.batch_execute("DROP TABLE live.amount; SET LOCAL ROLE callslip_reader").await.unwrap();
    let host = Host::builder().reflect_on(&mut transaction).start(&config).await.unwrap();
    assert!(host.generation().plugin("amounts").unwrap().is_err());
    transaction.rollback().await.unwrap();
    host.refresh_on(&mut client).await.unwrap();
    let call = host.call("amounts", "amounts");
    assert_eq!(read(call.on(&mut client)).await.unwrap(), json!([{"id": 7, "amount": 71}]));
}

#[tokio::test]
async fn an_aborted_transaction_is_not_reflected_and_stays_as_it_was() {
    let service = Service::new("embed_aborted").await;
    let mut client = service.connect().await;
    let config = config(&[fragile()]);
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1 / 0").await.unwrap_err();
    let error = Host::builder().reflect_on(&mut transaction).start(&config).await.err().unwrap();
    assert_eq!(error.code(), Code::TransactionAborted, "{error}");
    transaction.rollback().await.unwrap();
    // The connection serves all the same; also where the driver does not know of the transaction.
    client.batch_execute("BEGIN").await.unwrap();
    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    assert!(read(host.call("fragile", "ids").on(&mut client)).await.is_ok());
    let open = client.query_typed("SELECT now() < statement_timestamp()", &[]).await.unwrap();
    assert!(open[0].get::<_, bool>(0), "the transaction is still open");
    client.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn a_service_can_make_routes_of_the_plugins() {
    let service = Service::new("embed_plugins").await;
    let (owner, mut client) = (service.owner().await, service.connect().await);
    let mut config = config(&[fragile(), hiring()]);
    config.plugins.insert("missing".to_owned(), {
        let mut missing = config.plugins["hiring"].clone();
        missing.component = "/nowhere/missing.wasm".into();
        missing
    });
    let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
    let before = host.plugins();
    let names: Vec<&str> = before.iter().map(|plugin| plugin.name()).collect();
    assert_eq!(names, ["fragile", "hiring", "missing"]);
    let [fragile, hiring, missing] = &before[..] else { panic!("{names:?}") };

    assert_eq!(hiring.standing(), Standing::Served);
    let funnel = hiring.queries().iter().find(|query| query.name() == "funnel").unwrap();
    assert!(funnel.is_served() && !funnel.is_open() && !funnel.is_complete(), "one shape of four");
    assert_eq!(funnel.doc(), "Started and completed interviews of each position.");
    let parameters: Vec<&str> = funnel.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(parameters, ["company", "open", "since", "limit"]);
    assert_eq!(funnel.parameters()[0].doc, "The company whose positions to count.");
    let [only] = funnel.statements() else { panic!("{:?}", funnel.statements()) };
    let columns: Vec<_> =
        only.columns.iter().map(|its| (its.name.as_str(), its.type_name.as_str())).collect();
    assert_eq!(columns, [("id", "int4"), ("title", "text"), ("started", "int8"), ("completed", "int8")]);

    assert_eq!(missing.standing(), Standing::Refused);
    assert!(missing.queries().is_empty() && missing.loaded().is_none());
    assert_eq!(missing.refusal().unwrap().findings[0].finding.code, Code::ComponentUnreadable);

    // A part of it is served: which, is told too; and what was asked for before is as it was.
    assert_eq!(fragile.standing(), Standing::Served);
    owner.batch_execute("ALTER TABLE live.fragile RENAME COLUMN name TO title").await.unwrap();
    host.refresh_on(&mut client).await.unwrap();
    let degraded = &host.plugins()[0];
    assert_eq!((degraded.standing(), fragile.standing()), (Standing::Degraded, Standing::Served));
    let served: Vec<_> = degraded.queries().iter().map(|query| (query.name(), query.is_served())).collect();
    assert_eq!(served, [("names", false), ("ids", true)]);
    assert!(degraded.queries()[0].statements().is_empty() && degraded.refusal().is_some());
}

#[tokio::test]
async fn hosts_share_an_engine_if_they_are_told_to() {
    let service = Service::new("embed_engine").await;
    let mut client = service.connect().await;
    let configs = [config(&[fragile()]), config(&[amounts()])];
    let engine = Engine::new(&configs[0].limits.plugin()).unwrap();
    for config in &configs {
        let host = Host::builder().reflect_on(&mut client).engine(&engine).start(config).await.unwrap();
        assert!(host.generation().plugins().all(|(_, plugin)| plugin.is_ok()));
    }
    let mut other = configs[0].clone();
    other.limits.shapes = 2;
    let error = Host::builder().reflect_on(&mut client).engine(&engine).start(&other).await.err().unwrap();
    assert!(matches!(error, StartError::OtherLimits), "{error}");
    assert!(error.to_string().contains("config.limits.plugin()"), "{error}");
}
