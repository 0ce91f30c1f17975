use callslip_sdk::prelude::*;
use callslip_test_tables::{Interview, Position};

fn query() -> Select {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    select(i.id).from(i).join(pos, i.position())
}

fn main() {}
