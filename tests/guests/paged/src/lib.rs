//! Lists that come in pages.

use callslip_sdk::prelude::*;

#[derive(Sort)]
enum By {
    Title,
    #[sort(nulls = last)]
    Weight,
    #[sort(nulls = first)]
    Made,
}

#[derive(Params)]
struct Sorted {
    sort: Sort<By>,
    at_least: Option<Arg<i32>>,
    keyset: Keyset<3, 50>,
}

/// In any order, of which the keys are not in the reply.
#[query]
fn sorted(p: Sorted) -> Paged {
    let i = table("item").alias("i");
    let order = p.sort.keys(|by| match by {
        By::Title => i.col("title").key(),
        By::Weight => i.col("weight").key(),
        By::Made => i.col("made").key(),
    });
    select(i.col("id"))
        .from(i)
        .filter(p.at_least.map(|least| i.col("id").ge(least)))
        .keyset(p.keyset, order.then(i.col("id")))
}

#[derive(Clone, Copy, SqlEnum)]
enum Column {
    Kind,
    Ref,
    Ratio,
    Span,
    Doc,
    Home,
    Flag,
    Large,
    Day,
    Bytes,
    Small,
    Code,
    Names,
    Period,
}

#[derive(Params)]
struct Typed {
    by: Column,
    #[param(default = false)]
    down: bool,
    keyset: Keyset<4, 100>,
}

/// By a column of a type that JSON has no form of.
#[query]
fn typed(p: Typed) -> Paged {
    let i = table("item").alias("i");
    let column = i.col(match p.by {
        Column::Kind => "kind",
        Column::Ref => "ref",
        Column::Ratio => "ratio",
        Column::Span => "span",
        Column::Doc => "doc",
        Column::Home => "home",
        Column::Flag => "flag",
        Column::Large => "large",
        Column::Day => "day",
        Column::Bytes => "bytes",
        Column::Small => "small",
        Column::Code => "code",
        Column::Names => "names",
        Column::Period => "period",
    });
    let order = if p.down { column.desc() } else { column.asc() };
    select(i.col("id")).from(i).keyset(p.keyset, (order, i.col("id")))
}

#[derive(Params)]
struct Plain {
    keyset: Keyset<10, 10_000>,
}

/// By two columns that are NOT NULL, of which there is an index.
#[query]
fn plain(p: Plain) -> Paged {
    let i = table("item").alias("i");
    select((i.col("id"), i.col("title"))).from(i).keyset(p.keyset, (i.col("title"), i.col("id")))
}

/// The same backwards, which the same index serves.
#[query]
fn backwards(p: Plain) -> Paged {
    let i = table("item").alias("i");
    select((i.col("id"), i.col("title")))
        .from(i)
        .keyset(p.keyset, (i.col("title").desc(), i.col("id").desc()))
}

/// By two columns that are NOT NULL, one up and one down.
#[query]
fn mixed(p: Plain) -> Paged {
    let i = table("item").alias("i");
    select((i.col("id"), i.col("title"))).from(i).keyset(p.keyset, (i.col("title"), i.col("id").desc()))
}

/// By one column: what its next version orders otherwise.
#[query]
fn changing(p: Plain) -> Paged {
    let i = table("item").alias("i");
    let order = if cfg!(feature = "reordered") { i.col("id").desc() } else { i.col("id").asc() };
    select(i.col("id")).from(i).keyset(p.keyset, order)
}

/// By what does not tell two rows apart.
#[query]
fn tied(p: Plain) -> Paged {
    let i = table("item").alias("i");
    select(i.col("id")).from(i).keyset(p.keyset, i.col("title"))
}

/// Groups, by an aggregate.
#[query]
fn grouped(p: Plain) -> Paged {
    let i = table("item").alias("i");
    select((i.col("title"), count(i.col("id")).alias("items")))
        .from(i)
        .group_by(i.col("title"))
        .keyset(p.keyset, (output("items").desc(), i.col("title")))
}

/// With a rank over the whole list, in a page as without one, and with a CTE.
#[query]
fn ranked(p: Plain) -> Paged {
    let i = table("item").alias("i");
    let light = cte("light", select((i.col("id"), i.col("title"))).from(i).filter(i.col("id").gt(2)));
    let l = light.alias("l");
    let all = window().order_by((l.col("title"), l.col("id")));
    select((l.col("id"), row_number().over(all).alias("place"))).from(l).keyset(p.keyset, output("place"))
}

/// A UNION, by its columns.
#[query]
fn united(p: Plain) -> Paged {
    let (i, j) = (table("item").alias("i"), table("item").alias("j"));
    let low = select((i.col("id"), i.col("title"))).from(i).filter(i.col("id").lt(8));
    low.union(select((j.col("id"), j.col("title"))).from(j).filter(j.col("id").gt(4)))
        .keyset(p.keyset, (output("title").desc(), output("id")))
}

/// Distinct rows of a join that has nulls.
#[query]
fn distinct(p: Plain) -> Paged {
    let (i, j) = (table("item").alias("i"), table("item").alias("j"));
    select((i.col("id"), j.col("title").alias("title")))
        .from(i)
        .left_join(j, j.col("id").eq(i.col("small")))
        .distinct()
        .keyset(p.keyset, (j.col("title"), i.col("id")))
}

#[derive(Claims)]
struct Who {
    least: Option<Arg<i32>>,
}

#[derive(Reply)]
struct WithTotal {
    items: Paged,
    total: One,
}

/// Beside another statement, for a caller.
#[query]
fn with_total(p: Plain, who: Who) -> WithTotal {
    let i = table("item").alias("i");
    let of = |q: Select| q.from(i).filter(who.least.map(|least| i.col("id").ge(least)));
    WithTotal {
        items: of(select(i.col("id"))).keyset(p.keyset, i.col("id")),
        total: of(select(count_all().alias("items"))).one(),
    }
}

#[derive(Params)]
struct ByNumber {
    page: Page<3, 50>,
}

/// By the number of the page.
#[query]
fn numbered(p: ByNumber) -> Select {
    let i = table("item").alias("i");
    select(i.col("id")).from(i).page(p.page, i.col("id"))
}

export_plugin!(
    sorted, typed, plain, backwards, mixed, changing, tied, grouped, ranked, united, distinct, with_total,
    numbered
);
