//! A filter and a permission check, written in functions that know nothing of each other, share one join: so both are about
//! the same rating. Two joins would find interviews that the caller rated and that anyone rated high.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, Position, Rating};

#[derive(Params)]
pub struct Interviews {
    /// The company whose interviews to list.
    company: Arg<i32>,
    /// Only interviews with a rating of this or more.
    #[param(range = 1.0..=5.0)]
    at_least: Option<Arg<Numeric>>,
    #[param(default = 50, range = 1..=500)]
    limit: Arg<u32>,
}

#[derive(Claims)]
pub struct Who {
    /// The reviewer who asks.
    user: Arg<i32>, // bound: the plugin never sees who it is
    /// Whether all of the company's interviews are theirs to see.
    admin: bool, // seen: two shapes
}

/// Interviews as a whole that were rated: for a reviewer, those that they rated themselves.
#[query(
    example(company = 1, claims(user = 3, admin = false)),
    example(company = 1, at_least = 4, claims(user = 3, admin = false)),
    example(company = 1, at_least = 4.5, limit = 10, claims(user = 3, admin = true))
)]
pub fn interviews(p: Interviews, who: Who) -> Select {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    let q = select((i.id, pos.title, i.completed_at))
        .distinct()
        .from(i)
        .join(pos, pos.id.eq(i.position_id))
        .filter(pos.company_id.eq(p.company))
        .order_by((i.completed_at.desc().nulls_last(), i.id))
        .limit(p.limit);
    let q = rated(q, i, p.at_least);
    visible(q, i, &who)
}

/// A filter.
fn rated(q: Select, i: Interview, at_least: Option<Arg<Numeric>>) -> Select {
    let Some(at_least) = at_least else { return q };
    let (q, r) = q.join_once("r", |r: Rating| r.interview().eq(i).and(r.answer_id.is_null()));
    q.filter(r.score.ge(at_least))
}

/// A permission check.
fn visible(q: Select, i: Interview, who: &Who) -> Select {
    if who.admin {
        return q;
    }
    let (q, r) = q.join_once("r", |r: Rating| r.interview().eq(i).and(r.answer_id.is_null()));
    q.filter(r.reviewer_id.eq(who.user))
}
