use callslip_sdk::prelude::*;
use callslip_test_tables::{Candidate, Interview};

fn query() -> Select {
    let (c, i) = (Candidate::alias("c"), Interview::alias("i"));
    select(i.id).from(i).join(c, i.position().eq(c))
}

fn main() {}
