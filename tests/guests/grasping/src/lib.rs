//! Queries that reach for what their plugin was not granted. Of `grasp.person` it may read `id`, `name` and `boss_id`.

use callslip_sdk::prelude::*;

fn person() -> Table {
    table("grasp.person").alias("p")
}

fn other() -> Table {
    table("grasp.person").alias("q")
}

/// What it may read.
#[query]
fn fine() -> Select {
    let (p, q) = (person(), other());
    select((p.col("id"), p.col("name"), q.col("name").alias("boss")))
        .from(p)
        .left_join(q, q.col("id").eq(p.col("boss_id")))
        .order_by(p.col("id"))
}

/// What it may read, of a table of which it may read no column.
#[query]
fn counted() -> Select {
    select(count_all().alias("people")).from(table("grasp.uncounted").alias("u"))
}

/// What it may read, by names that a query gives.
#[query]
fn renamed() -> Select {
    let p = person();
    let rich = cte("rich", select((p.col("id"), p.col("name").alias("salary"))).from(p));
    select(whole_row(rich).field("salary").alias("name")).from(rich).order_by(rich.col("id")).with(rich)
}

/// By its name.
#[query]
fn named() -> Select {
    let p = person();
    select(p.col("salary")).from(p)
}

/// In a condition, which tells it bit by bit.
#[query]
fn filtered() -> Select {
    let p = person();
    select(p.col("id")).from(p).filter(p.col("salary").gt(1_000))
}

/// By the order of the rows.
#[query]
fn sorted() -> Select {
    let p = person();
    select(p.col("id")).from(p).order_by(p.col("salary"))
}

/// In a window.
#[query]
fn ranked() -> Select {
    let p = person();
    select(rank().over(window().order_by(p.col("salary"))).alias("rank")).from(p)
}

/// By groups.
#[query]
fn grouped() -> Select {
    let p = person();
    select(count_all().alias("people")).from(p).group_by(p.col("salary"))
}

/// As JSON of a whole row.
#[query]
fn as_json() -> Select {
    let p = person();
    select(call("to_jsonb", whole_row(p)).alias("person")).from(p)
}

/// By whether a whole row is null.
#[query]
fn null_row() -> Select {
    let p = person();
    select(whole_row(p).is_null().alias("null")).from(p)
}

/// By comparing whole rows, which compares all columns.
#[query]
fn same_rows() -> Select {
    let (p, q) = (person(), other());
    select(p.col("id")).from(p).join(q, whole_row(p).lt(whole_row(q)))
}

/// As the field of a composite.
#[query]
fn field() -> Select {
    let p = person();
    select(whole_row(p).field("salary").alias("salary")).from(p)
}

/// Grouped by a whole row.
#[query]
fn grouped_rows() -> Select {
    let p = person();
    select(count_all().alias("people")).from(p).group_by(whole_row(p))
}

/// By a join that compares whatever has one name.
#[query]
fn natural() -> Select {
    let (p, q) = (person(), other());
    select(p.col("id")).from(p).natural_join(q)
}

/// By a join that compares the column by its name.
#[query]
fn using_it() -> Select {
    let (p, q) = (person(), other());
    select(p.col("id")).from(p).join_using(q, ["salary"])
}

/// By the alias that USING gives the columns that it compares.
#[query]
fn using_alias() -> Select {
    let (p, q, u) = (person(), other(), using(["id", "salary"]).alias("u"));
    select(u.col("salary")).from(p).join_using(q, &u)
}

/// By its position.
#[query]
fn by_position() -> Select {
    let p = person().column_aliases(["a", "b", "c", "d", "e"]);
    select(p.col("d")).from(p)
}

/// Behind the alias of a join.
#[query]
fn behind_a_join() -> Select {
    let (p, q) = (person(), other());
    let j = joined(p).join(q, p.col("id").eq(q.col("boss_id"))).alias("j");
    select(j.col("salary")).from(j)
}

/// In a whole row of a join.
#[query]
fn row_of_a_join() -> Select {
    let (p, q) = (person(), table("grasp.uncounted").alias("u"));
    let j = joined(p).cross_join(q).alias("j");
    select(call("to_jsonb", whole_row(j)).alias("row")).from(j)
}

/// By its position in a join.
#[query]
fn position_in_a_join() -> Select {
    let (p, q) = (person(), other());
    let j =
        joined(p).join(q, p.col("id").eq(q.col("id"))).alias("j").column_aliases(["a", "b", "c", "d", "e"]);
    select(j.col("d")).from(j)
}

/// In a CTE, by another name.
#[query]
fn in_a_cte() -> Select {
    let p = person();
    let c = cte("c", select((p.col("id"), p.col("salary").alias("harmless"))).from(p));
    select(c.col("harmless")).from(c).with(c)
}

