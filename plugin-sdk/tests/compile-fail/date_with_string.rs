use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(pos.opened_on.ge("2026-01-31"))
}

fn main() {}
