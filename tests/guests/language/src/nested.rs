//! Related rows as JSON in a column.

use callslip_sdk::prelude::*;

/// Positions with their interviews, those with their ratings, and the latest interview of each.
#[query]
pub fn tree() -> Select {
    let (p, i, r) = (table("position").alias("p"), table("interview").alias("i"), table("rating").alias("r"));
    let ratings = select((r.col("id"), r.col("score")))
        .from(r)
        .filter(r.col("interview_id").eq(i.col("id")))
        .order_by(r.col("id"));
    let of_position = i.col("position_id").eq(p.col("id"));
    let interviews = select((i.col("id"), i.col("status"), nest_many(ratings).alias("ratings")))
        .from(i)
        .filter(of_position)
        .order_by(i.col("id"))
        .limit(3);
    let latest = select((i.col("id"), i.col("completed_at"))).from(i).filter(of_position);
    let latest = latest.order_by(i.col("id").desc()).limit(1);
    select((p.col("id"), nest_many(interviews).alias("interviews"), nest_one(latest).alias("latest")))
        .from(p)
        .order_by(p.col("id"))
        .limit(20)
}

/// A tree whose leaf has more than one row.
#[query]
pub fn two_leaves() -> Select {
    let (p, i) = (table("position").alias("p"), table("interview").alias("i"));
    let interviews = select(i.col("id")).from(i).filter(i.col("position_id").eq(p.col("id")));
    select((p.col("id"), nest_one(interviews).alias("interview"))).from(p)
}
