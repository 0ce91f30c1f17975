use callslip_sdk::prelude::*;
use callslip_test_tables::Interview;

fn query() -> Select {
    let i = Interview::alias("i");
    select(i.id).from(i).filter(i.completed_at.lt("2026-01-31T00:00:00Z"))
}

fn main() {}
