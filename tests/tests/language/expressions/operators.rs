//! Operators of full text, ranges, JSON and the network.

use callslip_sdk::prelude::*;

use crate::support::same;

#[tokio::test]
async fn full_text() {
    let b = table("book").alias("b");
    let query = call("to_tsquery", (constant("english").cast_as("regconfig"), "tide & !low"));
    same(
        select((
            b.col("id"),
            b.col("words").matches(query).alias("matches"),
            call("ts_rank", (b.col("words"), query)).alias("rank"),
            query.op("&&", constant("sea").cast_as("tsquery")).alias("both"),
            prefix("!!", query).alias("none"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, words @@ to_tsquery('english', 'tide & !low') AS matches,
                ts_rank(words, to_tsquery('english', 'tide & !low')) AS rank,
                to_tsquery('english', 'tide & !low') && tsquery 'sea' AS both,
                !! to_tsquery('english', 'tide & !low') AS none FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn ranges() {
    let l = table("loan").alias("l");
    let period = l.col("period");
    same(
        select((
            l.col("id"),
            period.contains(Date::new("2026-01-20")).alias("a"),
            constant(Date::new("2026-01-20")).contained_by(period).alias("b"),
            period.overlaps(call("daterange", (Date::new("2026-01-15"), Date::new("2026-01-21")))).alias("c"),
            period.op("-|-", call("daterange", (Date::new("2026-01-16"), null("date")))).alias("d"),
            period.op("<<", call("daterange", (Date::new("2026-02-01"), null("date")))).alias("e"),
            lower(period.cast_as("text")).alias("f"),
            call("upper", period).alias("g"),
        ))
        .from(l)
        .order_by(l.col("id")),
        "SELECT id, period @> DATE '2026-01-20' AS a, DATE '2026-01-20' <@ period AS b,
                period && daterange('2026-01-15', '2026-01-21') AS c, period -|- daterange('2026-01-16', NULL) AS d,
                period << daterange('2026-02-01', NULL) AS e, lower(period::text) AS f, upper(period) AS g
         FROM loan ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn json() {
    let b = table("book").alias("b");
    let details = b.col("details");
    same(
        select((
            b.col("id"),
            details.get("editions").get(0).alias("a"),
            details.get_text("award").alias("b"),
            details.get_path(array(["editions", "0", "year"])).alias("c"),
            details.get_path_text(array(["editions", "0", "year"])).alias("d"),
            details.has_key("award").alias("e"),
            details.contains(Json::new("{\"award\": \"Best\"}")).alias("f"),
            details.op("?|", array(["award", "x"])).alias("g"),
            details.op("@?", constant("$.editions[*] ? (@.year > 2000)").cast_as("jsonpath")).alias("h"),
            details.op("@@", "$.award == \"Best\"").alias("i"),
            call("jsonb_path_query_array", (details, "$.editions[*].year")).alias("j"),
            (details - "award").alias("k"),
            details.op("#-", array(["editions", "0"])).alias("l"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, details -> 'editions' -> 0 AS a, details ->> 'award' AS b, details #> '{editions,0,year}' AS c,
                details #>> '{editions,0,year}' AS d, details ? 'award' AS e, details @> '{\"award\": \"Best\"}' AS f,
                details ?| '{award,x}' AS g, details @? '$.editions[*] ? (@.year > 2000)' AS h,
                details @@ '$.award == \"Best\"' AS i, jsonb_path_query_array(details, '$.editions[*].year') AS j,
                details - 'award' AS k, details #- '{editions,0}' AS l FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn network() {
    let r = table("reader").alias("r");
    let ip = r.col("ip");
    same(
        select((
            r.col("id"),
            ip.op("<<", constant("10.0.0.0/16").cast_as("inet")).alias("a"),
            ip.op(">>=", "10.0.0.1").alias("b"),
            ip.op("&&", "10.0.7.0/24").alias("c"),
            (ip + 1).alias("d"),
            prefix("~", ip).alias("e"),
            call("host", ip).alias("f"),
        ))
        .from(r)
        .order_by(r.col("id")),
        "SELECT id, ip << inet '10.0.0.0/16' AS a, ip >>= inet '10.0.0.1' AS b, ip && inet '10.0.7.0/24' AS c, ip + 1 AS d,
                ~ ip AS e, host(ip) AS f FROM reader ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn date_and_time_arithmetic() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    same(
        select((
            (b.col("published") + 1).alias("a"),
            (b.col("published") - Date::new("2000-01-01")).alias("b"),
            (r.col("joined") - days(3)).alias("c"),
            (hours(2) * 3).alias("d"),
            (-days(1)).alias("e"),
            call("age", (r.col("joined"), Timestamptz::new("2025-01-01Z"))).alias("f"),
        ))
        .from(b)
        .cross_join(r)
        .order_by((b.col("id"), r.col("id"))),
        "SELECT published + 1 AS a, published - DATE '2000-01-01' AS b, joined - interval '3 days' AS c,
                interval '2 hours' * 3 AS d, - interval '1 day' AS e, age(joined, timestamptz '2025-01-01Z') AS f
         FROM book b, reader r ORDER BY b.id, r.id",
    )
    .await;
}

#[tokio::test]
async fn numbers_with_a_point_are_numerics() {
    let b = table("book").alias("b");
    let (price, pages) = (b.col("price"), b.col("pages"));
    same(
        select((
            b.col("id"),
            price.mul(0.1).alias("tenth"),
            pages.mul(0.1).alias("int4"),
            pages.cast::<f64>().mul(0.1).alias("float8"),
            pages.cast::<f32>().mul(0.1).alias("float4"),
            pages.div(7.0).alias("quotient"),
            price.lt(f64::NAN).and(price.lt(f64::INFINITY)).and(price.gt(f64::NEG_INFINITY)).alias("between"),
            days(1).mul(0.5).alias("half"),
            coalesce((pages.cast::<f64>(), 0.5)).alias("first"),
        ))
        .from(b)
        .filter(price.gt(9.99).and(pages.cast::<f64>().ge(0.5)))
        .order_by(b.col("id")),
        "SELECT id, price * 0.1 AS tenth, pages * 0.1 AS int4,
                pages::float8 * 0.1 AS float8, pages::float4 * 0.1 AS float4, pages / 7.0 AS quotient,
                price < 'NaN'::numeric AND price < 'Infinity'::numeric AND price > '-Infinity'::numeric AS between,
                interval '1 day' * 0.5 AS half, COALESCE(pages::float8, 0.5) AS first
         FROM book WHERE price > 9.99 AND pages::float8 >= 0.5 ORDER BY id",
    )
    .await;
}
