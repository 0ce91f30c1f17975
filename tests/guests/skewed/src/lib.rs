//! Queries of tenants of very different size, for whose values different plans are good.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Of {
    tenant: Arg<i32>,
}

/// The last events of a tenant. Of a large one the last of all are mostly its own; of a small one they are better
/// looked up.
fn last(tenant: Arg<i32>) -> Select {
    let e = table("event").alias("e");
    let (id, of) = (e.col("id"), e.col("tenant"));
    select((id, of)).from(e).filter(of.eq(tenant)).order_by(id.desc()).limit(10)
}

/// Planned as PostgreSQL chooses.
#[query(example(tenant = 1))]
fn latest(p: Of) -> Select {
    last(p.tenant)
}

/// The same, planned for the values of each call.
#[query(plan = custom, example(tenant = 1))]
fn latest_custom(p: Of) -> Select {
    last(p.tenant)
}

#[derive(Reply)]
struct Two {
    latest: Select,
    events: One,
}

/// Two statements, both planned for the values of each call.
#[query(plan = custom, example(tenant = 1))]
fn two_custom(p: Of) -> Two {
    let e = table("event").alias("e");
    let events = select(count_all().alias("events")).from(e).filter(e.col("tenant").eq(p.tenant));
    Two { latest: last(p.tenant), events: events.one() }
}

export_plugin!(latest, latest_custom, two_custom);
