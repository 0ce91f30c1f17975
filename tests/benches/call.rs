//! What a plugin costs: a call of a closed query beside the same statement by hand, on a connection of the host's own
//! and on a caller's transaction; an open query whose code runs for each new value; and the loading of a plugin.
//!
//! `make bench`. Read the ratios: the absolute figures are those of one machine on one day.

use std::hint::black_box;
use std::time::{Duration, Instant};

use callslip::Host;
use callslip_tests::{component, connect_to, database};
use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use deadpool_postgres::{Manager, Object, Pool};
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

const BY_HAND: &str = "SELECT id, title FROM public.position AS p WHERE id = $1";

fn config() -> String {
    let component = component("tests/guests/language");
    format!(
        "[plugins.language]\ncomponent = {component:?}\n[plugins.language.grants]\nrelations = [\"company\", \
         \"position\", \"candidate\", \"reviewer\", \"interview\", \"answer\", \"rating\", \"question\"]\n"
    )
}

async fn read(call: callslip::Call<'_>) -> usize {
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let mut bytes = 0;
    while let Some(chunk) = reply.next_chunk().await.unwrap_or_else(|error| panic!("{}", error.log_message()))
    {
        bytes += chunk.len();
    }
    bytes
}

async fn prepared() -> (Client, Statement) {
    let client = connect_to(&database().url()).await;
    let statement = client.prepare(BY_HAND).await.expect("a statement");
    (client, statement)
}

fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let host: Host = runtime.block_on(database().host(&config()));
    let (client, statement) = runtime.block_on(prepared());

    let mut group = criterion.benchmark_group("one row by key");
    group.bench_function("by hand, prepared", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let row = client.query_one(&statement, &[&7_i32]).await.expect("a row");
            black_box((row.get::<_, i32>(0), row.get::<_, String>(1)))
        });
    });
    group.bench_function("closed query", |bencher| {
        bencher.to_async(&runtime).iter(|| read(host.call("language", "position").param("id", 7)));
    });
    group.finish();
    lent(criterion, &runtime, &host);

    let mut group = criterion.benchmark_group("open query");
    group.bench_function("value seen before", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| read(host.call("language", "search").param("words", "no such title")));
    });
    let mut number = 0_u64;
    group.bench_function("new value: plan, verify, describe, run", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            number += 1;
            read(host.call("language", "search").param("words", format!("no such title {number}")))
        });
    });
    group.finish();
}

/// Measures in a task of the runtime, as a service calls. The connection goes into it and comes back.
fn in_task<C: Send + 'static, F: Future<Output = (Duration, C)> + Send + 'static>(
    bencher: &mut Bencher<'_>,
    runtime: &Runtime,
    connection: &mut Option<C>,
    task: impl Fn(u64, C) -> F,
) {
    bencher.iter_custom(|times| {
        let task = task(times, connection.take().expect("the connection comes back"));
        let (elapsed, back) = runtime.block_on(runtime.spawn(task)).expect("the task ends");
        *connection = Some(back);
        elapsed
    });
}

/// In an open transaction: one of a pool whose sessions keep statements prepared, and one of a bare client.
fn lent(criterion: &mut Criterion, runtime: &Runtime, host: &Host) {
    let manager = Manager::new(database().connection().config().clone(), NoTls);
    let pool = Pool::builder(manager).max_size(1).build().expect("a pool");
    let mut object = Some(runtime.block_on(pool.get()).expect("a connection"));
    let (client, _) = runtime.block_on(prepared());
    let mut client = Some(client);

    let mut group = criterion.benchmark_group("one row by key in an open transaction, prepared");
    group.bench_function("by hand", |bencher| {
        in_task(bencher, runtime, &mut object, |times, mut object: Object| async move {
            let transaction = object.transaction().await.expect("a transaction");
            let start = Instant::now();
            for _ in 0..times {
                let statement = transaction.prepare_cached(BY_HAND).await.expect("a statement");
                let row = transaction.query_one(&statement, &[&7_i32]).await.expect("a row");
                black_box((row.get::<_, i32>(0), row.get::<_, String>(1)));
            }
            let elapsed = start.elapsed();
            drop(transaction);
            (elapsed, object)
        });
    });
    group.bench_function("closed query", |bencher| {
        in_task(bencher, runtime, &mut object, |times, mut object: Object| {
            let host = host.clone();
            async move {
                let mut transaction = object.transaction().await.expect("a transaction");
                let start = Instant::now();
                for _ in 0..times {
                    read(host.call("language", "position").param("id", 7).on(&mut transaction)).await;
                }
                let elapsed = start.elapsed();
                drop(transaction);
                (elapsed, object)
            }
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("one row by key in an open transaction, bare");
    group.bench_function("by hand", |bencher| {
        in_task(bencher, runtime, &mut client, |times, mut client: Client| async move {
            let transaction = client.transaction().await.expect("a transaction");
            let start = Instant::now();
            for _ in 0..times {
                let rows = transaction.query_typed(BY_HAND, &[(&7_i32, Type::INT4)]).await.expect("a row");
                black_box((rows[0].get::<_, i32>(0), rows[0].get::<_, String>(1)));
            }
            let elapsed = start.elapsed();
            drop(transaction);
            (elapsed, client)
        });
    });
    group.bench_function("closed query", |bencher| {
        in_task(bencher, runtime, &mut client, |times, mut client: Client| {
            let host = host.clone();
            async move {
                let mut transaction = client.transaction().await.expect("a transaction");
                let start = Instant::now();
                for _ in 0..times {
                    read(host.call("language", "position").param("id", 7).on(&mut transaction)).await;
                }
                let elapsed = start.elapsed();
                drop(transaction);
                (elapsed, client)
            }
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("one row by key on an idle client, closed query");
    group.bench_function("prepared", |bencher| {
        in_task(bencher, runtime, &mut object, |times, mut object: Object| {
            let host = host.clone();
            async move {
                let start = Instant::now();
                for _ in 0..times {
                    read(host.call("language", "position").param("id", 7).on(&mut object)).await;
                }
                (start.elapsed(), object)
            }
        });
    });
    group.bench_function("bare", |bencher| {
        in_task(bencher, runtime, &mut client, |times, mut client: Client| {
            let host = host.clone();
            async move {
                let start = Instant::now();
                for _ in 0..times {
                    read(host.call("language", "position").param("id", 7).on(&mut client)).await;
                }
                (start.elapsed(), client)
            }
        });
    });
    group.finish();
}

fn load(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let text = config();
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    group.bench_function("start a host: reflect, compile and prove a plugin of 17 queries", |bencher| {
        bencher.to_async(&runtime).iter(|| database().host(&text));
    });
    group.finish();
}

criterion_group!(benches, calls, load);
criterion_main!(benches);
