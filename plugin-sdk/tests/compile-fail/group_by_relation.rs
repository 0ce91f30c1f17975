use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(count_all()).from(pos).group_by(rollup((pos.id, pos)))
}

fn main() {}
