use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.remote.add(1)).from(pos)
}

fn main() {}
