//! Queries that PostgreSQL takes and that are hardly what their author means.

use callslip_sdk::prelude::*;

#[derive(Params)]
struct Totals {
    /// Only positions that are still open.
    open: bool,
}

/// Questions and interviews of a position side by side: in both shapes every question comes once for each interview.
#[query(example(open = true))]
fn totals(p: Totals) -> Select {
    let (pos, i, q) =
        (table("position").alias("p"), table("interview").alias("i"), table("question").alias("q"));
    select((
        pos.col("id"),
        count(q.col("id")).alias("questions"),
        count_distinct(i.col("id")).alias("interviews"),
    ))
    .from(pos)
    .left_join(i, i.col("position_id").eq(pos.col("id")))
    .left_join(q, q.col("position_id").eq(pos.col("id")))
    .filter(p.open.then(|| pos.col("closed_at").is_null()))
    .group_by(pos.col("id"))
}

export_plugin!(totals);
