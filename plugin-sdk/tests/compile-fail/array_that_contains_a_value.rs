use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(array([pos.id]).contains(1))
}

fn main() {}
