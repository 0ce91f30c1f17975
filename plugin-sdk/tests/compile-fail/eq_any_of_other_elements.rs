use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query(ids: Arg<Vec<i32>>) -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(pos.title.eq_any(ids))
}

fn main() {}
