//! A query for each construct of the language that is lowered; the tests compare its rows with hand-written SQL.

mod nested;

use callslip_sdk::{prelude::*, rare};

/// All join kinds with ON, over two small sets of candidates.
#[query]
fn joins() -> Select {
    let few = |name: &str, low: i64, high: i64| {
        let c = table("candidate").alias("c");
        select(c.col("id").alias("n")).from(c).filter(c.col("id").between(low, high)).alias(name)
    };
    let (a, b, c, d) = (few("a", 1, 3), few("b", 2, 4), few("c", 3, 5), few("d", 1, 2));
    select((a.col("n").alias("a"), b.col("n").alias("b"), c.col("n").alias("c"), d.col("n").alias("d")))
        .from(a)
        .right_join(b, a.col("n").eq(b.col("n")))
        .full_join(c, b.col("n").eq(c.col("n")))
        .cross_join(d)
        .order_by((c.col("n").asc().nulls_first(), b.col("n").asc(), d.col("n").asc()))
}

/// Arithmetic, whose order of evaluation parentheses keep.
#[query]
fn arithmetic() -> Select {
    let c = table("candidate").alias("c");
    let n = c.col("id");
    select((
        n,
        n.sub(n.sub(1)).alias("nested"),
        n.add(2).mul(3).alias("product"),
        n.sub(5).neg().alias("negated"),
        n.mul(7).rem(4).alias("remainder"),
        n.add(1).div(2).alias("quotient"),
        c.col("desired_salary").div(n).cast_as("int8").alias("share"),
    ))
    .from(c)
    .filter(n.le(20))
    .order_by(n)
}

/// And, or, not, in every nesting that precedence could get wrong.
#[query]
fn logic() -> Select {
    let c = table("candidate").alias("c");
    let (young, moves) = (c.col("years").lt(3), c.col("relocate"));
    let abroad = c.col("country").ne("IE");
    select((
        c.col("id"),
        young.or(moves).and(abroad).alias("either"),
        young.or(moves.and(abroad)).alias("or_and"),
        young.and(moves).not().alias("not_both"),
        all([young, moves.is_true(), abroad]).alias("every"),
        any([young, moves.is_true(), abroad]).alias("some"),
    ))
    .from(c)
    .filter(c.col("id").le(200))
    .order_by(c.col("id"))
}

/// LIKE, IN, BETWEEN and IS.
#[query]
fn predicates() -> Select {
    let c = table("candidate").alias("c");
    select((
        c.col("id"),
        c.col("email").like("candidate1%").alias("like"),
        c.col("email").ilike("CANDIDATE2%").alias("ilike"),
        c.col("name").not_like("A%").alias("not_like"),
        c.col("country").in_list(["IE", "JP"]).alias("in_list"),
        c.col("country").not_in_list(["IE"]).alias("not_in_list"),
        c.col("years").between(2, 5).alias("between"),
        c.col("years").not_between(2, 5).alias("not_between"),
        c.col("phone").is_null().alias("is_null"),
        c.col("phone").is_not_null().alias("is_not_null"),
        c.col("relocate").is_true().alias("is_true"),
        c.col("relocate").is_not_true().alias("is_not_true"),
        c.col("desired_salary").is_distinct_from(c.col("years")).alias("distinct_from"),
    ))
    .from(c)
    .filter(c.col("id").le(300))
    .order_by(c.col("id"))
}

/// CASE both ways, casts, COALESCE and its like.
#[query]
fn values() -> Select {
    let c = table("candidate").alias("c");
    select((
        c.col("id"),
        case()
            .when(c.col("years").lt(2), "junior")
            .when(c.col("years").lt(8), "middle")
            .otherwise("senior")
            .alias("level"),
        case_of(c.col("country")).when("IE", 1).otherwise(0).alias("irish"),
        c.col("desired_salary").cast_as("int4").cast_as("text").alias("salary"),
        coalesce((c.col("phone"), "none")).alias("phone"),
        nullif(c.col("years"), 0).alias("years"),
        greatest((c.col("years"), 3)).alias("greatest"),
        least((c.col("years"), 3)).alias("least"),
        extract("year", c.col("created_at")).alias("year"),
        null("date").alias("nothing"),
        c.col("name").concat(" of ").concat(c.col("country")).alias("both"),
    ))
    .from(c)
    .filter(c.col("id").le(100))
    .order_by(c.col("id"))
}

