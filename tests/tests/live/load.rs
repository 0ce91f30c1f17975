//! The database changes while 64 clients query.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callslip::{Code, Host, Standing};
use callslip_tests::component;
use serde_json::json;

use crate::support::{LISTEN, Live, amounts, call, fragile, has_column, read, until};

const CLIENTS: usize = 64;

/// What the clients ask in turn.
const QUERIES: [(&str, &str); 6] = [
    ("hiring", "funnel"),
    ("fragile", "names"),
    ("amounts", "amounts"),
    ("hiring", "overview"),
    ("fragile", "ids"),
    ("amounts", "two"),
];

/// What became of the clients' calls.
#[derive(Default)]
struct Told {
    answered: AtomicUsize,
    failures: Mutex<Vec<(&'static str, &'static str, Code, String)>>,
    ended: AtomicBool,
}

async fn client(host: Host, number: usize, told: Arc<Told>) {
    for turn in number.. {
        if told.ended.load(Ordering::Relaxed) {
            return;
        }
        let (plugin, query) = QUERIES[turn % QUERIES.len()];
        let mut call = host.call(plugin, query);
        if plugin == "hiring" {
            call = call.param("company", 1);
        }
        let outcome = async { read(call.run().await?).await };
        match outcome.await {
            Ok(_) => _ = told.answered.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                told.failures.lock().unwrap().push((plugin, query, error.code(), error.log_message()));
            }
        }
        // Clients that leave the machine no time would measure nothing but that.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_but_who_asks_for_what_is_gone() {
    let live = Live::new("load").await;
    // It depends on columns that are to change.
    live.execute("DROP VIEW interview_card").await;
    let hiring = component("example-plugins/hiring");
    let ((fragile, of_fragile), (amounts, of_amounts)) = (fragile(), amounts());
    let of_hiring = r#""answer", "candidate", "candidate_tag", "company", "interview", "position", "question",
                       "reviewer", "tag", "rating""#;
    let plugins = [
        ("hiring", hiring.as_path(), of_hiring),
        ("fragile", fragile.as_path(), of_fragile),
        ("amounts", amounts.as_path(), of_amounts),
    ];
    let host = live.host(&plugins).await;
    for (name, plugin) in host.generation().plugins() {
        plugin.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    let _watch = host.watch(LISTEN).unwrap();
    until("it has looked", async || host.catalog_status().checked_at > host.generation().reflected_at())
        .await;
    let told = Arc::new(Told::default());
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(host.clone(), number, told.clone()))).collect();
    let answered = async |more: usize| {
        let now = told.answered.load(Ordering::Relaxed);
        until("calls are answered", async || told.answered.load(Ordering::Relaxed) >= now + more).await;
    };
    answered(CLIENTS).await;

    // What nobody's statements are about: seen within a second, as far as this machine has time for it.
    let mut fastest = Duration::MAX;
    for number in 1..=5 {
        let began = Instant::now();
        live.execute(&format!("ALTER TABLE position ADD COLUMN extra{number} int")).await;
        let committed = began.elapsed();
        until("the column is seen", async || {
            has_column(&host, "public", "position", &format!("extra{number}"))
        })
        .await;
        fastest = fastest.min(began.elapsed() - committed);
    }
    assert!(fastest < Duration::from_secs(1), "a new column is seen after {fastest:?}");
    for sql in [
        "CREATE INDEX ON interview (position_id, status)",
        "COMMENT ON COLUMN live.amount.amount IS 'in cents'",
        // Prepared statements of a plugin now have another type.
        "ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint",
        "CREATE TABLE live.later (id int); GRANT SELECT ON live.later TO callslip_reader",
        "REVOKE SELECT ON live.later FROM callslip_reader",
    ] {
        let checked = host.catalog_status().checked_at;
        live.execute(sql).await;
        until(sql, async || host.catalog_status().checked_at > checked).await;
        answered(CLIENTS).await;
    }
    assert_eq!(*told.failures.lock().unwrap(), [], "nothing that a plugin needs has gone yet");

    // What one query of one plugin reads.
    live.execute("ALTER TABLE live.fragile RENAME COLUMN name TO title").await;
    let standing = async |wanted| host.generation().standing("fragile") == Some(wanted);
    until("it is degraded", async || standing(Standing::Degraded).await).await;
    let failed = || told.failures.lock().unwrap().len();
    until("its query fails", async || failed() > 0).await;
    answered(CLIENTS).await;
    live.execute("ALTER TABLE live.fragile RENAME COLUMN title TO name").await;
    until("it is healthy", async || standing(Standing::Served).await).await;
    call(&host, "fragile", "names").await.unwrap();
    let failures = std::mem::take(&mut *told.failures.lock().unwrap());
    for failure in &failures {
        assert_eq!((failure.0, failure.1), ("fragile", "names"), "{failure:?}");
    }
    let codes: BTreeSet<Code> = failures.iter().map(|failure| failure.2).collect();
    assert_eq!(codes, BTreeSet::from([Code::PluginDegraded]), "{failures:#?}");

    // What all of one plugin reads.
    answered(CLIENTS).await;
    live.execute("REVOKE SELECT ON live.fragile FROM callslip_reader").await;
    until("it is refused", async || standing(Standing::Refused).await).await;
    answered(CLIENTS).await;
    live.execute("GRANT SELECT ON live.fragile TO callslip_reader").await;
    until("it is healthy", async || standing(Standing::Served).await).await;
    answered(CLIENTS).await;
    told.ended.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    for failure in told.failures.lock().unwrap().iter() {
        assert_eq!(failure.0, "fragile", "{failure:?}");
    }
    let rows = call(&host, "amounts", "amounts").await.unwrap();
    assert_eq!(rows, json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]));
    println!(
        "{} calls answered; a new column was seen after {fastest:?}",
        told.answered.load(Ordering::Relaxed)
    );
}
