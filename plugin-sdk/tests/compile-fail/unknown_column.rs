use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.titel).from(pos)
}

fn main() {}
