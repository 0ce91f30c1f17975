//! A count of everything and of a part, side by side: an aggregate with FILTER.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, InterviewStatus, Position};

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
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    select((
        pos.id,
        pos.title,
        count(i.id).alias("started"),
        count(i.id).filter(i.status.eq(InterviewStatus::Completed)).alias("completed"),
    ))
    .from(pos)
    .left_join(i, i.position().eq(pos))
    .filter(pos.company_id.eq(p.company))
    .filter(p.open.then(|| pos.closed_at.is_null())) // None adds nothing
    .filter(p.since.map(|t| i.created_at.ge(t)))
    .group_by(pos.id)
    .order_by((pos.title, pos.id))
    .limit(p.limit)
}
