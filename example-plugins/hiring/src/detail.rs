//! One object, or 404; and a refusal, which is decided by what is seen of the caller.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, Interview, Position, Rating};

#[derive(Params)]
pub struct Detail {
    /// The interview.
    id: Arg<i64>,
}

#[derive(Claims)]
pub struct Who {
    /// The company of the caller.
    company: Arg<i32>,
    /// Whether the caller reviews interviews.
    reviewer: bool,
}

/// An interview of the caller's company. Only reviewers see one.
#[query(example(id = 1, claims(company = 1, reviewer = true)))]
pub fn detail(p: Detail, who: Who) -> Result<One> {
    if !who.reviewer {
        return Err(Failure::forbidden("only reviewers see interviews"));
    }
    let (pos, c, i, r) =
        (Position::alias("p"), Candidate::alias("c"), Interview::alias("i"), Rating::alias("r"));
    let average = select(avg(r.score)).from(r).filter(r.interview().eq(i)).filter(r.answer_id.is_null());
    Ok(select((
        i.id,
        i.status,
        pos.title,
        c.name.alias("candidate"),
        c.profile.get_text("headline").alias("headline"),
        average.scalar().alias("average"),
    ))
    .from(i)
    .join(pos, pos.id.eq(i.position_id))
    .join(c, c.id.eq(i.candidate_id))
    .filter(i.id.eq(p.id))
    .filter(pos.company_id.eq(who.company))
    .one())
}