/// Aggregates with DISTINCT, FILTER, ORDER BY and WITHIN GROUP; GROUP BY an expression with a constant; HAVING.
#[query]
fn aggregates() -> Select {
    let i = table("interview").alias("i");
    let month = date_trunc("month", i.col("created_at"));
    select((
        month.alias("month"),
        count_all().alias("all"),
        count_distinct(i.col("position_id")).alias("positions"),
        count(i.col("id")).filter(i.col("status").eq("completed")).alias("completed"),
        string_agg(i.col("device"), ",").distinct().order_by(i.col("device").asc()).alias("devices"),
        percentile_disc(0.5).within_group(i.col("candidate_id").asc()).alias("median"),
        bool_or(i.col("completed_at").is_null()).alias("unfinished"),
    ))
    .from(i)
    .group_by(month)
    .having(count_all().gt(10))
    .order_by(month)
}

/// Window functions: named and inline, in an expression, with frames.
#[query]
fn windows() -> Select {
    let r = table("rating").alias("r");
    let by_interview = || window().partition_by(r.col("interview_id")).order_by(r.col("id"));
    select((
        r.col("id"),
        row_number().over("w").alias("number"),
        rank()
            .over(window().partition_by(r.col("interview_id")).order_by(r.col("score").desc()))
            .alias("rank"),
        r.col("score")
            .sub(avg(r.col("score")).over(window().partition_by(r.col("interview_id"))))
            .cast_as("numeric(6,3)")
            .alias("above"),
        sum(r.col("score")).over(by_interview().rows(preceding(1), CURRENT_ROW)).alias("pair"),
        lag(r.col("score")).over("w").alias("before"),
    ))
    .from(r)
    .filter(r.col("interview_id").le(60))
    .window("w", by_interview())
    .order_by((r.col("interview_id"), row_number().over("w").desc()))
}

/// Scalar, EXISTS and IN subqueries, correlated.
#[query]
fn subqueries() -> Select {
    let (p, i, r) = (table("position").alias("p"), table("interview").alias("i"), table("rating").alias("r"));
    let of_position = select(count_all()).from(i).filter(i.col("position_id").eq(p.col("id")));
    let rated = select(r.col("interview_id")).from(r).filter(r.col("score").ge(4));
    let wanted = select(i.col("position_id")).from(i).filter(i.col("id").in_query(rated));
    let expired = select(i.col("id"))
        .from(i)
        .filter(i.col("position_id").eq(p.col("id")))
        .filter(i.col("status").eq("expired"));
    select((
        p.col("id"),
        of_position.scalar().alias("interviews"),
        p.col("id").in_query(wanted).alias("wanted"),
        exists(expired).alias("has_expired"),
    ))
    .from(p)
    .order_by(p.col("id"))
}

/// LATERAL: the latest rating of each interview.
#[query]
fn laterals() -> Select {
    let (i, r) = (table("interview").alias("i"), table("rating").alias("r"));
    let latest = select((r.col("score"), r.col("id").alias("rating")))
        .from(r)
        .filter(r.col("interview_id").eq(i.col("id")))
        .order_by((r.col("created_at").desc(), r.col("id").desc()))
        .limit(1)
        .alias("latest");
    select((i.col("id"), latest.col("score"), latest.col("rating")))
        .from(i)
        .left_join_lateral(latest, true)
        .filter(i.col("id").le(200))
        .order_by(i.col("id"))
}

/// CTEs, one over another, and DISTINCT ON.
#[query]
fn ctes() -> Select {
    let i = table("interview").alias("i");
    let newest = cte(
        "newest",
        select((i.col("position_id"), i.col("id"), i.col("created_at")))
            .distinct_on(i.col("position_id"))
            .from(i)
            .order_by((i.col("position_id"), i.col("created_at").desc(), i.col("id").desc())),
    );
    let late = cte(
        "late",
        select((newest.col("position_id"), newest.col("id"))).from(newest).filter(newest.col("id").gt(1000)),
    );
    let p = table("position").alias("p");
    select((p.col("title"), late.col("id").alias("interview")))
        .from(late)
        .join(p, p.col("id").eq(late.col("position_id")))
        .order_by(late.col("id"))
}

#[derive(Params)]
struct Count {
    twice: bool,
}

/// A recursive CTE with columns of records, and a UNION or a SELECT of it by what is seen.
#[query]
fn counts(p: Count) -> Select {
    let n = cte_recursive("n", |n| {
        let next = select((n.col("n") % 4) + 1).from(n);
        select(constant(1).alias("n")).union_all(next)
    });
    let ordering = rare::search_depth_first(n, n.col("n"), "ordering");
    let (is_cycle, path) = rare::cycle_to(n, n.col("n"), "is_cycle", "yes", "no", "path");
    let all = select((n.col("n"), ordering, is_cycle, path)).from(n);
    let all = if p.twice { all.clone().union_all(all) } else { all };
    all.order_by((output("n"), output("is_cycle"))).limit(7)
}