/// In a subquery that sees the row around it.
#[query]
fn correlated() -> Select {
    let (p, q) = (person(), other());
    select(p.col("id"))
        .from(p)
        .filter(exists(select(q.col("id")).from(q).filter(q.col("id").lt(p.col("salary")))))
}

/// By a name that is almost its own: what is meant must not be told.
#[query]
fn misspelt() -> Select {
    let (p, q) = (person(), other());
    select(p.col("salry")).from(p).join_using(q, ["salarys"])
}

/// By a key that it may not read: PostgreSQL would take it for the columns beside it.
#[query]
fn ungrouped() -> Select {
    let k = table("grasp.keyed").alias("k");
    select((k.col("title"), count_all().alias("many"))).from(k).group_by(k.col("kind"))
}

/// By an error that has the value in it.
#[query]
fn in_an_error() -> Select {
    let p = person();
    select(p.col("salary").cast_as("text").cast_as("uuid").alias("x")).from(p)
}

/// A table of which nothing was granted.
#[query]
fn whole_table() -> Select {
    let s = table("grasp.secret").alias("s");
    select(s.col("word")).from(s)
}

/// A table that only one query may read.
#[query]
fn privileged() -> Select {
    let s = table("grasp.secret").alias("s");
    select(s.col("word")).from(s).order_by(s.col("word"))
}

/// A function of which another signature was granted.
#[query]
fn other_signature() -> Select {
    let p = person();
    select((call("grasp.f", p.col("id")).alias("one"), call("grasp.f", p.col("name")).alias("other"))).from(p)
}

/// An operator of which another signature was granted.
#[query]
fn other_operator() -> Select {
    let p = person();
    let (id, name) = (p.col("id"), p.col("name"));
    select((id.op("grasp.%%", id).alias("one"), name.op("grasp.%%", name).alias("other"))).from(p)
}

/// A cast whose function was not granted.
#[query]
fn other_cast() -> Select {
    let m = table("grasp.moods").alias("m");
    select((m.col("mood").cast_as("text").alias("text"), m.col("mood").cast_as("int4").alias("number")))
        .from(m)
}

/// A view that waits.
#[query]
fn slow_view() -> Select {
    let v = table("grasp.slow_view").alias("v");
    select(v.col("x").cast_as("text").alias("x")).from(v)
}

/// A view that reads a file.
#[query]
fn file_view() -> Select {
    let v = table("grasp.file_view").alias("v");
    select(v.col("x")).from(v)
}

/// A view of a view that reads a file.
#[query]
fn file_view_within() -> Select {
    let v = table("grasp.file_view_within").alias("v");
    select(v.col("x")).from(v)
}

/// A view of the passwords.
#[query]
fn role_view() -> Select {
    let v = table("grasp.role_view").alias("v");
    select(v.col("x").cast_as("text").alias("x")).from(v)
}

/// A copy of the passwords.
#[query]
fn role_copy() -> Select {
    let v = table("grasp.role_copy").alias("v");
    select(v.col("x").cast_as("text").alias("x")).from(v)
}

/// A view of a copy of the passwords.
#[query]
fn role_copy_view() -> Select {
    let v = table("grasp.role_copy_view").alias("v");
    select(v.col("x").cast_as("text").alias("x")).from(v)
}

/// A copy of what a volatile function gave, which is not called again.
#[query]
fn slow_copy() -> Select {
    let v = table("grasp.slow_copy").alias("v");
    select(v.col("x")).from(v)
}

/// A view of a foreign table.
#[query]
fn foreign_view() -> Select {
    let v = table("grasp.foreign_view").alias("v");
    select(v.col("x")).from(v)
}

/// A view with all that everyday views have.
#[query]
fn everyday_view() -> Select {
    let v = table("grasp.everyday_view").alias("v");
    select((v.col("name"), v.col("colleagues"))).from(v).order_by(v.col("name"))
}

export_plugin!(
    fine,
    counted,
    renamed,
    named,
    filtered,
    sorted,
    ranked,
    grouped,
    as_json,
    null_row,
    same_rows,
    field,
    grouped_rows,
    natural,
    using_it,
    using_alias,
    by_position,
    behind_a_join,
    row_of_a_join,
    position_in_a_join,
    in_a_cte,
    correlated,
    misspelt,
    ungrouped,
    in_an_error,
    whole_table,
    privileged,
    other_signature,
    other_operator,
    other_cast,
    slow_view,
    file_view,
    file_view_within,
    role_view,
    role_copy,
    role_copy_view,
    slow_copy,
    foreign_view,
    everyday_view
);
