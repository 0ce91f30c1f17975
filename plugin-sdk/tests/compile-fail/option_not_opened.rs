use callslip_sdk::prelude::*;
use callslip_test_tables::Position;

fn query(title: Option<Arg<String>>) -> Select {
    let pos = Position::alias("p");
    select(pos.id).from(pos).filter(pos.title.eq(title))
}

fn main() {}
