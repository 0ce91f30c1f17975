//! Whatever is described is what PostgreSQL's own parser reads: property tests over generated descriptions.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod choices;
mod constructs;
mod described;
mod fixture;
mod generate;
mod parsed;
mod property;
mod tree;

use callslip::catalog::reflect;
use callslip::cluster::{Cluster, ClusterOptions};
use tokio_postgres::{Client, NoTls};

use property::Subject;

/// How many descriptions are generated.
const DESCRIPTIONS: u64 = 10_000;

/// A PostgreSQL with the fixture, and the fixture as the host knows it.
async fn fixture() -> (Cluster, Client, Subject) {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let (client, connection) = cluster.config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(fixture::SQL).await.unwrap();
    let subject = Subject::new(reflect(&client).await.unwrap());
    (cluster, client, subject)
}

/// The bytes of a seed's description: more of them for some than for others.
fn bytes_of(seed: u64) -> Vec<u8> {
    choices::bytes_of(seed, 20 << (seed % 7))
}

#[tokio::test]
async fn explore() {
    let (_cluster, client, subject) = fixture().await;
    let count = std::env::var("COUNT").map_or(1000, |c| c.parse().unwrap());
    let (mut classes, mut ok) = (std::collections::BTreeMap::<String, (usize, String)>::new(), 0);
    for seed in 0..count {
        let bytes = bytes_of(seed);
        let class = |problem: &str| problem.lines().take(2).collect::<Vec<_>>().join(" ").chars().take(110).collect::<String>();
        match subject.hold(&bytes) {
            Ok(sql) => match client.prepare(&sql).await {
                Ok(_) => ok += 1,
                Err(error) => {
                    let e = error.as_db_error().map(|e| e.message().to_owned()).unwrap_or(error.to_string());
                    let entry = classes.entry(format!("PG {e}")).or_insert((0, String::new()));
                    entry.0 += 1;
                    if entry.1.is_empty() || sql.len() < entry.1.len() { entry.1 = sql.clone(); }
                }
            },
            Err(problem) => {
                let its = class(&problem);
                let entry = classes.entry(its.clone()).or_insert_with(|| {
                    let fewer = property::shrink(&bytes, |bytes| subject.hold(bytes).is_err_and(|p| class(&p) == its));
                    let p = subject.hold(&fewer).unwrap_err();
                    (0, p.chars().take(2500).collect::<String>())
                });
                entry.0 += 1;
            }
        }
    }
    for (class, (count, example)) in &classes {
        println!("\n=== {count} x {class}\n{example}");
    }
    println!("ok {ok} of {count}");
}
