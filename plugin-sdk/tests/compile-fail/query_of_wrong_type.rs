use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

#[query]
fn titles() -> Vec<String> {
    let pos = Position::alias("p");
    select(pos.title).from(pos)
}

fn main() {}
