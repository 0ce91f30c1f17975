//! The latest row of each group: a LATERAL subquery sees the row that it is joined to.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, Position, Rating, Reviewer};

#[derive(Params)]
pub struct Latest {
    /// The company whose interviews to list.
    company: Arg<i32>,
    #[param(default = 20, range = 1..=200)]
    limit: Arg<u32>,
}

/// The latest rating of each interview as a whole, with the newest interviews first; null where there is none.
#[query(example(company = 1))]
pub fn latest(p: Latest) -> Select {
    let (pos, i, r) = (Position::alias("p"), Interview::alias("i"), Rating::alias("r"));
    let newest = subquery!("newest", { score: r.score, at: r.created_at, by: r.reviewer_id }, |s| {
        s.from(r)
            .filter(r.interview().eq(i))
            .filter(r.answer_id.is_null())
            .order_by((r.created_at.desc(), r.id.desc()))
            .limit(1)
    });
    let who = Reviewer::alias("who");
    select((i.id, pos.title, newest.score, newest.at, who.name.alias("by")))
        .from(i)
        .join(pos, pos.id.eq(i.position_id))
        .left_join_lateral(newest, true)
        .left_join(who, who.id.eq(newest.by))
        .filter(pos.company_id.eq(p.company))
        .order_by((i.created_at.desc(), i.id))
        .limit(p.limit)
}
