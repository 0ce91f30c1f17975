//! What the benches of the sandbox and of loading measure: twenty queries of two hundred shapes in all, of the size that
//! queries have, of which one is open. With the feature `few` it has two: one that is closed, and the open one.

#[cfg(not(feature = "few"))]
mod counted;

use callslip_sdk::prelude::*;
#[cfg(not(feature = "few"))]
use counted::{
    by_candidate, by_country, by_device, by_opened_at, by_position, by_status, by_title, by_years,
    few_by_candidate, few_by_country, few_by_device, few_by_opened_at, few_by_position, few_by_status,
    few_by_title, few_by_years, newest, positions,
};

#[derive(Params)]
struct Key {
    id: Arg<i32>,
}

/// A row by its key.
#[query]
fn position(p: Key) -> One {
    let pos = table("position").alias("p");
    select((pos.col("id"), pos.col("title"))).from(pos).filter(pos.col("id").eq(p.id)).one()
}

#[derive(Params)]
struct Words {
    /// Seen as it is, so that this query is open.
    words: String,
}

/// How far the interviews of the positions with this in their titles have come: about fifty nodes, and the same for any words.
#[query(example(words = "engineer"))]
fn found(p: Words) -> Select {
    let (pos, c, i) =
        (table("position").alias("p"), table("company").alias("c"), table("interview").alias("i"));
    select((
        pos.col("id"),
        pos.col("title"),
        c.col("name").alias("company"),
        count(i.col("id")).alias("started"),
        count(i.col("id")).filter(i.col("completed_at").is_not_null()).alias("completed"),
    ))
    .from(pos)
    .join(c, c.col("id").eq(pos.col("company_id")))
    .left_join(i, i.col("position_id").eq(pos.col("id")))
    .filter(pos.col("title").eq(p.words))
    .filter(pos.col("closed_at").is_null())
    .group_by((pos.col("id"), c.col("id")))
    .order_by((pos.col("title"), pos.col("id")))
    .limit(20)
}

#[cfg(feature = "few")]
export_plugin!(position, found);

#[cfg(not(feature = "few"))]
export_plugin!(
    position,
    found,
    positions,
    newest,
    few_by_position,
    few_by_title,
    few_by_opened_at,
    few_by_status,
    few_by_device,
    few_by_candidate,
    few_by_country,
    few_by_years,
    by_position,
    by_title,
    by_opened_at,
    by_status,
    by_device,
    by_candidate,
    by_country,
    by_years,
);
