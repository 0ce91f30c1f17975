use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query() -> Select {
    let pos = Position::alias("p");
    select(coalesce((pos.title, pos.company_id))).from(pos)
}

fn main() {}
