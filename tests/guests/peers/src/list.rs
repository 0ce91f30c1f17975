//! The newest twenty, in the order of an index.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, Interview, InterviewStatus};

#[derive(Params)]
pub struct List {
    /// The position whose interviews to list.
    position_id: Arg<i32>,
    /// How far they are.
    status: Arg<InterviewStatus>,
    /// Not older than this.
    since: Arg<Timestamptz>,
}

/// The newest interviews of a position.
#[query(example(position_id = 1, status = "completed", since = "2024-06-01T00:00:00Z"))]
pub fn q2(p: List) -> Select {
    let (i, c) = (Interview::alias("i"), Candidate::alias("c"));
    select((
        i.id.alias("interview_id"),
        i.status.cast::<String>().alias("status"),
        i.created_at,
        i.completed_at,
        c.id.alias("candidate_id"),
        c.name.alias("candidate_name"),
        c.country,
    ))
    .from(i)
    .join(c, i.candidate().eq(c))
    .filter(i.position_id.eq(p.position_id))
    .filter(i.status.eq(p.status))
    .filter(i.created_at.ge(p.since))
    .order_by((i.created_at.desc(), i.id.desc()))
    .limit(20)
}
