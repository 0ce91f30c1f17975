//! One table joined twice: two aliases are two relations, and each condition says which it means.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, Position, Rating};

#[derive(Params)]
pub struct Contested {
    /// The company whose interviews to look through.
    company: Arg<i32>,
    /// A rating is low when it is this or less.
    #[param(default = "2", range = 1.0..=5.0)]
    low: Arg<Numeric>,
    /// A rating is high when it is this or more.
    #[param(default = "4", range = 1.0..=5.0)]
    high: Arg<Numeric>,
    /// Only interviews that were created at that time or later.
    since: Option<Arg<Timestamptz>>,
    /// The most interviews to give.
    #[param(default = 20, range = 1..=200)]
    limit: Arg<u32>,
}

/// Interviews as a whole that one reviewer rated low and **others** rated high: who rated low, and how many disagree.
#[query(example(company = 1), example(company = 1, low = 1.5, high = 4.5, since = "2024-06-01T00:00:00Z"))]
pub fn contested(p: Contested) -> Select {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    let (low, high) = (Rating::alias("low"), Rating::alias("high"));
    select((
        i.id.alias("interview"),
        pos.title,
        low.reviewer_id.alias("reviewer"),
        low.score.alias("rated"),
        count_distinct(high.reviewer_id).alias("others"),
        avg(high.score).alias("others_average"),
    ))
    .from(i)
    .join(pos, pos.id.eq(i.position_id))
    .join(low, low.interview().eq(i).and(low.answer_id.is_null()))
    .join(high, all([high.interview().eq(i), high.answer_id.is_null(), high.reviewer_id.ne(low.reviewer_id)]))
    .filter(pos.company_id.eq(p.company))
    .filter(low.score.le(p.low))
    .filter(high.score.ge(p.high))
    .filter(p.since.map(|since| i.created_at.ge(since)))
    // The keys: PostgreSQL knows that a title belongs to the position, and a score to the rating.
    .group_by((i.id, pos.id, low.id))
    .order_by((output("others").desc(), i.id, low.id))
    .limit(p.limit)
}
