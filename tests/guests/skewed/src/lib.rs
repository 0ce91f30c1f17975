//! Queries of tenants of very different size, for whose values different plans are good.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Of {
    tenant: Arg<i32>,
}

/// The newest event of a tenant. Of a large one it is among the newest of all; of a small one it is better looked up.
fn newest(tenant: Arg<i32>) -> One {
    let e = table("event").alias("e");
    select(max(e.col("id")).alias("newest")).from(e).filter(e.col("tenant").eq(tenant)).one()
}

/// Planned as PostgreSQL chooses.
#[query(example(tenant = 1))]
fn plain(p: Of) -> One {
    newest(p.tenant)
}

/// The same, planned for the values of each call.
#[query(plan = custom, example(tenant = 1))]
fn custom(p: Of) -> One {
    newest(p.tenant)
}

#[derive(Reply)]
struct Two {
    event: One,
    events: One,
}

/// Two statements, both planned for the values of each call.
#[query(plan = custom, example(tenant = 1))]
fn custom_two(p: Of) -> Two {
    let e = table("event").alias("e");
    let events = select(count_all().alias("events")).from(e).filter(e.col("tenant").eq(p.tenant));
    Two { event: newest(p.tenant), events: events.one() }
}

export_plugin!(plain, custom, custom_two);
