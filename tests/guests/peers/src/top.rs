//! The first three of each group: a window over a CTE.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, Interview, Position, Rating};

#[derive(Params)]
pub struct Top {
    /// The company whose positions to look through.
    company_id: Arg<i32>,
}

/// The candidates of each position with the highest average rating.
#[query(example(company_id = 1))]
pub fn q4(params: Top) -> Select {
    let (p, i, r, c) =
        (Position::alias("p"), Interview::alias("i"), Rating::alias("r"), Candidate::alias("c"));
    let scored = cte!(
        "scored",
        {
            position_id: i.position_id,
            candidate_id: i.candidate_id,
            avg_score: avg(r.score),
            ratings: count_all(),
        },
        |s| {
            s.from(p)
                .join(i, i.position().eq(p))
                .join(r, r.interview().eq(i))
                .filter(p.company_id.eq(params.company_id))
                .group_by((i.position_id, i.candidate_id))
                .having(count_all().ge(3))
        }
    );
    let best_first = window().partition_by(scored.position_id).order_by((
        scored.avg_score.desc(),
        scored.ratings.desc(),
        scored.candidate_id,
    ));
    let ranked = cte!(
        "ranked",
        {
            position_id: scored.position_id,
            candidate_id: scored.candidate_id,
            avg_score: scored.avg_score,
            ratings: scored.ratings,
            place: row_number().over(best_first),
        },
        |s| s.from(scored)
    );
    select((
        ranked.position_id,
        p.title.alias("position_title"),
        ranked.place,
        ranked.candidate_id,
        c.name.alias("candidate_name"),
        call("round", (ranked.avg_score, 3)).cast::<f64>().alias("avg_score"),
        ranked.ratings,
    ))
    .from(ranked)
    .join(p, p.id.eq(ranked.position_id))
    .join(c, c.id.eq(ranked.candidate_id))
    .filter(ranked.place.le(3))
    .order_by((ranked.position_id, ranked.place))
}
