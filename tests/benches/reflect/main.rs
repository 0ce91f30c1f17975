//! How long it takes to reflect a database of 1,000 tables with 20 columns each, beside SQLAlchemy's Inspector on the same
//! database; and to write and read its snapshot.
//!
//! `make bench ARGS='--bench reflect'`. Read the ratios: the absolute figures are those of one machine on one day. Callslip reads
//! more than it is compared with: types, functions, operators, casts, collations, privileges and policies.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use callslip::catalog::{Contents, Snapshot, reflect};
use callslip::cluster::{Cluster, ClusterOptions};
use callslip::grants::GrantSettings;
use callslip_tests::connect;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

/// How often each side of the comparison reads the database.
const RUNS: usize = 11;
/// The Python that has SQLAlchemy, which `host/setup/sqlalchemy.sh` prints.
const PYTHON: &str = "CALLSLIP_SQLALCHEMY_PYTHON";

async fn database() -> (Cluster, Client) {
    let options = ClusterOptions::default().setting("max_locks_per_transaction", "1024");
    let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
    let client = connect(&cluster.config()).await;
    client.batch_execute(include_str!("tables.sql")).await.expect("the tables");
    client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
    (cluster, client)
}

fn snapshot(contents: Contents) -> Snapshot {
    let builtin = GrantSettings::default();
    Snapshot::new(contents, vec!["public".to_owned()], |function| builtin.may_call(function))
}

fn reflected(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (cluster, client) = runtime.block_on(database());
    let contents = runtime.block_on(reflect(&client)).expect("a catalog");
    let columns: usize = contents.relations.iter().map(|relation| relation.columns.len()).sum();
    assert_eq!((contents.relations.len(), columns), (1_000, 20_000));
    let text = snapshot(contents.clone()).to_json();

    let mut group = criterion.benchmark_group("1,000 tables of 20 columns");
    group.bench_function("reflect", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(reflect(&client).await.expect("a catalog")) });
    });
    group.bench_function("make and write a snapshot", |bencher| {
        bencher.iter_batched(
            || contents.clone(),
            |contents| snapshot(contents).to_json(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("read a snapshot", |bencher| {
        bencher.iter(|| Snapshot::read(black_box(&text)).expect("a snapshot"));
    });
    group.finish();

    println!("The snapshot has {:.1} MB.", text.len() as f64 / 1e6);
    compare(&runtime, &client, &cluster.url("postgres"));
}

/// Prints the medians of both.
fn compare(runtime: &Runtime, client: &Client, url: &str) {
    let own = median((0..RUNS).map(|_| {
        let start = Instant::now();
        black_box(runtime.block_on(reflect(client)).expect("a catalog"));
        start.elapsed()
    }));
    println!("Callslip: {:.0} ms", own.as_secs_f64() * 1e3);
    let Some(python) = std::env::var_os(PYTHON).filter(|python| !python.is_empty()) else {
        println!("SQLAlchemy: not here; {PYTHON} names a Python that has it, as `make bench` does.");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/reflect/sqlalchemy_inspector.py");
    let output = Command::new(python)
        .arg(script)
        .args([url.replacen("postgresql:", "postgresql+psycopg:", 1), RUNS.to_string()])
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for (what, name) in
        [("inspector", "SQLAlchemy's Inspector, in bulk"), ("metadata", "SQLAlchemy's MetaData.reflect()")]
    {
        let found = &told[what]["found"];
        assert_eq!(
            (found["tables"].as_u64(), found["columns"].as_u64()),
            (Some(1_000), Some(20_000)),
            "{found}"
        );
        let seconds = told[what]["seconds"].as_array().expect("the runs").iter();
        let median = median(seconds.map(|run| Duration::from_secs_f64(run.as_f64().expect("seconds"))));
        let ratio = median.as_secs_f64() / own.as_secs_f64();
        println!("{name}: {:.0} ms, {ratio:.1} times as long", median.as_secs_f64() * 1e3);
    }
}

fn median(runs: impl Iterator<Item = Duration>) -> Duration {
    let mut runs: Vec<_> = runs.collect();
    runs.sort();
    runs[runs.len() / 2]
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = reflected
}
criterion_main!(benches);
