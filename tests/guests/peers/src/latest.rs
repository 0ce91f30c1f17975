//! Three levels of totals over the latest row of each group: GROUPING SETS over LATERAL.

use callslip_sdk::prelude::*;

use crate::tables::{Interview, InterviewStatus, Position, Rating};

#[derive(Params)]
pub struct Latest {
    /// The company whose positions to look through.
    company_id: Arg<i32>,
    /// Not older than this.
    since: Arg<Timestamptz>,
}

/// Interviews and their latest ratings by position and status, by position, and in all.
#[query(example(company_id = 1, since = "2024-03-01T00:00:00Z"))]
pub fn q6(params: Latest) -> Select {
    let (p, i, r) = (Position::alias("p"), Interview::alias("i"), Rating::alias("r"));
    let last = subquery!("last", { score: r.score, created_at: r.created_at }, |s| {
        s.from(r).filter(r.interview().eq(i)).order_by((r.created_at.desc(), r.id.desc())).limit(1)
    });
    let wanted = i.created_at.ge(params.since).and(i.status.ne(InterviewStatus::Withdrawn));
    let level = grouping((p.id, i.status));
    select((
        p.id.alias("position_id"),
        i.status.cast::<String>().alias("status"),
        level.alias("level"),
        count(i.id).alias("interviews"),
        count(last.score).alias("rated"),
        call("round", (avg(last.score), 3)).cast::<f64>().alias("avg_latest_score"),
        max(last.created_at).alias("last_rated_at"),
    ))
    .from(p)
    .left_join(i, i.position().eq(p).and(wanted))
    .left_join_lateral(last, true)
    .filter(p.company_id.eq(params.company_id))
    .group_by(grouping_sets(((p.id, i.status), (p.id,), ())))
    .order_by((level, p.id, i.status))
}
