//! The top of each group: a window function numbers the rows of a CTE, and the query around it takes the first few.

use callslip_sdk::prelude::*;

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
    let (pos, i, r) =
        (table("position").alias("p"), table("interview").alias("i"), table("rating").alias("r"));
    let average = avg(r.col("score"));
    let best_first = window().partition_by(pos.col("id")).order_by((
        average.desc(),
        count(r.col("id")).desc(),
        i.col("candidate_id"),
    ));
    let ranked = cte(
        "ranked",
        select((
            pos.col("id").alias("position_id"),
            pos.col("title"),
            i.col("candidate_id"),
            average.alias("average"),
            count(r.col("id")).alias("ratings"),
            row_number().over(best_first).alias("place"),
        ))
        .from(pos)
        .join(i, i.col("position_id").eq(pos.col("id")))
        .join(r, r.col("interview_id").eq(i.col("id")))
        .filter(pos.col("company_id").eq(p.company))
        .group_by((pos.col("id"), i.col("candidate_id"))),
    );
    let c = table("candidate").alias("c");
    select((
        ranked.col("position_id"),
        ranked.col("title"),
        ranked.col("place"),
        ranked.col("candidate_id"),
        c.col("name"),
        // As read: a repeating decimal helps nobody.
        call("round", (ranked.col("average"), 2)).alias("average"),
        ranked.col("ratings"),
    ))
    .from(ranked)
    .join(c, c.col("id").eq(ranked.col("candidate_id")))
    .filter(ranked.col("place").le(p.places))
    .order_by((ranked.col("position_id"), ranked.col("place")))
}
