//! A LEFT JOIN with a condition in ON: what it leaves out is the interview, and not the position.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, Position};

#[derive(Params)]
pub struct Progress {
    /// The company whose positions to look through.
    company: Arg<i32>,
    /// How many days back.
    #[param(default = 30, range = 1..=36500)]
    days: Arg<i32>,
}

/// How many interviews of each open position were completed lately: zero where none was.
#[query(example(company = 1), example(company = 1, days = 3650))]
pub fn progress(p: Progress) -> Select {
    let (pos, i) = (Position::alias("p"), Interview::alias("i"));
    let lately = i.completed_at.ge(now() - days(p.days));
    select((pos.id, pos.title, count(i.id).alias("completed"), max(i.completed_at).alias("last")))
        .from(pos)
        .left_join(i, i.position().eq(pos).and(lately)) // in WHERE it would leave out the position
        .filter(pos.company_id.eq(p.company))
        .filter(pos.closed_at.is_null())
        .group_by(pos.id)
        .order_by((output("completed").desc(), pos.id))
}