#[derive(Params)]
struct Slice {
    limit: Arg<i64>,
    #[param(default = 0)]
    offset: Arg<i64>,
    #[param(default = false)]
    nulls_first: bool,
}

/// DISTINCT, ORDER BY with NULLS, LIMIT and OFFSET.
#[query]
fn slices(p: Slice) -> Select {
    let pos = table("position").alias("p");
    let order = pos.col("location").asc();
    let order = if p.nulls_first { order.nulls_first() } else { order.nulls_last() };
    select(pos.col("location")).distinct().from(pos).order_by(order).limit(p.limit).offset(p.offset)
}

#[derive(Params)]
struct Everything {
    bool: Arg<bool>,
    int2: Arg<i16>,
    int4: Arg<i32>,
    int8: Arg<i64>,
    float4: Arg<f32>,
    float8: Arg<f64>,
    numeric: Arg<Numeric>,
    text: Arg<String>,
    date: Arg<Date>,
    time: Arg<Time>,
    timestamp: Arg<Timestamp>,
    timestamptz: Arg<Timestamptz>,
    interval: Arg<Interval>,
    uuid: Arg<Uuid>,
    json: Arg<Json>,
    bytes: Arg<Bytes>,
    texts: Arg<Vec<String>>,
    ints: Arg<Vec<i32>>,
    nullable: Arg<Nullable<i32>>,
}

/// Every type of parameter, as it comes back.
#[query]
fn parameters(p: Everything) -> Select {
    select((
        p.bool.alias("bool"),
        p.int2.alias("int2"),
        p.int4.alias("int4"),
        p.int8.alias("int8"),
        p.float4.alias("float4"),
        p.float8.alias("float8"),
        p.numeric.alias("numeric"),
        p.text.alias("text"),
        p.date.alias("date"),
        p.time.alias("time"),
        p.timestamp.alias("timestamp"),
        p.timestamptz.alias("timestamptz"),
        p.interval.alias("interval"),
        p.uuid.alias("uuid"),
        p.json.alias("json"),
        p.bytes.alias("bytes"),
        p.texts.alias("texts"),
        p.ints.alias("ints"),
        p.nullable.alias("nullable"),
    ))
}

#[derive(Params)]
struct Position {
    id: Arg<i32>,
}

/// A row or none.
#[query]
fn position(p: Position) -> One {
    let pos = table("position").alias("p");
    select((pos.col("id"), pos.col("title"))).from(pos).filter(pos.col("id").eq(p.id)).one()
}

#[derive(Params)]
struct Search {
    /// Seen as it is, so that this query is open.
    words: String,
}

/// A condition for each word: something that only a query that sees its parameter can do.
#[query]
fn search(p: Search) -> Result<Select, Failure> {
    if p.words.trim().is_empty() {
        return Err(Failure::invalid("say at least one word").parameter("words"));
    }
    if p.words == "panic" {
        panic!("told to");
    }
    if p.words == "abort" {
        std::process::abort();
    }
    let pos = table("position").alias("p");
    let conditions = p.words.split_whitespace().map(|word| pos.col("title").ilike(format!("%{word}%")));
    Ok(select((pos.col("id"), pos.col("title"))).from(pos).filter(all(conditions)).order_by(pos.col("id")))
}

#[derive(Claims)]
struct Who {
    company: Arg<i32>,
    admin: bool,
}

/// What the caller may see: the claim is bound, and whether it is an administrator is seen.
#[query]
fn mine(who: Who) -> Select {
    let pos = table("position").alias("p");
    let q = select(pos.col("id")).from(pos).order_by(pos.col("id"));
    if who.admin { q } else { q.filter(pos.col("company_id").eq(who.company)) }
}

/// Divides by zero in the 15,000th row.
#[query]
fn breaking() -> Select {
    let (r, all) = (table("rating").alias("r"), table("rating").alias("all"));
    let late = select(all.col("id")).from(all).order_by(all.col("id")).offset(15_000).limit(1).scalar();
    select((r.col("id"), r.col("comment"), r.col("id").div(r.col("id").sub(late)).alias("ratio")))
        .from(r)
        .order_by(r.col("id"))
}

/// Every column of an odd type, which is cast to text on its way out.
#[query]
fn odd_types() -> Select {
    let i = table("interview").alias("i");
    select((
        i.col("id"),
        i.col("status"),
        array_agg(i.col("status")).over(window().partition_by(i.col("id"))).alias("statuses"),
    ))
    .from(i)
    .order_by((i.col("status").desc(), i.col("id")))
    .limit(20)
}

