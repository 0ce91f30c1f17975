//! Queries with the mistakes that authors make; each of them must be found when the plugin is loaded.

use callslip_sdk::prelude::*;

/// A column that is misspelt, and a table that is.
#[query]
fn misspelt() -> Select {
    let (pos, i) = (table("position").alias("p"), table("intervew").alias("i"));
    select((pos.col("titel"), i.col("status")))
        .from(pos)
        .join(i, i.col("position_id").eq(pos.col("id")))
        .order_by(pos.col("closed").desc())
}

/// A table and a function that were not granted.
#[query]
fn ungranted() -> Select {
    let (c, pos) = (table("company"), table("position"));
    select((
        pos.col("id"),
        call("pg_sleep", 10.0_f64).alias("slept"),
        call("public.score", (1, 2)).alias("many"),
        pos.col("title").cast_as("public.checked").alias("checked"),
        pos.col("title").cast_as("regclass").alias("looked_up"),
    ))
    .from(pos)
    .join(c, c.col("id").eq(pos.col("company_id")))
}

#[derive(Params)]
struct Status {
    status: Arg<String>,
    open: bool,
}

/// Types that do not go together: one that the host finds, and one that only PostgreSQL does.
#[query]
fn ill_typed(p: Status) -> Select {
    let i = table("interview").alias("i");
    let q = select(i.col("id")).from(i).filter(i.col("status").eq(p.status));
    if p.open { q.filter(i.col("completed_at").is_null()) } else { q }
}

/// A column that is neither grouped by nor aggregated.
#[query]
fn ungrouped() -> Select {
    let pos = table("position").alias("p");
    select((pos.col("company_id"), pos.col("title"))).from(pos).group_by(pos.col("company_id"))
}

/// An expression that is not the one that is grouped by: which ones are the same, PostgreSQL knows.
#[query]
fn grouped_otherwise() -> Select {
    let pos = table("position").alias("p");
    select(upper(pos.col("title")).alias("title")).from(pos).group_by(lower(pos.col("title")))
}

/// An alias that is not in FROM, one that is there twice, and a column without a name.
#[query]
fn lost() -> Select {
    let (p, other) = (table("position").alias("p"), table("interview").alias("i"));
    select((p.col("id"), other.col("id").alias("interview"), p.col("id").add(1)))
        .from(p)
        .cross_join(table("position").alias("p"))
}

/// Constants that their types do not take.
#[query]
fn constants() -> Select {
    let i = table("interview").alias("i");
    select(i.col("id"))
        .from(i)
        .filter(i.col("status").eq("complete"))
        .filter(i.col("created_at").ge("yesterdae"))
        .filter(i.col("device").eq("complete"))
}

#[derive(Sort)]
enum By {
    Title,
    Closed,
}

#[derive(Params)]
struct List {
    sort: Sort<By>,
    page: Page,
}

/// A sort key that is no column: wrong in those shapes only that have it.
#[query]
fn sorted(p: List) -> Select {
    let pos = table("position").alias("p");
    let order = p.sort.keys(|by| match by {
        By::Title => pos.col("title").key(),
        By::Closed => pos.col("closd_at").key(),
    });
    select(pos.col("id")).from(pos).page(p.page, order)
}

#[derive(Params)]
struct Words {
    words: String,
}

/// An open query: its examples at least are proven.
#[query(example(words = "a b"))]
fn open(p: Words) -> Select {
    let pos = table("position").alias("p");
    let conditions = p.words.split(' ').map(|word| pos.col("tilte").ilike(word));
    select(pos.col("id")).from(pos).filter(all(conditions))
}

/// A column that leaves as text, through somebody's cast.
#[query]
fn leaving() -> Select {
    let m = table("attacks.moods").alias("m");
    select(m.col("mood")).from(m)
}

/// A count that a join multiplies: nothing that PostgreSQL would refuse.
#[query]
fn multiplied() -> Select {
    let (pos, i, q) =
        (table("position").alias("p"), table("interview").alias("i"), table("question").alias("q"));
    select(count(q.col("id")).alias("questions"))
        .from(pos)
        .left_join(i, i.col("position_id").eq(pos.col("id")))
        .left_join(q, q.col("position_id").eq(pos.col("id")))
}

/// An index that is out of bounds.
#[query]
fn panicking() -> Select {
    let columns: Vec<&str> = std::env::args().map(|_| "id").collect();
    select(table("position").col(columns[7])).from(table("position"))
}

export_plugin!(
    misspelt,
    ungranted,
    ill_typed,
    ungrouped,
    grouped_otherwise,
    lost,
    constants,
    sorted,
    open,
    leaving,
    multiplied,
    panicking
);
