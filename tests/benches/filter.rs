//! What a row filter costs: one row of a million by its key, with a filter and without.
//!
//! `make bench`. Read the ratio.

use callslip::Host;
use callslip_tests::{component, database};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

/// A million positions of a thousand companies, before those of the data in the schemas that are searched.
const MILLION: &str = "
    CREATE SCHEMA filter_bench;
    CREATE TABLE filter_bench.position (LIKE public.position INCLUDING ALL);
    INSERT INTO filter_bench.position
    SELECT (jsonb_populate_record(p, jsonb_build_object('id', n, 'company_id', n % 1000))).*
    FROM (SELECT p FROM public.position p LIMIT 1) AS any_one (p), generate_series(1, 1000000) n;
    CREATE INDEX ON filter_bench.position (company_id);
    ANALYZE filter_bench.position;
    GRANT USAGE ON SCHEMA filter_bench TO PUBLIC;
    GRANT SELECT ON filter_bench.position TO PUBLIC";

fn config(filters: &str) -> String {
    let component = component("tests/guests/language");
    format!(
        "[database]\nschemas = [\"filter_bench\", \"public\"]\n{filters}\n[plugins.language]\ncomponent = {component:?}\n\
         [plugins.language.grants]\nrelations = [\"company\", \"position\", \"candidate\", \"reviewer\", \"interview\", \
         \"answer\", \"rating\", \"question\"]\n"
    )
}

async fn read(host: &Host) -> usize {
    let call = host.call("language", "position").param("id", 123_456).claim("company", 456);
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let mut bytes = 0;
    while let Some(chunk) = reply.next_chunk().await.unwrap_or_else(|error| panic!("{}", error.log_message()))
    {
        bytes += chunk.len();
    }
    assert!(!reply.is_missing(), "there is such a row");
    bytes
}

fn filtered(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(database().execute(MILLION));
    let mut group = criterion.benchmark_group("one row of a million by key");
    for (name, filters) in [
        ("no filter", ""),
        ("filter", "[filters]\nposition = \"company_id = claim('company')\""),
        (
            "filter that asks another table",
            "[filters]\nposition = \"EXISTS (SELECT 1 FROM public.company c WHERE c.id = position.company_id % 2 + 1 AND \
             c.id <= claim('company'))\"",
        ),
    ] {
        let host: Host = runtime.block_on(database().host(&config(filters)));
        group.bench_function(name, |bencher| bencher.to_async(&runtime).iter(|| read(&host)));
    }
    group.finish();
}

criterion_group!(benches, filtered);
criterion_main!(benches);
