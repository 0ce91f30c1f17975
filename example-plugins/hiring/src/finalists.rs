//! The top of each group: a window function numbers the rows of a CTE, and the query around it takes the first few.

use callslip_sdk::prelude::*;

use crate::tables::{Candidate, Interview, Position, Rating};

#[derive(Params)]
pub struct Finalists {
    /// The company whose positions to look through.
    company: Arg<i32>,
    /// How many candidates of each position.
    #[param(default = 3, range = 1..=20)]
    places: Arg<u8>,
}

/// The candidates of each position with the highest average rating. Of equal ones, the one rated more often comes
/// first.
#[query(example(company = 1), example(company = 1, places = 1))]
pub fn finalists(p: Finalists) -> Select {
    let (pos, i, r) = (Position::alias("p"), Interview::alias("i"), Rating::alias("r"));
    let average = avg(r.score);
    let best_first =
        window().partition_by(pos.id).order_by((average.desc(), count(r.id).desc(), i.candidate_id));
    let ranked = cte!(
        "ranked",
        {
            position_id: pos.id,
            title: pos.title,
            candidate_id: i.candidate_id,
            average: average,
            ratings: count(r.id),
            place: row_number().over(best_first),
        },
        |s| {
            s.from(pos)
                .join(i, i.position().eq(pos))
                .join(r, r.interview().eq(i))
                .filter(pos.company_id.eq(p.company))
                .group_by((pos.id, i.candidate_id))
        }
    );
    let c = Candidate::alias("c");
    select((
        ranked.position_id,
        ranked.title,
        ranked.place,
        ranked.candidate_id,
        c.name,
        // As read: a repeating decimal helps nobody.
        call("round", (ranked.average, 2)).alias("average"),
        ranked.ratings,
    ))
    .from(ranked)
    .join(c, c.id.eq(ranked.candidate_id))
    .filter(ranked.place.le(p.places))
    .order_by((ranked.position_id, ranked.place))
}