#[derive(SqlEnum, Clone, Copy, PartialEq)]
#[sql(type = "interview_status")]
enum Status {
    Invited,
    Started,
    Completed,
    Expired,
    Withdrawn,
}

#[derive(SqlEnum, Clone, Copy)]
enum By {
    Newest,
    #[sql(rename = "by-id")]
    Id,
}

#[derive(Params)]
struct Statuses {
    /// Bound, as the enum type of the database.
    status: Arg<Status>,
    /// Seen: a shape each.
    other: Option<Status>,
    #[param(default = By::Id)]
    by: By,
}

/// Enums that are bound, seen and optional.
#[query]
fn enums(p: Statuses) -> Select {
    let i = table("interview").alias("i");
    let status = i.col("status");
    let q = select((i.col("id"), status)).from(i).limit(50);
    let q = match p.other {
        Some(Status::Invited) => q.filter(status.eq(p.status).or(status.eq("invited"))),
        Some(_) => return q.filter(status.eq(p.status)).order_by(i.col("id").desc()),
        None => q.filter(status.eq(p.status)),
    };
    match p.by {
        By::Newest => q.order_by((i.col("created_at").desc(), i.col("id"))),
        By::Id => q.order_by(i.col("id")),
    }
}

#[derive(Params)]
struct Switches {
    a: bool,
    b: bool,
    c: bool,
    d: bool,
    e: bool,
    f: bool,
    g: bool,
    h: bool,
    i: bool,
}

/// More shapes than are proven at load.
#[query]
fn switches(p: Switches) -> Select {
    let switches = [p.a, p.b, p.c, p.d, p.e, p.f, p.g, p.h, p.i];
    let number = switches.iter().fold(0_i32, |number, on| number * 2 + i32::from(*on));
    select(constant(number).alias("number"))
}

#[derive(Params)]
struct Countries {
    countries: Arg<Vec<String>>,
    years: Arg<Vec<i32>>,
}

/// Lists of any length.
#[query]
fn lists(p: Countries) -> Select {
    let c = table("candidate").alias("c");
    select((c.col("id"), c.col("country")))
        .from(c)
        .filter(c.col("country").eq_any(p.countries))
        .filter(c.col("years").ne_all(p.years))
        .order_by(c.col("id"))
}

#[derive(Sort)]
enum PositionKey {
    Title,
    #[sort(nulls = last)]
    Closed,
}

#[derive(Params)]
struct Sorted {
    #[param(default = "-closed")]
    sort: Sort<PositionKey>,
    page: Page<20, 100>,
}

/// A page of a list in the order that the caller wants.
#[query(example(sort = "-closed,title", page = 2, page_size = 3))]
fn sorted(p: Sorted) -> Select {
    let pos = table("position").alias("p");
    let order = p.sort.keys(|key| match key {
        PositionKey::Title => lower(pos.col("title")).key(),
        PositionKey::Closed => pos.col("closed_at").key(),
    });
    select((pos.col("id"), pos.col("title"), pos.col("closed_at")))
        .from(pos)
        .page(p.page, order.then(pos.col("id")))
}

/// Much: more than a MiB.
#[query]
fn ratings() -> Select {
    let r = table("rating").alias("r");
    select((r.col("id"), r.col("interview_id"), r.col("score"), r.col("created_at"))).from(r)
}

/// Very much: more than the buffers of a socket hold.
#[query]
fn everything_rated() -> Select {
    let (r, other) = (table("rating").alias("r"), table("rating").alias("other"));
    select((r.col("id"), other.col("id").alias("other"), r.col("created_at")))
        .from(r)
        .cross_join(other)
        .limit(900_000)
}

/// Names that would be SQL, if they were not quoted.
#[query]
fn hostile_names() -> Select {
    let p = table("position").alias("p\"; DROP TABLE position; --");
    let r = cte("r\" AS (SELECT 1); --", select(p.col("id").alias("a\"b' /* $1 */")).from(p));
    select((r.col("a\"b' /* $1 */").alias("x\", (SELECT 1) AS \"y"), r.col("a\"b' /* $1 */").alias("select")))
        .from(r)
        .order_by(output("x\", (SELECT 1) AS \"y"))
        .limit(3)
}

export_plugin!(
    joins,
    arithmetic,
    logic,
    predicates,
    values,
    aggregates,
    windows,
    subqueries,
    laterals,
    ctes,
    counts,
    slices,
    parameters,
    position,
    search,
    mine,
    breaking,
    odd_types,
    enums,
    switches,
    lists,
    sorted,
    ratings,
    everything_rated,
    hostile_names,
    nested::tree,
    nested::two_leaves
);
