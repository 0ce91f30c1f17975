use callslip_sdk::prelude::*;
use callslip_test_tables::{Interview, Position};

fn query() -> Select {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    select(pos.id).from(pos).join(i, i.position_id)
}

fn main() {}
