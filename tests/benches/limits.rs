//! What the largest descriptions cost: those that are refused, and those that are just within the limits, of as much of one
//! thing as goes in.
//!
//! `make bench`. From the bytes of the shape to the findings, or to the SQL.

use std::hint::black_box;

use callslip_ir::{Description, encoding};
use callslip_tests::{Verifier, heavy, oversized};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

fn limits(criterion: &mut Criterion) {
    let verifier = Runtime::new().expect("a runtime").block_on(Verifier::new());
    let read = |bytes: &[u8]| {
        let description: Description = encoding::decode(bytes).expect("it was encoded");
        verifier.print(&description).is_ok()
    };
    let mut group = criterion.benchmark_group("refused");
    for (what, description) in oversized() {
        let bytes = encoding::encode(&description);
        group.bench_function(what, |bencher| bencher.iter(|| read(black_box(&bytes))));
    }
    group.finish();
    let mut group = criterion.benchmark_group("just within the limits");
    for (what, _, description) in heavy() {
        let bytes = encoding::encode(&description);
        group.bench_function(what, |bencher| bencher.iter(|| read(black_box(&bytes))));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = limits
}
criterion_main!(benches);
