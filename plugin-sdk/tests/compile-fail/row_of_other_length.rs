use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(row((pos.id, pos.title)).eq(row((1, "a", 2))))
}

fn main() {}
