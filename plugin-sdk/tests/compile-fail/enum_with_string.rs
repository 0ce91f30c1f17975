use callslip_sdk::prelude::*;
use callslip_test_tables::Interview;

fn query() -> Select {
    let i = Interview::alias("i");
    select(i.id).from(i).filter(i.status.eq("completed"))
}

fn main() {}
