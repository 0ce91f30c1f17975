use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(pos.title.at(1).is_null())
}

fn main() {}
