//! A count of everything and of a part, side by side: an aggregate with FILTER.

#![allow(clippy::needless_borrows_for_generic_args, reason = "relations are taken by reference or by value")]

use callslip_sdk::prelude::*;

#[derive(Params)]
pub struct Funnel {
    /// The company whose positions to count.
    company: Arg<i32>,
    /// Only positions that are still open.
    #[param(default = true)]
    open: bool, // seen: two shapes
    since: Option<Arg<Timestamptz>>, // presence is seen: twice as many
    #[param(default = 50, range = 1..=500)]
    limit: Arg<u32>,
}

/// Started and completed interviews of each position.
#[query(example(company = 1))]
pub fn funnel(p: Funnel) -> Select {
    let (pos, i) = (table("position").alias("p"), table("interview").alias("i"));
    select((
        pos.col("id"),
        pos.col("title"),
        count(i.col("id")).alias("started"),
        count(i.col("id")).filter(i.col("status").eq("completed")).alias("completed"),
    ))
    .from(&pos)
    .left_join(&i, i.col("position_id").eq(pos.col("id")))
    .filter(pos.col("company_id").eq(p.company))
    .filter(p.open.then(|| pos.col("closed_at").is_null())) // None adds nothing
    .filter(p.since.map(|t| i.col("created_at").ge(t)))
    .group_by(pos.col("id"))
    .order_by(pos.col("title").asc())
    .limit(p.limit)
}
