use callslip_sdk::prelude::*;

#[query(plan = generic)]
fn unknown() -> Select {
    select(1)
}

#[query(plan = "custom")]
fn text() -> Select {
    select(1)
}

#[query(plan =)]
fn nothing() -> Select {
    select(1)
}

#[query(plan)]
fn bare() -> Select {
    select(1)
}

#[query(plan = custom, plan = auto)]
fn twice() -> Select {
    select(1)
}

#[query(plans = custom)]
fn other() -> Select {
    select(1)
}

fn main() {}
